/**
 * Interrupt lines of an HVM domain, as its guest sees them: the I/O APIC's registers, ISA and PCI lines and links of device models, the
 * power button's SCI taken by a handler, level-triggered pins that send again, and the records of an HVM context.
 */
import { beforeEach, describe, expect, it } from "vitest";
import { asm, assemble } from "../../guests/asm/assembler.ts";
import { DOMCTL_GETHVMCONTEXT_PARTIAL, DOMCTL_SENDTRIGGER, SENDTRIGGER_POWER } from "../../hv-core/abi/domctl.ts";
import { EINVAL, ENOENT } from "../../hv-core/abi/errno.ts";
import {
  DMOP_SET_ISA_IRQ_LEVEL,
  DMOP_SET_PCI_INTX_LEVEL,
  DMOP_SET_PCI_LINK_ROUTE,
  DOMCTL_DESTROYDOMAIN,
  HC_DM_OP,
} from "../../hv-core/abi/hypercalls.ts";
import { CALLER_CODE, CALLER_RESULT, type Caller, makeCaller } from "./caller.ts";
import { type Door, OUT, openDoor } from "./door.ts";

const HVM = 0x3ff;
const IOAPIC = 0xfec00000;
const LAPIC = 0xfee00000;
const PM = 0x1f40;
const SCI = 9;
const MASKED = 1 << 16;
const LEVEL = 1 << 15;
const REMOTE_IRR = 1 << 14;
let door: Door;
let guest: Caller;

beforeEach(() => {
  door = openDoor();
  guest = makeCaller(door, 0, HVM);
});

const code = (source: string): Uint8Array =>
  assemble(`bits 32\norg 0x${CALLER_CODE.toString(16)}\n${source}`).sections[0]!.bytes;
const run = (source: string): number => guest.run(code(source));
const done = (register = "eax"): string => asm`
        mov [${CALLER_RESULT}], ${register}
`;
/** Selects a register of the I/O APIC and writes, or reads, it. */
const write = (register: number, value: number): string => asm`
        mov dword [${IOAPIC}], ${register}
        mov dword [${IOAPIC + 0x10}], ${value >>> 0}
`;
const read = (register: number): number =>
  run(asm`
        mov dword [${IOAPIC}], ${register}
        mov eax, [${IOAPIC + 0x10}]
${done()}`) >>> 0;
const entryOf = (pin: number): number => 0x10 + pin * 2;
const setEntry = (pin: number, low: number): number => run(write(entryOf(pin), low) + done("esp"));

/** A word of the local APIC's 256 bits at `group` (IRR 0x200, ISR 0x100). */
const lapic = (group: number, vector: number): number =>
  (run(asm`
        mov eax, [${LAPIC + group + (vector >> 5) * 16}]
${done()}`) >>>
    (vector & 31)) &
  1;
const isRequested = (vector: number): number => lapic(0x200, vector);
const enableLapic = asm`
        mov dword [${LAPIC + 0xf0}], 0x1ff
`;

function dmOp(op: number, bytes: readonly number[], domid = guest.domid): number {
  const at = door.put(0x7000, 64, [[0, 4, op], ...bytes.map((byte, i) => [8 + i, 1, byte] as const)]);
  const list = door.put(0x7100, 16, [
    [0, 8, at],
    [8, 8, 64],
  ]);
  return door.call(HC_DM_OP, domid, 1, list);
}
const isa = (irq: number, level: number): number => dmOp(DMOP_SET_ISA_IRQ_LEVEL, [irq, level]);
const pci = (device: number, intx: number, level: number): number =>
  dmOp(DMOP_SET_PCI_INTX_LEVEL, [0, 0, 0, device, intx, level]);
const route = (link: number, irq: number): number => dmOp(DMOP_SET_PCI_LINK_ROUTE, [link, irq]);
const press = (): number => door.domctl(DOMCTL_SENDTRIGGER, guest.domid, [[0, 4, SENDTRIGGER_POWER]]);

