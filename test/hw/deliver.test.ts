import { describe, expect, it } from "vitest";
import { EXIT_BUDGET, EXIT_TASK_SWITCH, EXIT_TRIPLE_FAULT } from "../../hv-core/abi/exits.ts";
import { FRAMES_BASE } from "../../hv-core/abi/layout.ts";
import {
  type Bits,
  CODE,
  cplOf,
  createKernel,
  flagsOf,
  GDT,
  IST_STACK,
  KERNEL_STACK,
  type Kernel,
  SEL_CODE0,
  SEL_CODE3,
  SEL_DATA0,
  SEL_DATA3,
  SEL_FREE,
  setFlags,
  TSS,
  TSS_STACK,
  USER_STACK,
} from "./kernel.ts";

const UD2 = [0x0f, 0x0b];
const INT3 = [0xcc];
const HLT = [0xf4];
const RF = 0x10000n;
const IDTR_LIMIT = 388;
const ENTRY_EVENT = 652;

const BOTH: readonly Bits[] = [32, 64];
/** Error code on top of the handler's stack. */
const error = (k: Kernel) => Number(k.stack(1)[0]);
const movSeg = (index: number, selector: number) => [
  0x66,
  0xb8,
  selector & 0xff,
  selector >> 8,
  0x8e,
  0xc0 | (index << 3),
];

describe.each(BOTH)("delivery, %i bit", (bits) => {
  it("pushes rip, cs, flags with RF for a fault, and for a trap the next rip", () => {
    const k = createKernel(bits);
    expect(k.run(0, [0x90, ...UD2])).toBe("vector 6");
    expect(k.stack(3)).toEqual([BigInt(CODE + 1), BigInt(SEL_CODE0), 2n | RF]);
    if (bits === 64) expect(k.stack(5).slice(3)).toEqual([BigInt(KERNEL_STACK), BigInt(SEL_DATA0)]);
    expect(k.run(0, INT3)).toBe("vector 3");
    expect(k.stack(3)).toEqual([BigInt(CODE + 1), BigInt(SEL_CODE0), 2n]);
  });

  it("switches to the stack of the TSS from user mode and comes back with IRET", () => {
    const k = createKernel(bits);
    k.setGate(0x30, { dpl: 3 });
    expect(k.run(3, [0xcd, 0x30, ...UD2])).toBe("vector 48");
    expect(k.stack(5)).toEqual([BigInt(CODE + 2), BigInt(SEL_CODE3), 2n, BigInt(USER_STACK), BigInt(SEL_DATA3)]);
    expect(k.rsp()).toBe(TSS_STACK - 5 * (bits / 8));
    expect(cplOf(k)).toBe(0);
    // iret instead of hlt
    k.board.u8.set(bits === 64 ? [0x48, 0xcf] : [0xcf], FRAMES_BASE + k.rip());
    k.board.exports.siliconFrameWritten(k.rip() >> 12);
    expect(k.resume()).toBe("vector 6");
    expect(k.stack(2)).toEqual([BigInt(CODE + 2), BigInt(SEL_CODE3)]);
  });

  it("clears IF through an interrupt gate and leaves it through a trap gate", () => {
    const k = createKernel(bits);
    for (const [type, expected] of [
      [14, 0],
      [15, 0x200],
    ] as const) {
      k.setGate(3, { type });
      k.start(0, INT3);
      setFlags(k, 0x200);
      expect(k.resume()).toBe("vector 3");
      expect(flagsOf(k) & 0x200).toBe(expected);
    }
  });

  it("checks the gate: DPL, present, type, limit", () => {
    const k = createKernel(bits);
    expect(k.run(3, [0xcd, 0x30])).toBe("vector 13");
    expect(error(k)).toBe(0x30 * 8 + 2);
    expect(k.run(3, INT3)).toBe("vector 13");
    expect(error(k)).toBe(3 * 8 + 2);
    k.setGate(0x30, { dpl: 3, present: false });
    expect(k.run(3, [0xcd, 0x30])).toBe("vector 11");
    expect(error(k)).toBe(0x30 * 8 + 2);
    k.setGate(0x30, { type: 12 });
    expect(k.run(0, [0xcd, 0x30])).toBe("vector 13");
    expect(error(k)).toBe(0x30 * 8 + 2);
    k.setGate(6, { present: false });
    expect(k.run(0, UD2)).toBe("vector 11");
    expect(error(k)).toBe(6 * 8 + 3); // EXT
    k.start(0, [0xcd, 0xff]);
    k.board.setWord(IDTR_LIMIT, 0x80 * (bits / 4) - 1);
    expect(k.resume()).toBe("vector 13");
    expect(error(k)).toBe(0xff * 8 + 2);
  });

  it("escalates to a double fault and to shutdown", () => {
    const k = createKernel(bits);
    k.setGate(13, { present: false });
    expect(k.run(3, [0xfa])).toBe("vector 8"); // cli: #GP, whose gate is absent: #NP on #GP
    expect(error(k)).toBe(0);
    expect(Number(k.stack(2)[1])).toBe(CODE);
    k.setGate(8, { present: false });
    expect(k.run(3, [0xfa])).toBe(`exit ${EXIT_TRIPLE_FAULT}`);
    k.start(0, UD2);
    k.board.setWord(IDTR_LIMIT, 0);
    expect(k.resume()).toBe(`exit ${EXIT_TRIPLE_FAULT}`);
  });

  it("checks segment loads", () => {
    const k = createKernel(bits);
    const load = (cpl: number, index: number, selector: number) => {
      const result = k.run(cpl, [...movSeg(index, selector), ...HLT]);
      return result.startsWith("hlt") ? "loaded" : `${result}(${error(k).toString(16)})`;
    };
    expect(load(0, 3, SEL_DATA0)).toBe("loaded");
    expect(load(0, 3, 0)).toBe("loaded");
    expect(load(0, 3, 0x80)).toBe("vector 13(80)"); // beyond the table
    expect(load(0, 3, 0x84)).toBe("vector 13(84)"); // no LDT
    expect(load(0, 3, 0x40)).toBe("vector 13(40)"); // a TSS
    expect(load(3, 3, SEL_DATA0)).toBe("vector 13(10)"); // too privileged
    expect(load(0, 2, 0)).toBe(bits === 64 ? "loaded" : "vector 13(0)");
    expect(load(0, 2, 3)).toBe("vector 13(0)");
    expect(load(0, 2, SEL_CODE0)).toBe("vector 13(8)");
    expect(load(0, 2, SEL_DATA3)).toBe("vector 13(20)");
    expect(load(0, 1, SEL_DATA0).slice(0, 8)).toBe("vector 6");
    k.setDescriptor(SEL_FREE, 0xc013); // data, not present
    expect(load(0, 3, SEL_FREE)).toBe("vector 11(50)");
    expect(load(0, 2, SEL_FREE)).toBe("vector 12(50)");
    k.setDescriptor(SEL_FREE, 0xc092);
    expect(load(0, 3, SEL_FREE)).toBe("loaded");
    expect(k.board.read64(GDT + SEL_FREE) & (1n << 40n)).not.toBe(0n); // accessed
  });

  it("delivers an injected interrupt, and reports an exit on the way as IDT-vectoring", () => {
    const k = createKernel(bits);
    k.start(0, HLT);
    k.board.setWord(ENTRY_EVENT, 0x8000_0041);
    expect(k.resume()).toBe("vector 65");
    expect(k.stack(1)[0]).toBe(BigInt(CODE));
    expect(k.board.word(ENTRY_EVENT)).toBe(0);
    k.start(0, HLT);
    k.board.exports.siliconMap((KERNEL_STACK >> 12) - 1, 0, 0);
    k.board.setWord(ENTRY_EVENT, 0x8000_0041);
    expect(k.resume()).toBe("exit 48");
    expect(k.board.word(712)).toBe(0x8000_0041); // exitIdtVectoring
    expect(k.rip()).toBe(CODE);
  });

  it("asks the I/O bitmap of the TSS", () => {
    const k = createKernel(bits);
    const input = [0xe4, 0x80]; // in al, 0x80
    expect(k.run(0, input)).toBe("exit 30");
    expect(k.run(3, input)).toBe("exit 30"); // bitmap bit clear
    k.board.write32(TSS + 0x68 + 0x10, 1);
    expect(k.run(3, input)).toBe("vector 13");
    expect(error(k)).toBe(0);
    k.start(3, input);
    setFlags(k, 0x3000); // IOPL 3
    expect(k.resume()).toBe("exit 30");
    k.board.write32(TSS + 0x64, 0xfff << 16); // the bitmap ends outside the TSS
    expect(k.run(3, input)).toBe("vector 13");
  });
});

