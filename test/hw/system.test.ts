import { describe, expect, it } from "vitest";
import { CPU_CR0, CPU_CR4, CPU_EFER } from "../../hv-core/abi/cpu.ts";
import { FRAMES_BASE, MAILBOX_BASE } from "../../hv-core/abi/layout.ts";
import { createBoard } from "./board.ts";
import {
  CODE,
  cplOf,
  createKernel,
  KERNEL_STACK,
  type Kernel,
  SEL_CODE0,
  SEL_COMPAT0,
  SEL_DATA3,
  SEL_TSS,
  USER_STACK,
} from "./kernel.ts";

const HLT = 0xf4;
const u32 = (x: number) => [x & 0xff, (x >> 8) & 0xff, (x >> 16) & 0xff, (x >>> 24) & 0xff];
const movEax = (x: number) => [0xb8, ...u32(x)];
const toCr = (cr: number) => [0x0f, 0x22, 0xc0 | (cr << 3)];
const error = (k: Kernel) => Number(k.stack(1)[0]);
const RCX = 8;
const R11 = 88;
const STAR = 520;
const TSC_OFFSET = 600;
const RSP_AT = 32;
const INTERRUPTIBILITY = 648;
const EXIT_QUALIFICATION = 688;
const BLOCKED_BY_NMI = 8;

describe("control registers", () => {
  it("refuses what cannot be", () => {
    const k = createKernel(32);
    const cr = (n: number, value: number) => k.run(0, [...movEax(value), ...toCr(n), HLT]);
    expect(cr(0, 0x8000_0000)).toBe("vector 13"); // PG without PE
    expect(cr(0, 0x2000_0001)).toBe("vector 13"); // NW without CD
    expect(cr(0, 0x6000_0011)).toMatch("hlt");
    expect(cr(4, 0x2000)).toBe("vector 13"); // VMXE
    expect(cr(4, 0x2_0000)).toBe("vector 13"); // PCIDE
    expect(cr(4, 0x6b0)).toMatch("hlt");
    expect(k.board.field(CPU_CR4)).toBe(0x6b0n);
    expect(cr(1, 0)).toBe("vector 6");
    expect(k.run(3, [...toCr(3)])).toBe("vector 13");
  });

  it("enters long mode and leaves it through compatibility mode", () => {
    const k = createKernel(64);
    // far jump to compatibility mode, then PG off
    const code = [0xff, 0x2c, 0x25, ...u32(CODE + 0x40), HLT];
    k.start(0, code);
    k.board.u8.set([...u32(CODE + 0x80), SEL_COMPAT0, 0], FRAMES_BASE + CODE + 0x40);
    k.board.u8.set([0x0f, 0x20, 0xc0, 0x25, ...u32(0x7fff_ffff), ...toCr(0), HLT], FRAMES_BASE + CODE + 0x80);
    expect(k.resume()).toMatch("hlt at 8");
    expect(k.board.field(CPU_EFER) & 0x500n).toBe(0x100n);
    expect(k.board.field(CPU_CR0) >> 31n).toBe(0n);
    // and in again: eax = cr0 | PG
    k.board.u8.set(
      [0x0d, ...u32(0x8000_0000), ...toCr(0), 0xea, ...u32(CODE + 0x100), SEL_CODE0, 0],
      FRAMES_BASE + k.rip(),
    );
    k.board.u8.set([0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, HLT], FRAMES_BASE + CODE + 0x100);
    k.board.exports.siliconFrameWritten(CODE >> 12);
    expect(k.resume()).toBe("hlt at 10a");
    expect(k.board.field(0)).toBe(0x0807060504030201n);
  });

  it("keeps PG in 64-bit code and PAE in long mode", () => {
    const k = createKernel(64);
    expect(k.run(0, [...movEax(0x11), ...toCr(0)])).toBe("vector 13");
    expect(k.run(0, [...movEax(0x10), ...toCr(4)])).toBe("vector 13");
    expect(k.run(0, [0x48, 0xb8, 0, 0, 0, 0, 0, 0x10, 0, 0, ...toCr(3)])).toBe("vector 13"); // above the address width
    expect(k.run(0, [0x48, 0xc7, 0xc0, 5, 0, 0, 0, 0x44, 0x0f, 0x22, 0xc0, 0x44, 0x0f, 0x20, 0xc3, HLT])).toMatch(
      "hlt",
    ); // cr8
    expect(k.board.field(24)).toBe(5n);
  });

  it("loads PDPTEs at a write to CR3 and refuses reserved bits in them", () => {
    const k = createKernel(32);
    const enable = [
      ...movEax(0x20),
      ...toCr(4),
      ...movEax(0x5_0000),
      ...toCr(3),
      ...movEax(0x8000_0011),
      ...toCr(0),
      HLT,
    ];
    k.board.write64(0x5_0000, 0x5_1001n);
    for (let i = 1; i < 4; i++) k.board.write64(0x5_0000 + i * 8, 0n);
    for (let i = 0; i < 4; i++) k.board.write64(0x5_1000 + i * 8, BigInt(i << 21) | 0xe7n);
    expect(k.run(0, enable)).toMatch("hlt");
    k.board.write64(0x5_0008, 0x5_1003n);
    expect(k.run(0, enable)).toBe("vector 13");
  });
});