describe("registers", () => {
  it("version 0x11 with 48 pins, an id of four bits, every pin masked", () => {
    expect(read(1)).toBe(0x2f0011);
    run(write(0, 0xff00_0000) + done("esp"));
    expect([read(0), read(2)]).toEqual([0x0f00_0000, 0x0f00_0000]);
    for (const pin of [0, 9, 47]) expect([read(entryOf(pin)), read(entryOf(pin) + 1)]).toEqual([MASKED, 0]);
    expect([read(3), read(entryOf(48)), read(0xff)]).toEqual([0, 0, 0]);
  });

  it("entries keep what is written, but for delivery status and remote IRR", () => {
    run(write(entryOf(5), 0xffff_ffff) + write(entryOf(5) + 1, 0x1200_0000) + done("esp"));
    expect([read(entryOf(5)), read(entryOf(5) + 1)]).toEqual([0xffff_afff, 0x1200_0000]);
  });

  it("a domain without one (PVH) has nothing there", () => {
    guest = makeCaller(door);
    expect(read(1)).toBe(0xffff_ffff);
    expect([isa(SCI, 1), pci(3, 0, 1), route(0, 5)]).toEqual([0, 0, 0]);
  });
});

describe("lines of device models", () => {
  it("an edge sends the pin's vector, once", () => {
    run(enableLapic + write(entryOf(4), 0x54) + done("esp"));
    expect(isa(4, 1)).toBe(0);
    expect(isRequested(0x54)).toBe(1);
    setEntry(4, 0x55);
    expect([isa(4, 1), isRequested(0x55)]).toEqual([0, 0]); // it is high already
    isa(4, 0);
    isa(4, 1);
    expect(isRequested(0x55)).toBe(1);
  });

  it("a masked pin sends nothing; ISA line 0 is pin 2", () => {
    run(enableLapic + write(entryOf(3), MASKED | 0x53) + write(entryOf(2), 0x52) + done("esp"));
    isa(3, 1);
    isa(0, 1);
    expect([isRequested(0x53), isRequested(0x52)]).toEqual([0, 1]);
  });

  it("a masked level-triggered pin that is asserted sends when it is unmasked", () => {
    run(enableLapic + write(entryOf(10), MASKED | LEVEL | 0x5a) + done("esp"));
    isa(10, 1);
    expect(isRequested(0x5a)).toBe(0);
    setEntry(10, LEVEL | 0x5a);
    expect([isRequested(0x5a), read(entryOf(10)) & REMOTE_IRR]).toEqual([1, REMOTE_IRR]);
  });

  it("a PCI line has a pin of its own, and its link leads it to an ISA line", () => {
    const pin = ((3 * 4 + 0 + 1) % 32) + 16;
    run(enableLapic + write(entryOf(pin), LEVEL | 0x61) + write(entryOf(11), LEVEL | 0x62) + done("esp"));
    expect(route(0, 11)).toBe(0); // device 3, INTB: link (3 + 1) mod 4
    expect(pci(3, 1, 1)).toBe(0);
    expect([isRequested(0x61), isRequested(0x62)]).toEqual([1, 1]);
  });

  it("a link that is asserted moves to its new line", () => {
    run(enableLapic + write(entryOf(10), LEVEL | 0x63) + done("esp"));
    pci(3, 1, 1);
    expect(isRequested(0x63)).toBe(0);
    route(0, 10);
    expect(isRequested(0x63)).toBe(1);
  });

  it("two lines on one pin: it stays asserted until both are let go", () => {
    route(0, 5);
    isa(5, 1);
    pci(0, 0, 1);
    isa(5, 0);
    run(enableLapic + write(entryOf(5), LEVEL | 0x65) + done("esp"));
    expect(isRequested(0x65)).toBe(1);
    pci(0, 0, 0);
    setEntry(5, MASKED | LEVEL | 0x66);
    run(asm`
        mov dword [${IOAPIC + 0x40}], 0x66
${done("esp")}`);
    setEntry(5, LEVEL | 0x66);
    expect(isRequested(0x66)).toBe(0);
  });

  it("what cannot be is -EINVAL", () => {
    expect([isa(16, 1), isa(1, 2), pci(32, 0, 1), pci(0, 4, 1), pci(0, 0, 2), route(4, 1), route(0, 16)]).toEqual(
      Array.from({ length: 7 }, () => -EINVAL),
    );
  });
});

