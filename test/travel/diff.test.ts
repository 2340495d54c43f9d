/** Differences between places, looking at TLBs and ioreq servers, what was typed, and a session in a worker. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { asm } from "../../guests/asm/assembler.ts";
import { start } from "../../guests/lib/boot.ts";
import { ROOT } from "../../host/node/paths.ts";
import { record, sessionOfSource } from "./support.ts";

const CLOSE = { interval: 1000, checkpoints: 12 };

describe("diff", () => {
  it("is empty between equal places, and tells registers and memory", () => {
    const { session, slot, domid, label } = sessionOfSource(asm`
        org 0x100000
${start()}
main:   mov eax, 0x11223344
store:  mov [0x300ffe], eax
        mov byte [0x305000], 7
done:   jmp done
        zero 4096
stack_top:
`);
    session.watch({ kind: "linear", address: label("store"), access: "x" });
    const before = session.run().position;
    session.step(2);
    const after = session.position();
    expect(session.diff(before, before)).toEqual({ registers: [], memory: [], isMemoryCut: false, p2m: [], slots: [] });
    const diff = session.diff(before, after);
    expect(session.position()).toEqual(after);
    expect(diff.registers).toMatchObject([{ slot, name: "rip", before: label("store"), after: label("done") }]);
    expect(diff.memory).toEqual([
      { domid, gpa: 0x30_0ffe, before: Uint8Array.of(0, 0), after: Uint8Array.of(0x44, 0x33) },
      { domid, gpa: 0x30_1000, before: Uint8Array.of(0, 0), after: Uint8Array.of(0x22, 0x11) },
      { domid, gpa: 0x30_5000, before: Uint8Array.of(0), after: Uint8Array.of(7) },
    ]);
    const back = session.diff(after, before);
    expect(back.memory.map((m) => m.after)).toEqual(diff.memory.map((m) => m.before));
  });

  it("tells p2m entries that came and went", async () => {
    const { session, domid } = await record("balloon", CLOSE);
    session.run();
    const changes = session.timeline({ names: ["p2m_set"] }).filter((e) => e.a === domid && e.at > 0);
    expect(changes.length).toBeGreaterThan(0);
    const change = changes[0]!;
    session.seekTime(change.at);
    const after = session.position();
    session.stepBack();
    const before = session.position();
    const { p2m } = session.diff(before, after);
    expect(p2m.length).toBeGreaterThan(0);
    expect(p2m[0]).toMatchObject({ domid });
    expect(p2m.some((r) => r.before?.type !== r.after?.type || r.before?.mfn !== r.after?.mfn)).toBe(true);
  });
});

describe("a watch of the p2m", () => {
  it("stops at each change of the gfns asked for, and not at others", async () => {
    const { session, domid } = await record("balloon", CLOSE);
    session.run();
    const sets = session.timeline({ names: ["p2m_set"] }).filter((e) => e.a === domid && e.at > 0);
    const gfn = Number(sets[0]!.b & 0xffff_ffffn);
    const order = Number(sets[0]!.b >> 48n);
    // A hypercall may take its time: the next boundary is where a machine can stand.
    const placeOf = (time: number): number => session.seekTime(time).position.time;
    const about = sets.filter((e) => {
      const first = Number(e.b & 0xffff_ffff_ffffn);
      return first < gfn + 2 ** order && gfn < first + 2 ** Number(e.b >> 48n);
    });
    const places = [...new Set([...new Set(about.map((e) => e.at))].map(placeOf))];
    session.goTo(session.start());
    session.watch({ kind: "p2m", domid, gfn, pages: 2 ** order });
    const stop = session.run();
    expect(stop.reason).toBe("break");
    expect(stop.hits[0]).toMatchObject({ kind: "p2m", gpa: gfn * 4096, size: 2 ** order });
    const stops = [stop.position.time];
    for (let s = session.run(); s.reason === "break"; s = session.run()) stops.push(s.position.time);
    expect(stops).toEqual(places);
  });
});

describe("looking", () => {
  it("sees a request in its slot while the device model has not answered, and ranges", async () => {
    const { session, domid } = await record("mmio", CLOSE);
    session.run();
    const states = session.timeline({ names: ["ioreq_state"] });
    expect(states.length).toBeGreaterThan(10);
    const [server] = session.machine.ioreq(domid);
    expect(server).toMatchObject({ id: 0, emulator: 0, isEnabled: true });
    expect(server!.ranges).toContainEqual({ space: "port", start: 0xf4n, end: 0xf4n });
    expect(server!.ranges.some((r) => r.space === "memory" && r.start === 0xfe00_0000n)).toBe(true);
    expect(server!.slots).toHaveLength(1);
  });

  it("marks TLB entries that a walk would not give any more", async () => {
    const { session, domid } = await record("mmio", CLOSE);
    session.seek(500);
    const [slot] = session.machine.vcpus(domid);
    const entries = session.machine.tlb(slot!);
    expect(entries.length).toBeGreaterThan(0);
    for (const e of entries) {
      expect(e.supervisor).toMatch(/^[r-][w-][x-]$/);
      expect(e.isStale).toBe(false);
    }
    const { core } = session.machine;
    const steps = session.machine.walk(domid, Number(entries[0]!.page));
    const leaf = steps.at(-1)!;
    const at = 0x1000_0000 + leaf.tableMfn * 4096 + leaf.index * 8;
    const saved = core.view.getBigUint64(at, true);
    core.view.setBigUint64(at, 0n, true);
    expect(session.machine.tlb(slot!).find((e) => e.index === entries[0]!.index)!.isStale).toBe(true);
    core.view.setBigUint64(at, saved, true);
  });
});

const ECHO = asm`
        org 0x100000
${start()}
main:   mov dx, 0x3fd
        in al, dx
        test al, 1
        jz main
        mov dx, 0x3f8
        in al, dx
        mov [0x300000], al
        out dx, al
        inc ecx
        jmp main
        zero 4096
stack_top:
`;

describe.each([0, 1])("what was typed, with device.at=%i", (at) => {
  it("comes again at the same place when the run is replayed", () => {
    const { session, domid } = sessionOfSource(ECHO, { "device.at": at });
    const text = "a text that is longer than the queue of a UART: forty-two and some more characters\n";
    session.run({ maxInstructions: 777 });
    session.type(domid, new TextEncoder().encode(text));
    session.run({ maxInstructions: 30_000 });
    session.type(domid, new TextEncoder().encode("!"));
    session.run({ maxInstructions: 60_000 });
    const end = session.position();
    const expected = [session.machine.stateHash(), session.machine.console()];
    expect(session.machine.console()).toContain(`${text}!`);
    for (const n of [10, 5000, 800, 40_000]) {
      session.seek(n);
      session.goTo(end);
      expect([session.machine.stateHash(), session.machine.console()]).toEqual(expected);
    }
    // The last write of the byte is the exclamation mark's.
    const write = session.lastWrite(domid, 0x30_0000)!;
    session.goTo(write.position);
    expect(session.machine.peek(domid, 0x30_0000, 1)[0]).toBe("!".charCodeAt(0));
    session.goTo(write.before);
    expect(session.machine.peek(domid, 0x30_0000, 1)[0]).toBe("\n".charCodeAt(0));
  });
});

it("does what is done at the end again at the end", async () => {
  const { session, domid } = await record("hello", CLOSE);
  session.run();
  session.type(domid, new TextEncoder().encode("too late"));
  const hash = session.machine.stateHash();
  session.goTo(session.start());
  session.goTo(session.frontier());
  expect(session.machine.stateHash()).toBe(hash);
});

it("finds what the outside wrote", async () => {
  const { session, domid } = sessionOfSource(ECHO);
  session.run({ maxInstructions: 5000 });
  session.act("a write from outside", (m) => {
    const mfn = m.walk(domid, 0x40_0000).at(-1)!.decoded.mfn;
    m.core.u8[0x1000_0000 + mfn * 4096 + (0x40_0000 % 2 ** 21)] = 9;
  });
  const place = session.position();
  session.run({ maxInstructions: 5000 });
  const write = session.lastWrite(domid, 0x40_0000)!;
  expect(write.by).toBe("outside");
  expect(write.position.time).toBe(place.time);
});

it("works in a worker, without a DOM", async () => {
  const dist = (path: string): string => pathToFileURL(join(ROOT, "dist/host", path)).href;
  const code = `
    const { parentPort } = await import("node:worker_threads");
    const { createMachine } = await import("${dist("lib/machine.js")}");
    const { openSession } = await import("${dist("lib/travel/session.js")}");
    const { loadImage } = await import("${dist("lib/loader/detect.js")}");
    const { loadGuest } = await import("${dist("node/guests.js")}");
    const { compileBuild } = await import("${dist("node/wasm.js")}");
    const memoryBytes = 64 * 2 ** 20;
    const machines = [0, 1].map(() => createMachine(compileBuild("release"), { memoryBytes, vcpus: 1 }));
    const image = loadImage((await loadGuest("hello")).build()).value;
    const hashes = machines.map((machine) => {
      machine.createGuest({ image, memoryBytes, vcpus: 1, cmdline: "", modules: [] });
      const session = openSession(machine);
      session.run();
      session.seek(100);
      return machine.stateHash();
    });
    parentPort.postMessage(hashes);
  `;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
  const hashes = await new Promise<string[]>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  await worker.terminate();
  const { session } = await record("hello");
  session.run();
  session.seek(100);
  expect(hashes).toEqual([session.machine.stateHash(), session.machine.stateHash()]);
});