describe("system instructions", () => {
  it("need CPL 0", () => {
    const k = createKernel(64);
    const privileged = [
      [0xf4],
      [0x0f, 0x30],
      [0x0f, 0x32],
      [0x0f, 0x01, 0xf8],
      [0x0f, 0x06],
      [0x0f, 0x08],
      [0x0f, 0x09],
      [0x0f, 0x21, 0xf8],
      [0x0f, 0x00, 0xd8],
    ];
    for (const code of privileged) {
      expect(k.run(3, code), code.map((x) => x.toString(16)).join(" ")).toBe("vector 13");
      expect(error(k)).toBe(0);
    }
  });

  it("LTR makes the TSS busy and refuses a busy one", () => {
    const k = createKernel(64);
    k.setDescriptor(SEL_TSS, 0x0089, 0x4000, 0xfff);
    const ltr = [...movEax(SEL_TSS), 0x0f, 0x00, 0xd8, HLT];
    expect(k.run(0, ltr)).toMatch("hlt");
    expect(k.run(0, ltr)).toBe("vector 13");
    expect(error(k)).toBe(SEL_TSS);
  });

  it("SYSCALL and SYSRET", () => {
    const k = createKernel(64);
    k.start(3, [0x0f, 0x05, 0x0f, 0x0b]);
    k.board.setField(STAR, (0x0008n << 32n) | (0x0010n << 48n)); // kernel 8/10, user 20|3, 18|3 as SYSRET counts
    k.board.setField(STAR + 8, BigInt(CODE + 0x100)); // LSTAR
    k.board.u8.set([HLT, 0x48, 0x0f, 0x07], FRAMES_BASE + CODE + 0x100);
    expect(k.resume()).toBe("hlt at 100");
    expect(cplOf(k)).toBe(0);
    expect(k.board.field(RCX)).toBe(BigInt(CODE + 2));
    expect(k.board.field(R11)).toBe(2n);
    k.board.setField(136, BigInt(CODE + 0x101));
    expect(k.resume()).toBe("vector 6");
    expect(k.stack(5)).toEqual([BigInt(CODE + 2), 0x23n, 0x10002n, BigInt(USER_STACK), 0x1bn]);
  });

  it("RDTSC counts instructions", () => {
    const k = createKernel(64);
    k.start(0, [0x0f, 0x31, 0x89, 0xc3, 0x90, 0x0f, 0x31, HLT]);
    k.board.setField(TSC_OFFSET, 1000n);
    expect(k.resume()).toMatch("hlt");
    expect(k.board.field(0) - k.board.field(24)).toBe(3n);
  });

  it("SGDT and LGDT move ten bytes in 64-bit mode; a base that is not canonical faults", () => {
    const k = createKernel(64);
    expect(k.run(0, [0x0f, 0x01, 0x04, 0x25, ...u32(0x6_0000), HLT])).toMatch("hlt");
    expect(k.board.read32(0x6_0000)).toBe(0x2000_007f);
    k.board.write64(0x6_0002, 1n << 60n);
    expect(k.run(0, [0x0f, 0x01, 0x14, 0x25, ...u32(0x6_0000), HLT])).toBe("vector 13");
    expect(error(k)).toBe(0);
  });

  it("INVLPG forgets one page", () => {
    const k = createKernel(64);
    const invlpg = [0x0f, 0x01, 0x3c, 0x25, ...u32(0x7_0000), HLT];
    expect(k.run(0, invlpg)).toMatch("hlt");
    expect(k.run(3, invlpg)).toBe("vector 13");
  });

  it("IRET lets NMIs through before it reads its stack: a violation there says so, another exit or none does not", () => {
    const k = createKernel(64);
    const { board } = k;
    const IRETQ = [0x48, 0xcf];
    const STACK_GFN = KERNEL_STACK >> 12;
    const NMI_UNBLOCKED = 1n << 12n;
    const run = (code: readonly number[], blocked: number): [string, boolean, number] => {
      k.start(0, code);
      board.setWord(INTERRUPTIBILITY, blocked);
      board.setField(RSP_AT, BigInt((STACK_GFN << 12) + 0x100));
      const outcome = k.resume();
      return [
        outcome,
        (board.field(EXIT_QUALIFICATION) & NMI_UNBLOCKED) !== 0n,
        board.word(INTERRUPTIBILITY) & BLOCKED_BY_NMI,
      ];
    };
    const close = (low12: number) => {
      board.exports.siliconMap(STACK_GFN, STACK_GFN, low12);
      board.exports.siliconFlush();
    };
    close(0);
    expect(run(IRETQ, BLOCKED_BY_NMI)).toEqual(["exit 48", true, 0]);
    expect(run(IRETQ, 0)).toEqual(["exit 48", false, 0]);
    expect(run([0x58], BLOCKED_BY_NMI)).toEqual(["exit 48", false, BLOCKED_BY_NMI]); // pop rax
    close(0x3a); // a memory type that does not exist
    expect(run(IRETQ, BLOCKED_BY_NMI)).toEqual(["exit 49", false, BLOCKED_BY_NMI]);
    close(0x37);
    expect(run(IRETQ, BLOCKED_BY_NMI)).toEqual(["vector 13", false, 0]); // a stack of zeroes: a fault, and NMIs are through
  });

  it("IRET to user code loads its stack; a bad one faults", () => {
    const k = createKernel(64);
    const frame = (ss: number) => [
      0x6a,
      ss,
      0x68,
      ...u32(USER_STACK),
      0x6a,
      2,
      0x6a,
      0x1b,
      0x68,
      ...u32(CODE + 0x80),
      0x48,
      0xcf,
    ];
    k.start(0, frame(SEL_DATA3));
    k.board.u8.set([0x0f, 0x0b], FRAMES_BASE + CODE + 0x80);
    expect(k.resume()).toBe("vector 6");
    expect(k.stack(5)).toEqual([BigInt(CODE + 0x80), 0x1bn, 0x10002n, BigInt(USER_STACK), BigInt(SEL_DATA3)]);
    expect(k.run(0, frame(0x10))).toBe("vector 13");
    expect(error(k)).toBe(0x10);
  });
});

