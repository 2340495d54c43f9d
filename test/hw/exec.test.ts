/** The run loop, the block cache and self-modifying code. What instructions compute: test/native compares with a real CPU. */
import { describe, expect, it } from "vitest";
import { frameAt } from "../../host/lib/silicon.ts";
import {
  EXIT_ATTENTION,
  EXIT_BUDGET,
  EXIT_HLT,
  EXIT_INTERRUPT_WINDOW,
  EXIT_TRIPLE_FAULT,
} from "../../hv-core/abi/exits.ts";
import {
  CODE,
  CPU_ATTENTION,
  CPU_INTERRUPT_WINDOW,
  CPU_INTERRUPTIBILITY,
  createExecBoard,
  RAX,
  RBX,
  RCX,
  RDI,
  RDX,
  RSI,
} from "./exec-board.ts";

const HLT = 0xf4;
const NOP = 0x90;
const le32 = (x: number) => [x & 0xff, (x >> 8) & 0xff, (x >> 16) & 0xff, (x >>> 24) & 0xff];
const movEax = (x: number) => [0xb8, ...le32(x)];
const movEcx = (x: number) => [0xb9, ...le32(x)];
const movEsi = (x: number) => [0xbe, ...le32(x)];
const movEdi = (x: number) => [0xbf, ...le32(x)];
/** A loop with arithmetic, a call, memory and conditional jumps: 10 times. */
const MIXED = [
  ...movEcx(10),
  ...movEsi(0x4000),
  ...[0x01, 0xc8], // 1: add eax,ecx
  ...[0xd1, 0xe2], // shl edx,1
  ...[0x11, 0xc2], // adc edx,eax
  ...[0xe8, 0x08, 0, 0, 0], // call 2f
  ...[0x49], // dec ecx
  ...[0x75, 0xf2], // jnz 1b
  ...[0x9c, 0x5b], // pushf, pop ebx
  ...[NOP, NOP, HLT],
  ...[0x01, 0x16], // 2: add [esi],edx
  ...[0x83, 0xc6, 0x04], // add esi,4
  ...[0x2b, 0x06], // sub eax,[esi]
  0xc3,
];

describe("budget", () => {
  it("retires exactly as many instructions as it is given", () => {
    const b = createExecBoard();
    b.start(32, [...Array(100).fill(0x40), HLT]); // inc eax
    for (const [budget, sum] of [
      [1, 1],
      [7, 8],
      [60, 68],
      [5, 73],
    ] as const) {
      expect(b.exports.siliconRun(budget)).toBe(EXIT_BUDGET);
      expect(b.reg(RAX)).toBe(BigInt(sum));
      expect(b.rip()).toBe(CODE + sum);
    }
    expect(b.exports.siliconRun(1000)).toBe(EXIT_HLT);
    expect(b.reg(RAX)).toBe(100n);
  });

  it("cuts a run anywhere without a difference", () => {
    const whole = createExecBoard();
    whole.start(32, MIXED);
    expect(whole.finish()).toBe(EXIT_HLT);
    for (const budget of [1, 2, 3, 5, 17]) {
      const cut = createExecBoard();
      cut.start(32, MIXED);
      expect(cut.finish(budget)).toBe(EXIT_HLT);
      expect(cut.state() === whole.state(), `in pieces of ${budget}`).toBe(true);
    }
  });

  it("does not depend on what is decoded", () => {
    const warm = createExecBoard();
    warm.start(32, MIXED);
    const cold = createExecBoard();
    cold.start(32, MIXED);
    for (let i = 0; i < 20; i++) {
      warm.exports.siliconRun(7);
      cold.exports.siliconRun(7);
      cold.exports.siliconFrameWritten(CODE >> 12);
    }
    expect(cold.state() === warm.state()).toBe(true);
  });
});

