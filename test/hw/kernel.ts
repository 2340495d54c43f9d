/**
 * A minimal kernel for tests of exceptions and transfers of control: GDT, IDT whose 256 handlers are HLT, TSS, stacks; in 32-bit
 * protected mode without paging, or in long mode with the board's identity tables. `run` starts code and says which handler it reached.
 */

import { setCpuState } from "../../host/lib/silicon.ts";
import { CPU_CPL, CPU_CR3, CPU_RIP } from "../../hv-core/abi/cpu.ts";
import { EXIT_HLT } from "../../hv-core/abi/exits.ts";
import { FRAMES_BASE } from "../../hv-core/abi/layout.ts";
import {
  CR0_ET,
  CR0_PE,
  CR0_PG_BIT,
  CR4_PAE,
  CR4_PSE,
  EFER_LMA,
  EFER_LME,
  EFER_NXE,
  EFER_SCE,
} from "../../hv-core/abi/regs.ts";
import { type Board, createBoard } from "./board.ts";

export type Bits = 32 | 64;

export const GDT = 0x2000;
export const IDT = 0x3000;
export const TSS = 0x4000;
export const HANDLERS = 0x8000;
export const CODE = 0x1_0000;
export const USER_STACK = 0x2_0000;
export const KERNEL_STACK = 0x3_0000;
export const TSS_STACK = 0x3_8000;
export const IST_STACK = 0x4_0000;

export const SEL_CODE0 = 0x08;
export const SEL_DATA0 = 0x10;
export const SEL_CODE3 = 0x1b;
export const SEL_DATA3 = 0x23;
/** In 64-bit kernels: 32-bit code at CPL 0 and 3 (compatibility mode). */
export const SEL_COMPAT0 = 0x28;
export const SEL_COMPAT3 = 0x33;
export const SEL_TSS = 0x40;
/** For tests to fill. */
export const SEL_FREE = 0x50;

const RSP = 32;
const RFLAGS = 172;

export interface Kernel {
  readonly board: Board;
  readonly bits: Bits;
  setGate(
    vector: number,
    gate: { dpl?: number; present?: boolean; type?: number; ist?: number; selector?: number },
  ): void;
  setDescriptor(selector: number, attributes: number, base?: number, limit?: number): void;
  /** Puts code at CODE and the processor in front of it. */
  start(cpl: number, code: readonly number[]): void;
  /** Runs to the next exit. */
  resume(budget?: number): string;
  run(cpl: number, code: readonly number[]): string;
  /** The words on the handler's stack, lowest first. */
  stack(words: number): bigint[];
  rip(): number;
  rsp(): number;
}

