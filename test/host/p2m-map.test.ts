/** The p2m of a booted guest as ranges, and as text. */
import { expect, it } from "vitest";
import { openGuest } from "../../host/cli/guest-source.ts";
import { p2mText, pagesText } from "../../host/lib/debug/p2m-text.ts";
import { walkJson } from "../../host/lib/debug/walk-text.ts";
import { DomId } from "../../host/lib/ids.ts";
import { createMachine } from "../../host/lib/machine.ts";
import { readP2m } from "../../host/lib/p2m-map.ts";
import { logDirtyEnable } from "../../host/lib/toolstack/log-dirty.ts";
import { compileBuild } from "../../host/node/wasm.ts";

const wasm = compileBuild("release");

async function boot() {
  const { vcpus, cmdline, image } = await openGuest("long-mode", false);
  const memoryBytes = 8 * 2 ** 20;
  const machine = createMachine(wasm, { memoryBytes, vcpus });
  return { machine, ...machine.createGuest({ image, memoryBytes, vcpus, cmdline, modules: [] }) };
}

it("shows RAM as one range of superpages, and what is pending after a lazy change", async () => {
  const { machine, domid } = await boot();
  const before = readP2m(machine.core, domid)!;
  expect(before.ranges[0]).toMatchObject({ gfn: 0, pages: 2048, type: "ram_rw", rights: "rwx", pageSize: "2M" });
  expect(before.entries["2M"]).toBe(4);
  expect(before.pendingPages).toBe(0);
  expect(before.ranges.reduce((sum, r) => sum + r.pages, 0)).toBe(before.pages.ram_rw);

  logDirtyEnable(machine.dom0, domid);
  expect(readP2m(machine.core, domid)!.pendingPages).toBe(before.pages.ram_rw);
  machine.run({ maxInstructions: 100 });
  const after = readP2m(machine.core, domid)!;
  expect(after.pages.ram_logdirty).toBeGreaterThan(0);
  expect(after.tables).toBeGreaterThan(before.tables);
  expect(p2mText(after)).toMatch(/r-x rwx.*\n(.*\n)*.*pages wait for their type to be recalculated/);
});

it("knows domains that do not exist, and sizes", async () => {
  const { machine } = await boot();
  expect(readP2m(machine.core, DomId(77))).toBeUndefined();
  expect([1, 256, 512, 262144, 262145].map(pagesText)).toEqual(["4K", "1M", "2M", "1G", "1048580K"]);
});

it("a walk as data has every bit by name and survives JSON", async () => {
  const { machine, domid } = await boot();
  const steps = JSON.parse(JSON.stringify(walkJson(machine.walk(domid, 0x100000)))) as Record<string, unknown>[];
  expect(steps.map((s) => s.level)).toEqual([4, 3, 2]);
  expect(steps[2]).toMatchObject({ type: "ram_rw", leaf: true, emt: "WB", ipat: true, accessed: true, dirty: true });
});