describe("self-modifying code", () => {
  it("sees a store to the next instruction", () => {
    const b = createExecBoard();
    // mov byte [1009],41: inc eax -> inc ecx
    b.start(32, [0xc6, 0x05, ...le32(0x1007), 0x41, 0x40, HLT]);
    expect(b.finish()).toBe(EXIT_HLT);
    expect([b.reg(RAX), b.reg(RCX)]).toEqual([0n, 1n]);
  });

  it("sees a store to a block that another one is linked to", () => {
    const b = createExecBoard();
    // mov ecx,4; 1: call f; inc byte [f+2]; loop 1b; hlt;  f: add eax,1; ret
    const f = CODE + 0x20;
    b.start(32, [...movEcx(4), 0xe8, ...le32(f - CODE - 10), 0xfe, 0x05, ...le32(f + 2), 0xe2, 0xf3, HLT]);
    b.put([0x83, 0xc0, 0x01, 0xc3], f);
    expect(b.finish()).toBe(EXIT_HLT);
    expect(b.reg(RAX)).toBe(1n + 2n + 3n + 4n);
  });

  it("keeps code decoded when data beside it in the page changes", () => {
    const b = createExecBoard();
    // mov ecx,1000; 1: inc dword [1800]; loop 1b; hlt
    b.start(32, [...movEcx(1000), 0xff, 0x05, ...le32(0x1800), 0xe2, 0xf8, HLT]);
    expect(b.finish()).toBe(EXIT_HLT);
    expect(b.read32(0x1800)).toBe(1000);
  });

  it("sees a string store over code", () => {
    const b = createExecBoard();
    // f: inc eax x4, ret.  call f; rep stosb of 41 (inc ecx) over f; call f
    const f = CODE + 0x100;
    const call = (at: number) => [0xe8, ...le32(f - at - 5)];
    const code = [...call(CODE), 0xb0, 0x41, ...movEdi(f), ...movEcx(4), 0xf3, 0xaa];
    b.start(32, [...code, ...call(CODE + code.length), HLT]);
    b.put([0x40, 0x40, 0x40, 0x40, 0xc3], f);
    expect(b.finish()).toBe(EXIT_HLT);
    expect([b.reg(RAX), b.reg(RCX)]).toEqual([0x41n, 4n]);
  });

  it("sees a change in the second page of an instruction that runs over a border", () => {
    const b = createExecBoard();
    // f at 1ffd: mov eax,imm32 over the border, ret.  call f; mov ebx,eax; mov byte [2001],55; call f; hlt
    const f = 0x1ffd;
    const call = (at: number) => [0xe8, ...le32(f - at - 5)];
    b.start(32, [...call(CODE), 0x89, 0xc3, 0xc6, 0x05, ...le32(0x2001), 0x55, ...call(CODE + 14), HLT]);
    b.put([...movEax(0x11223344), 0xc3], f);
    expect(b.finish()).toBe(EXIT_HLT);
    expect([b.reg(RBX), b.reg(RAX)]).toEqual([0x11223344n, 0x55223344n]);
  });
});

describe("repeated strings", () => {
  it("takes one instruction of budget for each page", () => {
    const b = createExecBoard();
    b.start(32, [...movEdi(0x10800), ...movEcx(0x3000), ...movEax(0x55), 0xf3, 0xaa, HLT]);
    expect(b.exports.siliconRun(3 + 2)).toBe(EXIT_BUDGET);
    expect(b.reg(RDI)).toBe(0x12000n);
    expect(b.reg(RCX)).toBe(0x3000n - 0x1800n);
    expect(b.finish()).toBe(EXIT_HLT);
    expect(b.reg(RCX)).toBe(0n);
    expect(b.read32(0x13_7fc)).toBe(0x55555555);
    expect(b.read32(0x13_800)).toBe(0);
  });

  it("repeats a pattern when the destination overlaps the source from above", () => {
    const b = createExecBoard();
    b.write32(0x4000, 0x04030201);
    b.start(32, [...movEsi(0x4000), ...movEdi(0x4003), ...movEcx(9), 0xf3, 0xa4, HLT]);
    expect(b.finish()).toBe(EXIT_HLT);
    expect([...b.u8.slice(frameAt(4), frameAt(4) + 12)]).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
  });

  it("goes downwards over a page border", () => {
    const b = createExecBoard();
    b.write64(0x5ffc, 0x0807060504030201n);
    // std; rep movsb from 6003 to 7003
    b.start(32, [0xfd, ...movEsi(0x6003), ...movEdi(0x7003), ...movEcx(8), 0xf3, 0xa4, HLT]);
    expect(b.finish()).toBe(EXIT_HLT);
    expect(b.read64(0x6ffc)).toBe(0x0807060504030201n);
    expect([b.reg(RSI), b.reg(RDI)]).toEqual([0x5ffbn, 0x6ffbn]);
  });

  it("stops SCAS at the match", () => {
    const b = createExecBoard();
    b.u8.set([1, 2, 3, 4, 5], frameAt(4) + 0xffe);
    b.start(32, [0xb0, 4, ...movEdi(0x4ffe), ...movEcx(100), 0xf2, 0xae, HLT]);
    expect(b.finish()).toBe(EXIT_HLT);
    expect([b.reg(RDI), b.reg(RCX)]).toEqual([0x5002n, 96n]);
    expect(b.flags() & 0x40).toBe(0x40);
  });
});

