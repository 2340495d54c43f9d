/** Breakpoints and watches: they stop where they should, forwards and backwards, and a guest runs the same with them as without. */
import { describe, expect, it } from "vitest";
import { asm } from "../../guests/asm/assembler.ts";
import { start } from "../../guests/lib/boot.ts";
import { UsageError } from "../../host/lib/errors.ts";
import type { Session } from "../../host/lib/travel/types.ts";
import type { WatchSpec } from "../../host/lib/travel/watch.ts";
import { boot, record, sessionOfSource } from "./support.ts";

const CLOSE = { interval: 1000, checkpoints: 12 };

const SOURCE = asm`
        org 0x100000
${start()}
main:   mov edi, 0x300000
        mov ecx, 5
loop:   mov [edi], ecx
        add dword [edi+8], 3
        mov eax, [edi]
        push eax
        pop ebx
        dec ecx
        jnz loop
        mov ecx, 0x600
        mov edi, 0x302000
        rep stosd
        mov esi, 0x302ffe
        mov eax, [esi]
        mov [0xfe000000], eax
        xor al, al
        out 0xf4, al
        zero 4096
stack_top:
`;

describe("a breakpoint", () => {
  it("stops before its instruction each time it comes by, and backwards too", () => {
    const { session, slot, label } = sessionOfSource(SOURCE);
    session.watch({ kind: "linear", address: label("loop"), access: "x" });
    const places = [];
    for (let left = 5; left >= 1; left--) {
      const stop = session.run();
      expect(stop.reason).toBe("break");
      expect(stop.hits).toMatchObject([{ kind: "execute", slot, linear: label("loop") }]);
      const regs = session.machine.regs(slot);
      expect([regs.rip, regs.general.rcx]).toEqual([label("loop"), BigInt(left)]);
      places.push([stop.position, session.machine.stateHash()]);
    }
    expect(session.run().reason).toBe("ended");
    for (const [position, hash] of places.reverse()) {
      expect(session.runBack()).toMatchObject({ reason: "break", position });
      expect(session.machine.stateHash()).toBe(hash);
    }
    expect(session.runBack()).toMatchObject({ reason: "start", position: session.start() });
  });

  it("goes on from where it stands, stepped there or not", () => {
    const { session, slot, label } = sessionOfSource(SOURCE);
    session.watch({ kind: "linear", address: label("loop"), access: "x" });
    session.run();
    session.step();
    expect(session.machine.regs(slot).rip).toBeGreaterThan(label("loop"));
    session.stepBack();
    expect(session.machine.regs(slot).rip).toBe(label("loop"));
    expect(session.run().hits).toHaveLength(1);
    expect(session.machine.regs(slot).general.rcx).toBe(4n);
  });

  it("can be on a guest-physical address", () => {
    const { session, slot, label, domid } = sessionOfSource(SOURCE);
    session.watch({ kind: "physical", domid, gpa: Number(label("loop")), access: "x" });
    expect(session.run().reason).toBe("break");
    expect(session.machine.regs(slot).rip).toBe(label("loop"));
  });
});

