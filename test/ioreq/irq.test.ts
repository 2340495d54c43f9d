/** The local APIC and what enters the guest: registers, priorities, timer, IPIs, errors, upcall vectors. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { loadUnits } from "../support/units.ts";

interface Exports {
  setup(vcpus: number): void;
  mmioRead(vcpu: number, offset: number, size: number): number;
  mmioWrite(vcpu: number, offset: number, size: number, value: number): void;
  claims(vcpu: number, gpa: bigint): number;
  setBase(vcpu: number, value: bigint): number;
  setFlags(vcpu: number, rflags: number, interruptibility: number): void;
  assist(vcpu: number): number;
  entered(vcpu: number): void;
  queueException(vcpu: number, event: number): void;
  window(vcpu: number): number;
  isPending(vcpu: number): number;
  setCallback(param: bigint): void;
  setUpcallPending(vcpu: number, value: number): void;
  setInjected(vcpu: number, event: number, error: number): void;
  setCr8(vcpu: number, value: number): void;
  pauseFlags(vcpu: number): number;
  setPauseFlags(vcpu: number, flags: number): void;
  rip(vcpu: number): number;
  csBase(vcpu: number): number;
  advance(ticks: bigint): void;
  msi(address: bigint, data: number): number;
}

const IF = 0x202;
const ID = 0x20;
const TPR = 0x80;
const PPR = 0xa0;
const EOI = 0xb0;
const SVR = 0xf0;
const ISR = 0x100;
const TMR = 0x180;
const IRR = 0x200;
const ESR = 0x280;
const ICR = 0x300;
const ICR2 = 0x310;
const LVT_TIMER = 0x320;
const LVT_ERROR = 0x370;
const INITIAL = 0x380;
const CURRENT = 0x390;
const DIVIDE = 0x3e0;
const VALID = 0x80000000;
const SELF = 1 << 18;
const ALL = 2 << 18;
const OTHERS = 3 << 18;
const DOWN = 1;
const BLOCKED = 2;
/** Virtual TSC of the unit build: 1 GHz, so 10 ticks are one cycle of the 100 MHz bus. */
const BUS = 10;

let c: Exports;
beforeAll(async () => {
  c = (await loadUnits<Exports>("irq", 1024)).exports;
});
beforeEach(() => {
  c.setup(4);
  c.setFlags(0, IF, 0);
  for (let v = 0; v < 4; v++) c.mmioWrite(v, SVR, 4, 0x1ff);
});

const read = (offset: number, vcpu = 0) => c.mmioRead(vcpu, offset, 4) >>> 0;
const write = (offset: number, value: number, vcpu = 0) => c.mmioWrite(vcpu, offset, 4, value);
const raise = (vector: number) => write(ICR, SELF | vector);
/** The vector that enters now; 0 for none. The processor has taken it. */
function take(vcpu = 0): number {
  const event = c.assist(vcpu) >>> 0;
  c.entered(vcpu);
  return event & 0xff;
}

describe("registers", () => {
  it("after reset", () => {
    c.setup(4);
    expect(read(ID, 3)).toBe(6 << 24);
    expect(read(0x30)).toBe(0x50014);
    expect(read(SVR)).toBe(0xff);
    expect(read(0xe0)).toBe(0xffffffff);
    expect(read(LVT_TIMER)).toBe(0x10000);
    expect(read(TPR)).toBe(0);
  });

  it("can be accessed inside their 32 bits only", () => {
    write(0xd0, 0x12345678);
    expect(c.mmioRead(0, 0xd3, 1)).toBe(0x12);
    expect(c.mmioRead(0, 0xd2, 2)).toBe(0x1200);
    expect(c.mmioRead(0, 0xd2, 4)).toBe(0);
    expect(c.mmioRead(0, 0xd4, 4)).toBe(0);
    c.mmioWrite(0, 0xd3, 1, 0xab);
    expect(read(0xd0)).toBe(0xab000000);
    c.mmioWrite(0, 0xd0, 8, 0);
    expect(read(0xd0)).toBe(0xab000000);
    expect(c.mmioRead(0, 0x3f0, 4)).toBe(0);
  });

  it("software disable masks the LVT", () => {
    write(LVT_TIMER, 0x20040);
    expect(read(LVT_TIMER)).toBe(0x20040);
    write(SVR, 0xff);
    expect(read(LVT_TIMER)).toBe(0x30040);
    write(LVT_TIMER, 0x40);
    expect(read(LVT_TIMER)).toBe(0x10040);
  });

  it("live in a page that follows the base MSR", () => {
    expect(c.claims(0, 0xfee00ff0n)).toBe(1);
    expect(c.claims(0, 0xfee01000n)).toBe(0);
    expect(c.setBase(0, 0xfed00900n)).toBe(1);
    expect(c.claims(0, 0xfed00020n)).toBe(1);
    expect(c.claims(0, 0xfee00020n)).toBe(0);
    expect(c.setBase(0, 0xfed00d00n)).toBe(0); // x2APIC is not offered
    expect(c.setBase(0, 0xfed00901n)).toBe(0);
    expect(c.setBase(0, 1n << 50n)).toBe(0);
    expect(c.setBase(0, 0xfed00100n)).toBe(1);
    expect(c.claims(0, 0xfed00020n)).toBe(0);
  });
});

