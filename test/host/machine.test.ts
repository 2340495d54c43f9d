/** The stable API on a real build of the core: run, step, look, snapshot, restore. */
import { describe, expect, it } from "vitest";
import { loadImage } from "../../host/lib/loader/detect.ts";
import { createMachine, type Machine, type MachineOptions } from "../../host/lib/machine.ts";
import { takeSnapshot } from "../../host/lib/snapshot.ts";
import { loadGuest } from "../../host/node/guests.ts";
import { compileBuild } from "../../host/node/wasm.ts";

const wasm = compileBuild("release");
const MEMORY = 4 * 2 ** 20;
const BUDGET = 50_000_000;

async function boot(name: string, options: Partial<MachineOptions> = {}) {
  const guest = await loadGuest(name);
  const image = loadImage(guest.build());
  if (!image.ok) throw new Error(image.problem);
  const vcpus = guest.run?.vcpus ?? 1;
  const memoryBytes = guest.run?.memoryMiB ? guest.run.memoryMiB * 2 ** 20 : MEMORY;
  const machine = createMachine(wasm, { memoryBytes, vcpus, ...options });
  const spec = { image: image.value, memoryBytes, vcpus, cmdline: guest.run?.cmdline ?? "", modules: [] };
  return { machine, domain: machine.createGuest(spec), image: image.value };
}

const hashes = (m: Machine): readonly string[] => [m.stateHash(), m.traceHash(), m.console()];

describe("run", () => {
  it("boots a guest to its power-off, the same way twice", async () => {
    const runs = [];
    for (let i = 0; i < 2; i++) {
      const { machine, domain } = await boot("hello");
      expect(machine.run({ maxInstructions: BUDGET })).toEqual({ kind: "ended" });
      expect(machine.ended(domain.domid)).toMatchObject({ outcome: "poweroff" });
      expect(machine.console().length).toBeGreaterThan(10);
      runs.push(hashes(machine));
    }
    expect(runs[0]).toEqual(runs[1]);
  });

  it("prints the same with the small devices in the core", async () => {
    const texts = [];
    for (const at of [0, 1]) {
      const { machine } = await boot("mmio", { knobs: { "device.at": at } });
      machine.run({ maxInstructions: BUDGET });
      texts.push(machine.console());
    }
    expect(texts[0]).toBe(texts[1]);
  });

  it("does the same however the budget is sliced, two vCPUs in turns included", async () => {
    const runs = [];
    for (const slice of [BUDGET, 12_345, 777]) {
      const { machine } = await boot("smp-spinlock");
      while (machine.run({ maxInstructions: slice }).kind !== "ended");
      runs.push(hashes(machine));
    }
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).toEqual(runs[0]);
  });

  it("stops at the budget and goes on", async () => {
    const { machine, domain } = await boot("hello");
    expect(machine.run({ maxInstructions: 10 })).toEqual({ kind: "budget" });
    expect(machine.stats().instructions).toBeGreaterThan(7); // an exit may take the place of an instruction
    expect(machine.stats().instructions).toBeLessThanOrEqual(10);
    expect(machine.ended(domain.domid)).toBeUndefined();
    expect(machine.run({ maxInstructions: BUDGET })).toEqual({ kind: "ended" });
  });
});

describe("looking", () => {
  it("shows the entry state, code and start info before the first instruction", async () => {
    const { machine, domain, image } = await boot("hello");
    const [slot] = machine.vcpus(domain.domid);
    const regs = machine.regs(slot!);
    expect(regs).toMatchObject({ rip: BigInt(image.entry), bitness: 32, cpl: 0, cr0: 0x11n, rflags: 2 });
    expect(regs.general.rbx).toBe(BigInt(domain.startInfo));
    const first = image.segments.find((s) => image.entry >= s.gpa && image.entry < s.gpa + s.data.length)!;
    expect(machine.peek(domain.domid, image.entry, 16)).toEqual(
      first.data.slice(image.entry - first.gpa, image.entry - first.gpa + 16),
    );
    expect(new DataView(machine.peek(domain.domid, domain.startInfo, 56).buffer).getUint32(0, true)).toBe(0x336ec578);
  });

  it("walks RAM to a page and a device to a hole, without side effects", async () => {
    const { machine, domain } = await boot("hello");
    const before = hashes(machine);
    expect(machine.walk(domain.domid, 0x10_0000).at(-1)?.decoded).toMatchObject({
      isPresent: true,
      rights: "rwx",
      type: "ram_rw",
    });
    expect(machine.walk(domain.domid, 0xfe00_0000).at(-1)?.decoded.isPresent).toBe(false);
    machine.regs(machine.vcpus(domain.domid)[0]!);
    machine.peek(domain.domid, 0, 4096);
    expect(hashes(machine)).toEqual(before);
  });

  it("steps one instruction at a time", async () => {
    const { machine, domain } = await boot("hello");
    const [slot] = machine.vcpus(domain.domid);
    const seen = new Set<bigint>();
    for (let i = 0; i < 50; i++) {
      seen.add(machine.regs(slot!).rip);
      expect(machine.step(slot!)).toEqual({ kind: "ran" });
    }
    expect(seen.size).toBeGreaterThan(15);
    expect(machine.stats().instructions).toBeLessThanOrEqual(50);
  });

  it("ends the same stepped as run", async () => {
    const stepped = await boot("mmio");
    const [slot] = stepped.machine.vcpus(stepped.domain.domid);
    while (stepped.machine.step(slot!).kind === "ran") {
      // each step is one instruction
    }
    const ran = await boot("mmio");
    ran.machine.run({ maxInstructions: BUDGET });
    expect(stepped.machine.console()).toBe(ran.machine.console());
    expect(stepped.machine.stats().exits).toEqual(ran.machine.stats().exits);
  });
});

describe("snapshot", () => {
  it("goes back and does the same again", async () => {
    const { machine } = await boot("hello");
    machine.run({ maxInstructions: 500 });
    const snapshot = machine.snapshot();
    const at = hashes(machine);
    machine.run({ maxInstructions: BUDGET });
    const end = hashes(machine);
    machine.restore(snapshot);
    expect(hashes(machine)).toEqual(at);
    machine.run({ maxInstructions: BUDGET });
    expect(hashes(machine)).toEqual(end);
  });

  it("refuses a machine of another size", async () => {
    const a = await boot("hello");
    const b = await boot("hello", { memoryBytes: 2 * MEMORY });
    expect(() => b.machine.restore(a.machine.snapshot())).toThrow(/create it with the same memory/);
  });
});

/** "Actors are data": from equal memory, an actor does equal things; nothing outside linear memory matters. */
describe("actors", () => {
  it.each(["mmio", "hello", "port-io"])("%s: step, restore, step again gives the same bytes", async (name) => {
    const { machine, domain } = await boot(name);
    const [slot] = machine.vcpus(domain.domid);
    for (let i = 0; i < 300; i++) {
      const before = i % 10 === 0 ? takeSnapshot(machine.core) : undefined;
      if (machine.step(slot!).kind !== "ran") break;
      if (!before) continue;
      const once = hashes(machine);
      machine.restore(before);
      machine.step(slot!);
      expect(hashes(machine)).toEqual(once);
    }
  });
});