describe("delivery, special", () => {
  it("uses the interrupt stack table and aligns the stack in long mode", () => {
    const k = createKernel(64);
    k.setGate(6, { ist: 1 });
    expect(k.run(0, UD2)).toBe("vector 6");
    expect(k.rsp()).toBe(IST_STACK - 40);
    k.setGate(6, { ist: 0 });
    expect(k.run(0, [0x48, 0x83, 0xec, 0x03, ...UD2])).toBe("vector 6"); // sub rsp, 3
    expect(k.rsp()).toBe(((KERNEL_STACK - 3) & ~15) - 40);
    expect(k.stack(4)[3]).toBe(BigInt(KERNEL_STACK - 3));
  });

  it("raises #TS for a TSS that is too short or a bad stack in it", () => {
    const k = createKernel(32);
    k.setGate(0x30, { dpl: 3 });
    k.setGate(10, { selector: SEL_CODE0 });
    k.board.write32(TSS + 8, 0);
    expect(k.run(3, [0xcd, 0x30])).toBe(`exit ${EXIT_TRIPLE_FAULT}`); // no stack for the #TS handler either
    k.board.write32(TSS + 8, SEL_DATA3);
    expect(k.run(3, [0xcd, 0x30])).toBe(`exit ${EXIT_TRIPLE_FAULT}`);
  });

  it("spends the budget of a guest whose handler only faults", () => {
    const k = createKernel(64);
    k.setGate(6, { ist: 1 });
    k.board.u8.set(UD2, FRAMES_BASE + 0x8000 + 6 * 16);
    k.board.exports.siliconFrameWritten(8);
    k.start(0, UD2);
    expect(k.resume(1000)).toBe(`exit ${EXIT_BUDGET}`);
  });

  it("leaves the guest at a task gate", () => {
    const k = createKernel(32);
    k.setGate(3, { type: 5 });
    expect(k.run(0, INT3)).toBe(`exit ${EXIT_TASK_SWITCH}`);
  });
});
