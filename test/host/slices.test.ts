/** A guest cannot tell in which slices its machine is run, stepped, saved or restored: the same hashes come out. */
import { describe, expect, it } from "vitest";
import { asm, assemble } from "../../guests/asm/assembler.ts";
import { enterLongMode, start } from "../../guests/lib/boot.ts";
import { openGuest } from "../../host/cli/guest-source.ts";
import type { DomId } from "../../host/lib/ids.ts";
import type { GuestImage } from "../../host/lib/loader/image.ts";
import { createMachine, type Machine } from "../../host/lib/machine.ts";
import { compileBuild } from "../../host/node/wasm.ts";

const wasm = compileBuild("release");
const BUDGET = 5_000_000;
const MIB = 2 ** 20;

interface Started {
  readonly machine: Machine;
  readonly domid: DomId;
}

function startImage(image: GuestImage, memoryBytes: number, vcpus: number): Started {
  const machine = createMachine(wasm, { memoryBytes, vcpus, knobs: { "device.at": 0 } });
  const { domid } = machine.createGuest({ image, memoryBytes, vcpus, cmdline: "", modules: [] });
  return { machine, domid };
}

async function startGuest(name: string): Promise<Started> {
  const { image, memoryBytes, vcpus } = await openGuest(name, false);
  return startImage(image, memoryBytes, vcpus);
}

function startSource(source: string, vcpus: number): Started {
  const segments = assemble(source).sections.map((s) => ({ gpa: s.address, data: s.bytes, memBytes: s.bytes.length }));
  return startImage({ format: "pvh", description: "test", entry: 0x10_0000, segments }, 8 * MIB, vcpus);
}

const summary = ({ machine, domid }: Started) => ({
  end: machine.ended(domid),
  instructions: machine.stats().instructions,
  traceHash: machine.traceHash(),
  stateHash: machine.stateHash(),
});

/** Slices of 1 to 1000 ticks, in an order that looks random. */
function* slices(): Generator<number> {
  for (let state = 1; ; state = (state * 48271) % 0x7fff_ffff) yield 1 + (state % 1000);
}

/** Runs to the end in slices; `between` is called after each. */
function runSliced(machine: Machine, between: () => void = () => {}): void {
  for (const maxInstructions of slices()) {
    if (machine.run({ maxInstructions }).kind !== "budget") return;
    between();
  }
}

describe.each(["smp-spinlock", "timer", "rep-mmio"])("guest %s", (name) => {
  it("ends in the same state in slices, and with snapshots in between", async () => {
    const whole = await startGuest(name);
    whole.machine.run({ maxInstructions: BUDGET });
    const expected = summary(whole);

    const sliced = await startGuest(name);
    runSliced(sliced.machine);
    expect(summary(sliced)).toEqual(expected);

    const saved = await startGuest(name);
    let turn = 0;
    runSliced(saved.machine, () => {
      if (turn++ % 40 !== 0) return;
      const snapshot = saved.machine.snapshot();
      saved.machine.run({ maxInstructions: 500 });
      saved.machine.restore(snapshot);
    });
    expect(summary(saved)).toEqual(expected);
  });
});

it("ends in the same state step by step", async () => {
  const whole = await startGuest("mmio");
  whole.machine.run({ maxInstructions: BUDGET });
  const stepped = await startGuest("mmio");
  const slot = stepped.machine.vcpus(stepped.domid)[0]!;
  while (stepped.machine.step(slot).kind === "ran");
  expect(summary(stepped)).toEqual(summary(whole));
});

it("leaves nothing behind of what happened after a snapshot", async () => {
  const { machine } = await startGuest("hello");
  const snapshot = machine.snapshot();
  const hash = machine.stateHash();
  const { image } = await openGuest("hello", false);
  machine.createGuest({ image, memoryBytes: 2 * MIB, vcpus: 2, cmdline: "", modules: [] });
  machine.run({ maxInstructions: 1000 });
  machine.restore(snapshot);
  expect(machine.stateHash()).toBe(hash);
});

it("does not count looking at a machine that has ended as something that happened", async () => {
  const { machine } = await startGuest("hello");
  machine.run({ maxInstructions: BUDGET });
  const hash = machine.traceHash();
  expect(machine.run({ maxInstructions: 1000 }).kind).toBe("ended");
  expect(machine.traceHash()).toBe(hash);
});

it("takes a waiting interrupt as soon as MOV CR8 lets it in", () => {
  const started = startSource(
    asm`
        org 0x100000
${start()}
main:
${enterLongMode("long")}
        bits 64
long:   mov eax, handler
        mov edi, 0x60400                ; gate 0x40
        mov [rdi], eax
        mov word [rdi+2], 0x18
        mov dword [rdi+4], 0x108e00
        lidt [idt]
        mov ebx, 0xfee00000
        mov dword [rbx+0xf0], 0x1ff
        mov eax, 15
        mov cr8, rax
        mov dword [rbx+0x300], 0x44040  ; to itself
        sti
        xor eax, eax
        xor ecx, ecx
        mov cr8, rax
.spin:  inc ecx
        jmp .spin
handler: mov al, 0
        out 0xf4, al
idt:    dw 0xfff
        dq 0x60000
        zero 4096
stack_top:
`,
    1,
  );
  started.machine.run({ maxInstructions: 100_000 });
  expect(started.machine.ended(started.domid)?.outcome).toBe("poweroff");
  expect(started.machine.regs(started.machine.vcpus(started.domid)[0]!).general.rcx).toBe(0n);
});

it("lets no hypercall take more than its time", () => {
  const started = startSource(
    asm`
        org 0x100000
${start()}
main:   mov edi, 0x200000               ; 1024 entries of a call that does not exist
        mov ecx, 0x2000
        xor eax, eax
        cld
        rep stosd
.again: mov eax, 13
        mov ebx, 0x200000
        mov ecx, 0x400
        vmmcall
        jmp .again
        zero 4096
stack_top:
`,
    1,
  );
  expect(started.machine.run({ maxInstructions: 300_000 }).kind).toBe("budget");
  expect(started.machine.stats().counters.hypercalls).toBeLessThan(320_000);
});
