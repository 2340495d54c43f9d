/**
 * A small board around build/silicon.wasm for the tests of this folder: named access to processor fields, guest memory, page tables,
 * single accesses and instructions. The processor itself: hv-core/hw.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CPU_AT, frameAt, instantiateSilicon, type Silicon, type SiliconExports } from "../../host/lib/silicon.ts";
import {
  CPU_CPL,
  CPU_CR0,
  CPU_CR2,
  CPU_CR3,
  CPU_CR4,
  CPU_EFER,
  CPU_EXIT_GPA,
  CPU_EXIT_REASON,
} from "../../hv-core/abi/cpu.ts";
import { MAILBOX_BASE, VCPU_ANSWERS_OFFSET } from "../../hv-core/abi/layout.ts";

/** The exports that only these tests use. */
interface ProbeExports extends SiliconExports {
  siliconMap(gfn: number, mfn: number, low12: number): number;
  siliconFlush(): void;
  siliconReplay(): number;
  probeAccess(kind: number, linLow: number, linHigh: number, size: number, seg: number): number;
  probeEptWalk(gpaLow: number, gpaHigh: number): void;
  probeTranslate(linLow: number, linHigh: number, isWrite: number, isUser: number): void;
  probeMsr(index: number, isWrite: number): number;
}

export const READ = 0;
export const WRITE = 1;
export const READ_FOR_WRITE = 2;
export const FETCH = 3;

export const FAULT_NONE = 0;
export const FAULT_EXCEPTION = 1;
export const FAULT_EXIT = 2;

// Offsets in the processor that only tests read (hw/cpu.ts).
const REPLAY = 640;
const FAULT_VECTOR = 668;
const EXIT_QUALIFICATION = 688;
const EXIT_GLA = CPU_EXIT_GPA + 8;

/** EPT leaf: R, W, X, write-back. */
export const OPEN = 0x37;

export interface AccessResult {
  readonly fault: number;
  readonly value: bigint;
}

export interface Board extends Silicon {
  readonly exports: ProbeExports;
  /** A processor field: 64 bits. */
  field(offset: number): bigint;
  setField(offset: number, value: bigint): void;
  word(offset: number): number;
  setWord(offset: number, value: number): void;
  read64(gpa: number): bigint;
  write64(gpa: number, value: bigint): void;
  read32(gpa: number): number;
  write32(gpa: number, value: number): void;
  eptWalk(gpa: bigint): bigint;
  translate(lin: bigint, isWrite: boolean, isUser: boolean): bigint;
  access(kind: number, lin: bigint, size: number, value?: bigint, seg?: number): AccessResult;
  /** "#PF(2) cr2=1000", "#GP(0)", "exit 48 q=181 gpa=1000 gla=1000" or "". */
  outcome(result: AccessResult): string;
  /** Control registers, then the derived state. */
  control(state: { cr0?: bigint; cr3?: bigint; cr4?: bigint; efer?: bigint; cpl?: number }): void;
  setReplay(on: boolean): void;
  readonly answersAt: number;
}

const path = fileURLToPath(new URL("../../build/silicon.wasm", import.meta.url));
const module = new WebAssembly.Module(readFileSync(path));
const NAMES: Record<number, string> = { 3: "BP", 6: "UD", 8: "DF", 10: "TS", 11: "NP", 12: "SS", 13: "GP", 14: "PF" };

/** A machine of 2048 frames (8 MiB) in 32-bit mode without paging. */
export function createBoard(frames = 2048): Board {
  const silicon = instantiateSilicon(module, frames);
  const { view } = silicon;
  const exports = silicon.exports as ProbeExports;
  const field = (offset: number) => view.getBigUint64(CPU_AT + offset, true);
  const word = (offset: number) => view.getUint32(CPU_AT + offset, true);
  const setField = (offset: number, value: bigint) => view.setBigUint64(CPU_AT + offset, value, true);
  const setWord = (offset: number, value: number) => view.setUint32(CPU_AT + offset, value, true);
  const mailbox = () => view.getBigUint64(MAILBOX_BASE, true);
  const low = (x: bigint) => Number(x & 0xffff_ffffn);
  const high = (x: bigint) => Number((x >> 32n) & 0xffff_ffffn);
  exports.siliconReset(32, 0x1000);
  return {
    ...silicon,
    exports,
    field,
    setField,
    word,
    setWord,
    answersAt: CPU_AT + VCPU_ANSWERS_OFFSET,
    read64: (gpa) => view.getBigUint64(frameAt(0) + gpa, true),
    write64: (gpa, value) => view.setBigUint64(frameAt(0) + gpa, value, true),
    read32: (gpa) => view.getUint32(frameAt(0) + gpa, true),
    write32: (gpa, value) => view.setUint32(frameAt(0) + gpa, value, true),
    eptWalk(gpa) {
      exports.probeEptWalk(low(gpa), high(gpa));
      return mailbox();
    },
    translate(lin, isWrite, isUser) {
      exports.probeTranslate(low(lin), high(lin), isWrite ? 1 : 0, isUser ? 1 : 0);
      return mailbox();
    },
    access(kind, lin, size, value = 0n, seg = 3) {
      view.setBigUint64(MAILBOX_BASE, value, true);
      const fault = exports.probeAccess(kind, low(lin), high(lin), size, seg);
      return { fault, value: mailbox() };
    },
    outcome(result) {
      if (result.fault === FAULT_NONE) return "";
      if (result.fault === FAULT_EXIT) {
        const reason = word(CPU_EXIT_REASON);
        const text = `exit ${reason} q=${field(EXIT_QUALIFICATION).toString(16)}`;
        return reason === 48 || reason === 49
          ? `${text} gpa=${field(CPU_EXIT_GPA).toString(16)} gla=${field(EXIT_GLA).toString(16)}`
          : text;
      }
      const vector = word(FAULT_VECTOR);
      const error = word(FAULT_VECTOR + 8) ? `(${word(FAULT_VECTOR + 4).toString(16)})` : "";
      const cr2 = vector === 14 ? ` cr2=${field(CPU_CR2).toString(16)}` : "";
      return `#${NAMES[vector] ?? vector}${error}${cr2}`;
    },
    control(state) {
      if (state.cr0 !== undefined) setField(CPU_CR0, state.cr0);
      if (state.cr3 !== undefined) setField(CPU_CR3, state.cr3);
      if (state.cr4 !== undefined) setField(CPU_CR4, state.cr4);
      if (state.efer !== undefined) setField(CPU_EFER, state.efer);
      if (state.cpl !== undefined) setWord(CPU_CPL, state.cpl);
      exports.siliconSync();
    },
    setReplay: (on) => setWord(REPLAY, on ? 1 : 0),
  };
}