describe("delivery", () => {
  it("moves a vector from IRR to ISR and back to nothing at EOI", () => {
    raise(0x41);
    expect(read(IRR + 0x20)).toBe(2);
    expect(c.assist(0) >>> 0).toBe((VALID | 0x41) >>> 0);
    c.entered(0);
    expect([read(IRR + 0x20), read(ISR + 0x20)]).toEqual([0, 2]);
    expect(read(PPR)).toBe(0x40);
    write(EOI, 0);
    expect(read(ISR + 0x20)).toBe(0);
  });

  it("nests by priority class", () => {
    raise(0x51);
    expect(take()).toBe(0x51);
    raise(0x5f);
    expect(take()).toBe(0);
    raise(0x61);
    expect(take()).toBe(0x61);
    write(EOI, 0);
    expect(take()).toBe(0);
    write(EOI, 0);
    expect(take()).toBe(0x5f);
  });

  it("waits for the task priority, written to the register or to CR8", () => {
    write(TPR, 0x60);
    raise(0x61);
    expect(take()).toBe(0);
    expect(c.isPending(0)).toBe(0);
    c.setCr8(0, 5);
    expect(read(TPR)).toBe(0x50);
    expect(take()).toBe(0x61);
  });

  it("waits for IF and for the shadow of STI, with the window open", () => {
    raise(0x41);
    c.setFlags(0, 2, 0);
    expect(take()).toBe(0);
    expect(c.window(0)).toBe(1);
    expect(c.isPending(0)).toBe(1);
    c.setFlags(0, IF, 1);
    expect(take()).toBe(0);
    c.setFlags(0, IF, 0);
    expect(take()).toBe(0x41);
    expect(c.window(0)).toBe(0);
  });

  it("goes behind an exception that is on its way", () => {
    raise(0x41);
    c.queueException(0, VALID | 0xb0d);
    expect(c.assist(0) & 0xff).toBe(13);
    expect(c.window(0)).toBe(1);
    c.entered(0);
    expect(take()).toBe(0x41);
  });

  it("opens the window for the next one", () => {
    raise(0x41);
    raise(0x51);
    expect(c.assist(0) & 0xff).toBe(0x51);
    expect(c.window(0)).toBe(0); // 0x41 has to wait for the end of 0x51
    c.entered(0);
    raise(0x61);
    expect(c.assist(0) & 0xff).toBe(0x61);
  });

  it("does nothing while the APIC is disabled", () => {
    raise(0x41);
    write(SVR, 0xff);
    expect(take()).toBe(0);
  });
});