describe("a watch", () => {
  const hitsOf = (session: Session): string[] => {
    const all: string[] = [];
    for (let stop = session.run(); stop.reason === "break"; stop = session.run())
      for (const hit of stop.hits) all.push(`${hit.kind} ${hit.gpa.toString(16)} ${hit.size}`);
    return all;
  };

  it("stops right after each write", () => {
    const { session, slot, domid } = sessionOfSource(SOURCE);
    session.watch({ kind: "linear", address: 0x30_0000n, bytes: 4, access: "w" });
    for (let left = 5; left >= 1; left--) {
      const stop = session.run();
      expect(stop.hits).toMatchObject([{ kind: "write", slot, linear: 0x30_0000n, gpa: 0x30_0000, size: 4 }]);
      expect(session.machine.peek(domid, 0x30_0000, 1)[0]).toBe(left);
      // One instruction back the write has not happened.
      session.stepBack();
      expect(session.machine.peek(domid, 0x30_0000, 1)[0]).toBe(left === 5 ? 0 : left + 1);
      session.step();
    }
    expect(session.run().reason).toBe("ended");
  });

  it("tells reads from writes, and sees both of a read-modify-write", () => {
    const reads = sessionOfSource(SOURCE);
    reads.session.watch({ kind: "linear", address: 0x30_0000n, bytes: 4, access: "r" });
    expect(hitsOf(reads.session)).toEqual(Array.from({ length: 5 }, () => "read 300000 4"));
    const both = sessionOfSource(SOURCE);
    both.session.watch({ kind: "physical", domid: both.domid, gpa: 0x30_0008, bytes: 4, access: "rw" });
    const hits = hitsOf(both.session);
    expect(hits.length).toBeGreaterThanOrEqual(5);
    expect(hits.every((h) => h === "write 300008 4" || h === "read 300008 4")).toBe(true);
  });

  it("sees a byte in the middle of REP STOS, of an access over a page border, and of a device", () => {
    const string = sessionOfSource(SOURCE);
    string.session.watch({ kind: "linear", address: 0x30_2345n, access: "w" });
    expect(hitsOf(string.session)).toEqual(["write 302344 4"]);
    const border = sessionOfSource(SOURCE);
    border.session.watch({ kind: "physical", domid: border.domid, gpa: 0x30_3001, access: "r" });
    expect(hitsOf(border.session)).toEqual(["read 303000 2"]);
    const device = sessionOfSource(SOURCE);
    device.session.watch({ kind: "physical", domid: device.domid, gpa: 0xfe00_0000, bytes: 4, access: "w" });
    expect(hitsOf(device.session)).toEqual(["write fe000000 4"]);
  });

  it("sees exits and p2m changes", async () => {
    const { session } = await record("mmio", CLOSE);
    const id = session.watch({ kind: "exit", reason: "EPT_VIOLATION" });
    const stop = session.run();
    expect(stop).toMatchObject({ reason: "break", hits: [{ id, kind: "exit", size: 48 }] });
    session.unwatch(id);
    session.goTo(session.start());
    session.watch({ kind: "p2m" });
    const change = session.run();
    if (change.reason === "break") expect(change.hits[0]!.kind).toBe("p2m");
    expect(["break", "ended"]).toContain(change.reason);
  });

  it("refuses what means nothing", () => {
    const { session } = sessionOfSource(SOURCE);
    const wrong = (spec: WatchSpec) => expect(() => session.watch(spec)).toThrow(UsageError);
    wrong({ kind: "linear", address: -1n, access: "r" });
    wrong({ kind: "linear", address: 0n, bytes: 0, access: "r" });
    wrong({ kind: "linear", address: 0n, access: "" as "r" });
    wrong({ kind: "exit", reason: "EPT_VIOLATON" });
    expect(session.watches()).toEqual([]);
  });
});

it("finds the last write of an address, by a guest or by others", () => {
  const { session, slot, domid, label } = sessionOfSource(SOURCE);
  session.run();
  const end = session.position();
  const write = session.lastWrite(domid, 0x30_0000, 4)!;
  expect(write).toMatchObject({ by: "guest", slot, rip: label("loop") });
  expect(session.position()).toEqual(end);
  session.goTo(write.before);
  expect(session.machine.peek(domid, 0x30_0000, 1)[0]).toBe(2);
  session.goTo(write.position);
  expect(session.machine.peek(domid, 0x30_0000, 1)[0]).toBe(1);
  expect(session.lastWrite(domid, 0x30_0000, 4)!.position).toEqual(write.position);
  session.goTo(session.frontier());
  expect(session.lastWrite(domid, 0x70_0000)).toBeUndefined();
});

describe("nothing that a guest can see depends on watches", () => {
  const watches: readonly WatchSpec[] = [
    { kind: "linear", address: 0x10_0000n, bytes: 0x4000, access: "rwx" },
    { kind: "linear", address: 0x20_0000n, bytes: 0x10_0000, access: "rw" },
    { kind: "exit", reason: "IO_INSTRUCTION" },
    { kind: "exit", reason: "CPUID" },
    { kind: "p2m" },
  ];
  it.each(["hello", "timer", "smp-spinlock", "long-mode", "rep-mmio", "exceptions", "cow"])("%s", async (name) => {
    // A small TLB: an access that is looked at must not change what is evicted.
    const knobs = { "tlb.entries": 16 };
    const { session } = await record(name, CLOSE, { knobs });
    for (const spec of watches) session.watch(spec);
    let stops = 0;
    while (stops < 400 && session.run({ maxInstructions: 20_000 }).reason === "break") stops++;
    expect(stops).toBeGreaterThan(20);
    session.step(1000);
    const { machine } = await boot(name, { knobs });
    machine.advance({ time: session.position().time });
    expect([session.machine.stateHash(), session.machine.traceHash()]).toEqual([
      machine.stateHash(),
      machine.traceHash(),
    ]);
  });
});