/** A handler at 0x50: counts in ebx, clears the button's status when it is told to, ends the interrupt. */
const withHandler = (body: string, handler: string): string => asm`
        lgdt [gdtr]
        jmp 8:loaded
loaded: mov esp, 0x3000
        mov eax, handler
        mov [idt + 0x50*8], ax
        mov word [idt + 0x50*8 + 2], 8
        mov word [idt + 0x50*8 + 4], 0x8e00
        shr eax, 16
        mov [idt + 0x50*8 + 6], ax
        lidt [idtr]
        xor ebx, ebx
${body}
handler:
${handler}
        mov dword [${LAPIC + 0xb0}], 0
        iretd
        align 8
gdt:    dq 0, 0x00cf9a000000ffff
gdtr:   dw 15
        dd gdt
idtr:   dw 0x287
        dd idt
        align 8
idt:
`;

describe("the power button", () => {
  const prepare = (): void => {
    run(asm`
${enableLapic}
        mov dx, ${PM + 2}
        mov ax, 0x100
        out dx, ax
${write(entryOf(SCI), LEVEL | 0x50)}
${done("esp")}`);
  };

  it("is an SCI that the guest's handler takes, reads and clears", () => {
    prepare();
    expect(press()).toBe(0);
    const status = run(
      withHandler(
        asm`
        sti
        nop
        cli
        mov [${CALLER_RESULT}], ebx
stop:   jmp stop`,
        asm`
        mov dx, ${PM}
        in ax, dx
        movzx ebx, ax
        out dx, ax`,
      ),
    );
    expect(status).toBe(0x100);
    expect([read(entryOf(SCI)) & REMOTE_IRR, lapic(0x100, 0x50)]).toEqual([0, 0]);
  });

  it("comes again as long as the status bit is set", () => {
    prepare();
    press();
    const times = run(
      withHandler(
        asm`
        mov ecx, 4
again:  sti
        nop
        cli
        dec ecx
        jnz again
        mov [${CALLER_RESULT}], ebx
stop:   jmp stop`,
        asm`
        inc ebx`,
      ),
    );
    expect(times).toBeGreaterThanOrEqual(4);
  });

  it("without its enable bit is only a status bit; enabling it later asserts the line", () => {
    run(enableLapic + write(entryOf(SCI), LEVEL | 0x50) + done("esp"));
    press();
    expect(isRequested(0x50)).toBe(0);
    guest.port16(PM + 2, 0x100);
    expect(isRequested(0x50)).toBe(1);
  });

  it("wakes a guest that has halted", () => {
    prepare();
    const start = code(
      withHandler(
        asm`
        sti
        hlt
        mov [${CALLER_RESULT}], ebx
stop:   jmp stop`,
        asm`
        mov ebx, 77
        mov dx, ${PM}
        mov ax, 0x100
        out dx, ax`,
      ),
    );
    expect(guest.run(start)).toBe(0x5555_5555); // nothing has happened yet
    press();
    expect(guest.resume()).toBe(77);
  });
});

describe("HVM context", () => {
  const record = (type: number): number => {
    door.put(OUT, 512, []);
    return door.domctl(DOMCTL_GETHVMCONTEXT_PARTIAL, guest.domid, [
      [0, 4, type],
      [8, 8, 512],
      [16, 8, OUT],
    ]);
  };

  it("has the I/O APIC, the lines and the links", () => {
    setEntry(7, LEVEL | 0x77);
    isa(7, 1);
    pci(1, 2, 1);
    route(2, 6);
    expect(record(4)).toBe(0);
    expect([door.result64(8), door.u64(OUT), door.u64(OUT + 16 + 7 * 8)]).toEqual([
      400n,
      BigInt(IOAPIC),
      BigInt(LEVEL | REMOTE_IRR | 0x77),
    ]);
    expect([record(8), door.u64(OUT)]).toEqual([0, 0x80n]);
    expect([record(7), door.u64(OUT)]).toEqual([0, 0x40n]);
    expect([record(9), door.u32(OUT)]).toEqual([0, 0x60000]);
  });

  it("a domain without an I/O APIC has no record of one", () => {
    guest = makeCaller(door);
    expect(record(4)).toBe(-ENOENT);
    expect([record(8), door.u64(OUT)]).toEqual([0, 0n]);
  });
});

it("its memory comes back with the domain", () => {
  guest.release();
  door.domctl(DOMCTL_DESTROYDOMAIN, guest.domid);
  const before = door.freeFrames();
  const other = makeCaller(door, 0, HVM);
  other.release();
  expect(door.domctl(DOMCTL_DESTROYDOMAIN, other.domid)).toBe(0);
  expect(door.freeFrames()).toBe(before);
});