describe("interprocessor interrupts", () => {
  it("reach the processors that are meant", () => {
    write(ICR2, 4 << 24);
    write(ICR, 0x42);
    expect([0, 1, 2, 3].map((v) => read(IRR + 0x20, v))).toEqual([0, 0, 4, 0]);
    write(ICR, OTHERS | 0x43);
    expect([0, 1, 2, 3].map((v) => read(IRR + 0x20, v))).toEqual([0, 8, 12, 8]);
    write(ICR, ALL | 0x44);
    expect(read(IRR + 0x20, 0)).toBe(16);
    for (let v = 0; v < 4; v++) write(0xd0, 1 << (24 + v), v);
    write(ICR2, 0b1010 << 24);
    write(ICR, (1 << 11) | 0x60);
    expect([0, 1, 2, 3].map((v) => read(IRR + 0x30, v))).toEqual([0, 1, 0, 1]);
    write(ICR2, 0xff << 24);
    write(ICR, 0x80);
    expect([0, 1, 2, 3].map((v) => read(IRR + 0x40, v))).toEqual([1, 1, 1, 1]);
  });

  it("remember level triggering and never show the busy bit", () => {
    write(ICR, SELF | (1 << 15) | (1 << 14) | (1 << 12) | 0x42);
    expect(read(TMR + 0x20)).toBe(4);
    expect(read(ICR) & (1 << 12)).toBe(0);
  });

  it("with an illegal vector are errors, shown after a write to ESR", () => {
    raise(5);
    expect(read(ESR)).toBe(0);
    write(ESR, 0);
    expect(read(ESR)).toBe(0x60);
    write(ESR, 0);
    expect(read(ESR)).toBe(0);
  });

  it("raise the error interrupt once, and an illegal error vector raises nothing", () => {
    write(LVT_ERROR, 0x71);
    raise(5);
    expect(take()).toBe(0x71);
    write(EOI, 0);
    write(ESR, 0);
    write(LVT_ERROR, 3);
    raise(5);
    expect(take()).toBe(0);
    write(ESR, 0);
    expect(read(ESR)).toBe(0x60);
  });

  it("wake a halted processor", () => {
    c.setPauseFlags(1, BLOCKED);
    write(ICR2, 2 << 24);
    write(ICR, 0x42);
    expect(c.pauseFlags(1)).toBe(0);
  });

  it("deliver NMIs whatever IF says, but not inside an NMI", () => {
    c.setFlags(0, 2, 0);
    write(ICR, SELF | (4 << 8));
    expect(c.assist(0) >>> 0).toBe((VALID | 0x202) >>> 0);
    c.entered(0);
    c.setFlags(0, 2, 8);
    write(ICR, SELF | (4 << 8));
    expect(take()).toBe(0);
    c.setFlags(0, 2, 0);
    expect(take()).toBe(2);
  });

  it("start an application processor with INIT and a start-up vector", () => {
    expect(c.pauseFlags(1) & DOWN).toBe(DOWN);
    write(ICR2, 2 << 24);
    write(ICR, (5 << 8) | (1 << 14));
    write(ICR, (6 << 8) | 0x9f);
    expect(c.pauseFlags(1) & DOWN).toBe(0);
    expect([c.csBase(1), c.rip(1)]).toEqual([0x9f000, 0]);
    write(ICR, (6 << 8) | 0x10); // it runs already
    expect(c.csBase(1)).toBe(0x9f000);
    write(ICR, (5 << 8) | (1 << 14));
    expect(c.pauseFlags(1) & DOWN).toBe(DOWN);
    write(ICR, (6 << 8) | 0x10);
    expect(c.csBase(1)).toBe(0x10000);
  });
});

describe("messages of device models (inject_msi)", () => {
  const LOGICAL = 4;
  const LOWEST = 1 << 8;
  const to = (destination: number, flags = 0): bigint => BigInt((destination << 12) | flags) | 0xfee0_0000n;
  /** Which processors have vector 0x42 waiting. */
  const waiting = (): number[] => [0, 1, 2, 3].filter((v) => read(IRR + 0x20, v) & 4);

  it("reach the processor with the identifier, or all of them, and enter the guest", () => {
    expect(c.msi(to(4), 0x42)).toBe(0);
    expect(waiting()).toEqual([2]);
    expect(c.msi(to(0xff), 0x42)).toBe(0);
    expect(waiting()).toEqual([0, 1, 2, 3]);
    expect([take(), read(ISR + 0x20)]).toEqual([0x42, 4]);
    write(EOI, 0);
    expect(c.msi(to(0), 0x43)).toBe(0);
    expect(take()).toBe(0x43);
  });

  it("reach a set of processors by their logical names", () => {
    for (let v = 0; v < 4; v++) write(0xd0, 1 << (24 + v), v);
    expect(c.msi(to(0b1010, LOGICAL), 0x42)).toBe(0);
    expect(waiting()).toEqual([1, 3]);
  });

  it("with lowest priority reach one of them: the one that is least busy", () => {
    for (let v = 0; v < 4; v++) write(0xd0, 1 << (24 + v), v);
    for (const [v, tpr] of [0x30, 0x20, 0x10, 0x20].entries()) write(TPR, tpr, v);
    expect(c.msi(to(0b1011, LOGICAL), 0x42 | LOWEST)).toBe(0);
    expect(waiting()).toEqual([1]);
  });

  it("remember level triggering, and wake a halted processor", () => {
    c.setPauseFlags(1, BLOCKED);
    expect(c.msi(to(2), 0x42 | (1 << 15))).toBe(0);
    expect([read(TMR + 0x20, 1), c.pauseFlags(1)]).toEqual([4, 0]);
  });

  it("to nobody: nothing for fixed delivery, -ESRCH for lowest priority", () => {
    expect(c.msi(to(0x77), 0x42)).toBe(0);
    expect(c.msi(to(0x77), 0x42 | LOWEST)).toBe(-3);
    expect(waiting()).toEqual([]);
  });

  it.each([2, 3, 4, 5, 6, 7])("delivery mode %i: -EINVAL, and nobody is reset or interrupted", (mode) => {
    expect(c.msi(to(0), 0x42 | (mode << 8))).toBe(-22);
    expect([waiting(), take()]).toEqual([[], 0]);
  });

  it("without a vector stand for a physical line", () => {
    expect([c.msi(0n, 0), c.msi(to(0xff), 0), c.msi(1n << 40n, 0), c.msi((1n << 64n) - 1n, 0)]).toEqual([
      -34, 0, -22, -22,
    ]);
    expect(waiting()).toEqual([]);
  });
});