describe("MSRs of the silicon", () => {
  const EFER = 0xc000_0080;
  const board = createBoard();
  const write = (index: number, value: bigint) => {
    board.view.setBigUint64(MAILBOX_BASE, value, true);
    return board.exports.probeMsr(index | 0, 1);
  };
  const read = (index: number) => {
    const result = board.exports.probeMsr(index | 0, 0);
    return result === 0 ? board.view.getBigUint64(MAILBOX_BASE, true) : result;
  };

  it("keeps the rules of EFER", () => {
    board.exports.siliconReset(64, 0x1000);
    expect(read(EFER)).toBe(0xd01n);
    expect(write(EFER, 0xc01n)).toBe(2); // LME while paging
    expect(write(EFER, 0x1d01n)).toBe(2); // a bit that does not exist
    expect(write(EFER, 0x900n)).toBe(0); // LMA stays
    expect(read(EFER)).toBe(0xd00n);
  });

  it("wants canonical addresses, legal memory types", () => {
    for (const index of [0xc000_0082, 0xc000_0083, 0xc000_0100, 0xc000_0101, 0xc000_0102, 0x175, 0x176]) {
      expect(write(index, 0x8000_0000_0000n), index.toString(16)).toBe(2);
      expect(write(index, 0xffff_8000_0000_1234n)).toBe(0);
      expect(read(index)).toBe(0xffff_8000_0000_1234n);
    }
    expect(write(0x277, 0x0007_0406_0007_0402n)).toBe(2);
    expect(write(0x277, 0x0007_0406_0007_0406n)).toBe(0);
    expect(write(0xc000_0084, 1n << 32n)).toBe(2);
    expect(read(0x1b)).toBe(1);
  });
});