describe("between instructions", () => {
  it("stops before the first one when something outside asks", () => {
    const b = createExecBoard();
    b.start(32, [0x40, HLT]);
    b.setWord(CPU_ATTENTION, 1);
    expect(b.exports.siliconRun(10)).toBe(EXIT_ATTENTION);
    expect(b.reg(RAX)).toBe(0n);
  });

  it("opens the interrupt window one instruction after STI", () => {
    const b = createExecBoard();
    b.start(32, [0x40, 0xfb, 0x40, 0x40, HLT]);
    b.setWord(CPU_INTERRUPT_WINDOW, 1);
    expect(b.exports.siliconRun(10)).toBe(EXIT_INTERRUPT_WINDOW);
    expect([b.reg(RAX), b.rip()]).toEqual([2n, CODE + 3]);
    expect(b.word(CPU_INTERRUPTIBILITY)).toBe(0);
  });

  it("ends in a triple fault without an IDT", () => {
    const b = createExecBoard();
    b.start(32, [0x40, 0x0f, 0x0b]);
    expect(b.exports.siliconRun(10)).toBe(EXIT_TRIPLE_FAULT);
    expect(b.reg(RAX)).toBe(1n);
  });
});

describe("forms of the decoder", () => {
  const run = (mode: 32 | 64, code: number[]) => {
    const b = createExecBoard();
    b.start(mode, [...code, HLT]);
    return { b, exit: b.finish() };
  };

  it("accepts fifteen bytes and refuses sixteen", () => {
    expect(run(64, [...Array(14).fill(0x66), 0x90]).exit).toBe(EXIT_HLT);
    expect(run(64, [...Array(15).fill(0x66), 0x90]).exit).toBe(EXIT_TRIPLE_FAULT);
  });

  it("counts a RIP-relative address from the end of the instruction, immediate included", () => {
    const { b, exit } = run(64, [NOP, NOP, 0xc7, 0x05, ...le32(0x100), ...le32(0x12345678)]);
    expect(exit).toBe(EXIT_HLT);
    expect(b.read32(CODE + 12 + 0x100)).toBe(0x12345678);
  });

  it("cuts addresses with a 67 prefix", () => {
    // 64: mov rdi,0x1_0000_4000; mov [edi],eax.  32: mov ebx,0x12345; mov [bx+si],eax
    const wide = run(64, [...movEax(7), 0x48, 0xbf, 0x00, 0x40, 0, 0, 1, 0, 0, 0, 0x67, 0x89, 0x07]);
    expect(wide.exit).toBe(EXIT_HLT);
    expect(wide.b.read32(0x4000)).toBe(7);
    const narrow = run(32, [...movEax(9), 0xbb, ...le32(0x12345), ...movEsi(0x1_2000), 0x67, 0x89, 0x00]);
    expect(narrow.exit).toBe(EXIT_HLT);
    expect(narrow.b.read32(0x4345)).toBe(9);
  });

  it("takes an absolute address of eight bytes", () => {
    const { b, exit } = run(64, [...movEax(5), 0xa3, 0x00, 0x50, 0, 0, 0, 0, 0, 0, 0xa0, 0x00, 0x50, 0, 0, 0, 0, 0, 0]);
    expect(exit).toBe(EXIT_HLT);
    expect(b.read32(0x5000)).toBe(5);
  });

  it("drops a REX prefix that is not next to the opcode", () => {
    const { b } = run(64, [0x48, 0x66, 0xb8, 0x34, 0x12]); // rex.w 66 mov ax,1234
    expect(b.reg(RAX)).toBe(0x1234n);
  });

  it("refuses LOCK where it means nothing", () => {
    expect(run(32, [0xf0, 0x01, 0xc8]).exit).toBe(EXIT_TRIPLE_FAULT); // lock add eax,ecx
    expect(run(32, [0xf0, 0x8b, 0x06]).exit).toBe(EXIT_TRIPLE_FAULT); // lock mov eax,[esi]
    expect(run(32, [0xf0, 0x01, 0x05, ...le32(0x4000)]).exit).toBe(EXIT_HLT);
  });

  it("divides without ever trapping the host", () => {
    expect(run(32, [0x31, 0xc9, 0xf7, 0xf1]).exit).toBe(EXIT_TRIPLE_FAULT); // div ecx, ecx = 0
    // edx:eax = 80000000:00000000 idiv -1
    expect(run(32, [0xba, ...le32(0x8000_0000), ...movEcx(-1), 0xf7, 0xf9]).exit).toBe(EXIT_TRIPLE_FAULT);
    const { b } = run(64, [0x48, 0xc7, 0xc2, ...le32(1), 0x48, 0xc7, 0xc1, ...le32(3), 0x48, 0xf7, 0xf1]);
    expect([b.reg(RAX), b.reg(RDX)]).toEqual([0x5555555555555555n, 1n]); // 2^64 / 3
  });
});
