/**
 * Guests that are migrated while they run: log-dirty mode goes on, pages are collected again and again, and every page whose contents
 * changed in between must have been reported. The guests must not notice.
 */
import { describe, expect, it } from "vitest";
import { openGuest } from "../../host/cli/guest-source.ts";
import { createMachine, type Machine } from "../../host/lib/machine.ts";
import type { BuiltDomain } from "../../host/lib/toolstack/build.ts";
import {
  isPageSet,
  logDirtyClean,
  logDirtyEnable,
  logDirtyOff,
  logDirtyPeek,
  type PageBitmap,
  trackDirtyVram,
} from "../../host/lib/toolstack/log-dirty.ts";
import { compileBuild } from "../../host/node/wasm.ts";

const wasm = compileBuild("debug");
const MIB = 2 ** 20;

async function boot(name: string, superpages = 1): Promise<{ machine: Machine; domain: BuiltDomain; pages: number }> {
  const source = await openGuest(name, false);
  const { vcpus, cmdline, image } = source;
  const memoryBytes = Math.min(source.memoryBytes, 8 * MIB);
  const machine = createMachine(wasm, { memoryBytes, vcpus, knobs: { "p2m.superpages": superpages } });
  const domain = machine.createGuest({ image, memoryBytes, vcpus, cmdline, modules: [] });
  return { machine, domain, pages: memoryBytes / 4096 };
}

const contents = (machine: Machine, domain: BuiltDomain, pages: number): Uint8Array =>
  machine.peek(domain.domid, 0, pages * 4096);

/** Pages that are not the same any more. */
function changed(before: Uint8Array, after: Uint8Array): number[] {
  const pages: number[] = [];
  for (let page = 0; page < before.length / 4096; page++) {
    const at = page * 4096;
    if (Buffer.compare(before.subarray(at, at + 4096), after.subarray(at, at + 4096)) !== 0) pages.push(page);
  }
  return pages;
}

const missed = (pages: readonly number[], bitmap: PageBitmap): number[] => pages.filter((p) => !isPageSet(bitmap, p));

/** Console of the same guest left alone. */
async function undisturbed(name: string): Promise<string> {
  const { machine } = await boot(name);
  machine.run({ maxInstructions: 30_000_000 });
  return machine.console();
}

describe.each(["long-mode", "exceptions", "smp-spinlock", "mmio", "rep-mmio"])("%s", (name) => {
  it.each([1, 0])("reports every changed page, superpages %i", async (superpages) => {
    const { machine, domain, pages } = await boot(name, superpages);
    const { dom0 } = machine;
    const { domid } = domain;
    logDirtyEnable(dom0, domid);
    let before = contents(machine, domain, pages);
    let slice = 20;
    for (let round = 0; round < 60 && !machine.ended(domid); round++) {
      machine.run({ maxInstructions: slice });
      slice = Math.ceil(slice * 1.3);
      expect(machine.core.exports.p2mInvariants(domid)).toBe(0); // P-7 among them: whatever a TLB lets be written is noted
      const after = contents(machine, domain, pages);
      const peeked = logDirtyPeek(dom0, domid, pages);
      const bitmap = logDirtyClean(dom0, domid, pages);
      expect(peeked).toEqual(bitmap);
      expect(missed(changed(before, after), bitmap)).toEqual([]);
      expect(logDirtyPeek(dom0, domid, pages).every((byte) => byte === 0)).toBe(true);
      before = after;
    }
    logDirtyOff(dom0, domid);
    machine.run({ maxInstructions: 30_000_000 });
    expect(machine.console()).toBe(await undisturbed(name));
  });
});

describe("dirty video memory", () => {
  it("reports what the guest wrote since the last call, without log-dirty mode", async () => {
    const { machine, domain, pages } = await boot("long-mode");
    const { dom0 } = machine;
    // What the hypervisor writes for a guest (its hypercall page, results of calls) leaves the type alone, so this does not see it.
    machine.run({ maxInstructions: 200 });
    const count = pages - 256;
    expect(trackDirtyVram(dom0, domain.domid, 256, count).every((byte) => byte === 0xff)).toBe(true);
    let before = contents(machine, domain, pages);
    for (let round = 0; round < 20; round++) {
      machine.run({ maxInstructions: 50 + 30 * round });
      const after = contents(machine, domain, pages);
      const bitmap = trackDirtyVram(dom0, domain.domid, 256, count);
      const written = changed(before, after).filter((page) => page >= 256);
      expect(written.filter((page) => !isPageSet(bitmap, page - 256))).toEqual([]);
      before = after;
    }
    expect(trackDirtyVram(dom0, domain.domid, 256, 0)).toHaveLength(0);
    machine.run({ maxInstructions: 30_000_000 });
    expect(machine.console()).toBe(await undisturbed("long-mode"));
  });
});