describe("timer", () => {
  it("fires once in one-shot mode", () => {
    write(LVT_TIMER, 0x50);
    write(DIVIDE, 0xb); // by 1
    write(INITIAL, 100);
    c.advance(BigInt(40 * BUS));
    expect(read(CURRENT)).toBe(60);
    expect(take()).toBe(0);
    c.advance(BigInt(60 * BUS));
    expect(take()).toBe(0x50);
    expect(read(CURRENT)).toBe(0);
    write(EOI, 0);
    c.advance(BigInt(1000 * BUS));
    expect(take()).toBe(0);
  });

  it("keeps its phase in periodic mode, and divides", () => {
    write(LVT_TIMER, 0x20050);
    write(DIVIDE, 0x1); // by 4
    write(INITIAL, 100);
    for (let i = 0; i < 3; i++) {
      c.advance(BigInt(400 * BUS));
      expect(take()).toBe(0x50);
      write(EOI, 0);
    }
    c.advance(BigInt(1000 * BUS)); // two and a half periods at once: one interrupt
    expect(take()).toBe(0x50);
    write(EOI, 0);
    expect(take()).toBe(0);
    expect(read(CURRENT)).toBe(50);
    c.advance(BigInt(200 * BUS));
    expect(take()).toBe(0x50);
  });

  it("stops at a count of 0 and is silent while masked", () => {
    write(LVT_TIMER, 0x50);
    write(INITIAL, 10);
    write(INITIAL, 0);
    c.advance(100_000n);
    expect(take()).toBe(0);
    write(LVT_TIMER, 0x10050);
    write(INITIAL, 10);
    c.advance(100_000n);
    expect(take()).toBe(0);
  });

  it("survives every divide value and count", () => {
    for (let divide = 0; divide < 16; divide++) {
      write(DIVIDE, divide);
      for (const count of [1, 0xffffffff]) {
        write(INITIAL, count);
        c.advance(1n);
        read(CURRENT);
      }
    }
  });
});

describe("upcalls and injected events", () => {
  it("by the callback vector come as long as the guest sees an event pending", () => {
    c.setCallback((2n << 56n) | 0xf3n);
    c.setUpcallPending(0, 1);
    expect(take()).toBe(0xf3);
    expect(take()).toBe(0xf3);
    c.setUpcallPending(0, 0);
    expect(take()).toBe(0);
  });

  it("come before LAPIC interrupts and after NMIs", () => {
    c.setCallback((2n << 56n) | 0x30n);
    c.setUpcallPending(0, 1);
    raise(0xf0);
    write(ICR, SELF | (4 << 8));
    expect(take()).toBe(2);
    expect(take()).toBe(0x30);
    c.setUpcallPending(0, 0);
    expect(take()).toBe(0xf0);
  });

  it("other callback types inject nothing here", () => {
    c.setCallback((1n << 56n) | 0x20n);
    c.setUpcallPending(0, 1);
    expect(take()).toBe(0);
  });

  it("an event of a device model goes first and is lost behind another one", () => {
    c.setInjected(0, VALID | 0xb0d, 0x18);
    raise(0x41);
    expect(take()).toBe(13);
    expect(take()).toBe(0x41);
    c.queueException(0, VALID | 0x306);
    c.setInjected(0, VALID | 0xb0d, 0);
    expect(c.assist(0) & 0xff).toBe(6);
    c.entered(0);
    expect(take()).toBe(0);
  });
});
