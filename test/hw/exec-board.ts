/** Runs raw code bytes on the silicon build and looks at registers: for the tests of the run loop and the block cache. */
import { CPU_AT, frameAt } from "../../host/lib/silicon.ts";
import { CPU_RFLAGS, CPU_RIP } from "../../hv-core/abi/cpu.ts";
import { EXIT_BUDGET } from "../../hv-core/abi/exits.ts";
import { type Board, createBoard } from "./board.ts";

/** Where code is put. */
export const CODE = 0x1000;
/** Top of the stack that `start` sets up. */
export const STACK = 0x8000;

export const RAX = 0;
export const RCX = 8;
export const RDX = 16;
export const RBX = 24;
export const RSP = 32;
export const RSI = 48;
export const RDI = 56;

// Offsets in the processor that only tests read (hw/cpu.ts).
export const CPU_ATTENTION = 636;
export const CPU_INTERRUPT_WINDOW = 644;
export const CPU_INTERRUPTIBILITY = 648;

export interface ExecBoard extends Board {
  /** Puts code at `at` (default CODE), as a device would: decoded code there is dropped. */
  put(code: readonly number[], at?: number): void;
  /** Code at CODE, rip there, registers zero, a stack. */
  start(mode: 32 | 64, code: readonly number[]): void;
  /** Runs to an exit other than the budget's, in runs of `budget` instructions. */
  finish(budget?: number): number;
  reg(offset: number): bigint;
  rip(): number;
  flags(): number;
  /** The whole processor, its TLB and guest memory below 64 KiB, for comparison. */
  state(): string;
}

export function createExecBoard(): ExecBoard {
  const board = createBoard();
  const put = (code: readonly number[], at = CODE) => {
    board.u8.set(code, frameAt(0) + at);
    for (let page = at >> 12; page <= (at + code.length - 1) >> 12; page++) board.exports.siliconFrameWritten(page);
  };
  return {
    ...board,
    put,
    start(mode, code) {
      put(code);
      board.exports.siliconReset(mode, CODE);
      for (let i = 0; i < 16; i++) board.setField(i * 8, 0n);
      board.setField(RSP, BigInt(STACK));
      board.setWord(CPU_RFLAGS, 2);
      board.setWord(CPU_INTERRUPTIBILITY, 0);
      board.setWord(CPU_INTERRUPT_WINDOW, 0);
      board.setWord(CPU_ATTENTION, 0);
    },
    finish(budget = 1000) {
      for (let i = 0; i < 1000; i++) {
        const exit = board.exports.siliconRun(budget);
        if (exit !== EXIT_BUDGET) return exit;
      }
      return EXIT_BUDGET;
    },
    reg: (offset) => board.field(offset),
    rip: () => Number(board.field(CPU_RIP)),
    flags: () => board.word(CPU_RFLAGS),
    state() {
      const cpu = board.u8.slice(CPU_AT, CPU_AT + 0x8000);
      const memory = board.u8.slice(frameAt(0), frameAt(16));
      return `${Buffer.from(cpu).toString("base64")} ${Buffer.from(memory).toString("base64")}`;
    },
  };
}