export function createKernel(bits: Bits): Kernel {
  const board = createBoard();
  board.exports.siliconReset(bits, CODE);
  const is64 = bits === 64;
  const gateSize = is64 ? 16 : 8;
  const cr3 = board.field(CPU_CR3);

  const setDescriptor = (selector: number, attributes: number, base = 0, limit = 0xfffff) =>
    board.write64(
      GDT + (selector & 0xfff8),
      BigInt(limit & 0xffff) |
        (BigInt(base & 0xffffff) << 16n) |
        (BigInt(attributes & 0xff) << 40n) |
        (BigInt(limit >> 16) << 48n) |
        (BigInt((attributes >> 12) & 15) << 52n),
    );
  const setGate: Kernel["setGate"] = (vector, gate) => {
    const { dpl = 0, present = true, type = 14, ist = 0, selector = SEL_CODE0 } = gate;
    const handler = HANDLERS + vector * 16;
    const attributes = (present ? 0x80 : 0) | (dpl << 5) | type;
    board.write64(
      IDT + vector * gateSize,
      BigInt(handler & 0xffff) |
        (BigInt(selector) << 16n) |
        (BigInt(ist) << 32n) |
        (BigInt(attributes) << 40n) |
        (BigInt(handler >>> 16) << 48n),
    );
    if (is64) board.write64(IDT + vector * 16 + 8, 0n);
  };

  board.write64(GDT, 0n);
  setDescriptor(SEL_CODE0, is64 ? 0xa09b : 0xc09b);
  setDescriptor(SEL_DATA0, 0xc093);
  setDescriptor(SEL_CODE3, is64 ? 0xa0fb : 0xc0fb);
  setDescriptor(SEL_DATA3, 0xc0f3);
  setDescriptor(SEL_COMPAT0, 0xc09b);
  setDescriptor(SEL_COMPAT3, 0xc0fb);
  setDescriptor(SEL_TSS, 0x008b, TSS, 0x0fff);
  board.write64(GDT + SEL_TSS + 8, 0n);
  board.write64(GDT + SEL_FREE, 0n);
  for (let vector = 0; vector < 256; vector++) {
    setGate(vector, {});
    board.u8[FRAMES_BASE + HANDLERS + vector * 16] = 0xf4;
  }
  if (is64) {
    board.write64(TSS + 4, BigInt(TSS_STACK));
    board.write64(TSS + 0x24, BigInt(IST_STACK));
  } else {
    board.write32(TSS + 4, TSS_STACK);
    board.write32(TSS + 8, SEL_DATA0);
  }
  board.write32(TSS + 0x64, 0x68 << 16);

  const kernel: Kernel = {
    board,
    bits,
    setGate,
    setDescriptor,
    start(cpl, code) {
      board.u8.set(code, FRAMES_BASE + CODE);
      board.exports.siliconFrameWritten(CODE >> 12);
      const user = cpl === 3;
      const codeAttributes = is64 ? 0xa09b : 0xc09b;
      const data = { selector: user ? SEL_DATA3 : SEL_DATA0, attributes: user ? 0xc0f3 : 0xc093 };
      setCpuState(board, {
        cr0: is64 ? (2n ** BigInt(CR0_PG_BIT)) | BigInt(CR0_PE | CR0_ET) : BigInt(CR0_PE | CR0_ET),
        cr3,
        cr4: BigInt(is64 ? CR4_PAE : CR4_PSE),
        efer: BigInt(is64 ? EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE : 0),
        cpl,
        rip: BigInt(CODE),
        rflags: 2,
        segments: [
          data,
          { selector: user ? SEL_CODE3 : SEL_CODE0, attributes: codeAttributes | (cpl << 5) },
          data,
          data,
          data,
          data,
          { selector: 0, attributes: 0x10000, limit: 0 },
          { selector: SEL_TSS, base: BigInt(TSS), limit: 0xfff, attributes: 0x8b },
        ],
        gdtr: { base: BigInt(GDT), limit: 0x7f },
        idtr: { base: BigInt(IDT), limit: 256 * gateSize - 1 },
        regs: [0n, 0n, 0n, 0n, BigInt(user ? USER_STACK : KERNEL_STACK)],
      });
    },
    resume(budget = 1000) {
      const exit = board.exports.siliconRun(budget) >>> 0;
      const rip = kernel.rip();
      if (exit !== EXIT_HLT) return `exit ${exit}`;
      if (rip >= HANDLERS && rip < HANDLERS + 0x1000) return `vector ${(rip - HANDLERS) / 16}`;
      return `hlt at ${(rip - CODE).toString(16)}`;
    },
    run(cpl, code) {
      kernel.start(cpl, code);
      return kernel.resume();
    },
    stack: (words) =>
      Array.from({ length: words }, (_, i) =>
        is64 ? board.read64(kernel.rsp() + i * 8) : BigInt(board.read32(kernel.rsp() + i * 4)),
      ),
    rip: () => Number(board.field(CPU_RIP)),
    rsp: () => Number(board.field(RSP)),
  };
  return kernel;
}

export const flagsOf = (kernel: Kernel): number => kernel.board.word(RFLAGS);
export const cplOf = (kernel: Kernel): number => kernel.board.word(CPU_CPL);
export const setFlags = (kernel: Kernel, flags: number): void => kernel.board.setWord(RFLAGS, flags | 2);
