/**
 * Instruction forms: which of iced's forms has a mnemonic, and which of them takes the written operands.
 *
 * iced names every form (`Add_rm32_imm8`) and describes its operands; that table is the whole instruction set, so there is none here.
 * Before: operand.ts. After: encode.ts (takes the shortest form that fits).
 */
import * as iced from "iced-x86";
import { Code, MemorySizeExt, OpCodeOperandKind } from "iced-x86";
import type { Lookup } from "./expression.ts";
import { IMMEDIATES } from "./immediates.ts";
import type { Operand } from "./operand.ts";

export type Bits = 32 | 64;

/** Other spellings: condition synonyms, and mnemonics that iced splits by operand size. */
const SAME: Readonly<Record<string, string>> = {
  z: "e",
  nz: "ne",
  c: "b",
  nc: "ae",
  nae: "b",
  nb: "ae",
  na: "be",
  nbe: "a",
  pe: "p",
  po: "np",
};
const SPLIT: Readonly<Record<string, Readonly<Record<Bits, readonly string[]>>>> = {
  push: { 32: ["push", "pushd"], 64: ["push", "pushq"] },
  pop: { 32: ["pop", "popd"], 64: ["pop", "popq"] },
  pushf: { 32: ["pushfd"], 64: ["pushfq"] },
  popf: { 32: ["popfd"], 64: ["popfq"] },
  ret: { 32: ["retnd"], 64: ["retnq"] },
  nop: { 32: ["nop", "nopd"], 64: ["nop", "nopd"] },
  leave: { 32: ["leaved"], 64: ["leaveq"] },
  enter: { 32: ["enterd"], 64: ["enterq"] },
  pusha: { 32: ["pushad"], 64: [] },
  popa: { 32: ["popad"], 64: [] },
  retf: { 32: ["retfd"], 64: ["retfd"] },
  retfq: { 32: [], 64: ["retfq"] },
  sal: { 32: ["shl"], 64: ["shl"] },
};

/** What encode.ts needs to know of one form. */
export interface Form {
  readonly code: Code;
  readonly name: string;
  readonly kinds: readonly OpCodeOperandKind[];
  readonly memoryBytes: number;
  readonly bits32: boolean;
  readonly bits64: boolean;
}

const byMnemonic: ReadonlyMap<string, readonly string[]> = (() => {
  const map = new Map<string, string[]>();
  for (const name of Object.keys(Code)) {
    if (!/^[A-Z]/.test(name) || /^(VEX|EVEX|XOP|D3NOW|MVEX|INVALID|Declare)/.test(name)) continue;
    if (name === "Push_imm16") continue; // shorter than the 32-bit push, but never what "push 0x300" means
    const mnemonic = name.split("_")[0]!.toLowerCase();
    const list = map.get(mnemonic);
    if (list) list.push(name);
    else map.set(mnemonic, [name]);
  }
  return map;
})();

function describe(name: string): Form {
  const code = Code[name as keyof typeof Code];
  const info = iced.CodeExt.opCode(code);
  const kinds = Array.from({ length: info.opCount }, (_, i) => info.opKind(i));
  const form = {
    code,
    name,
    kinds,
    memoryBytes: MemorySizeExt.size(info.memorySize),
    bits32: info.mode32,
    bits64: info.mode64,
  };
  info.free();
  return form;
}

/** All forms of a mnemonic in this mode. */
export function formsOf(mnemonic: string, bits: Bits): Form[] {
  const condition = /^(j|set|cmov)(\w+)$/.exec(mnemonic);
  const plain = condition && SAME[condition[2]!] ? condition[1]! + SAME[condition[2]!] : mnemonic;
  const names = (SPLIT[plain]?.[bits] ?? [plain]).flatMap((m) => byMnemonic.get(m) ?? []);
  return names.map(describe).filter((f) => (bits === 32 ? f.bits32 : f.bits64));
}

const K = OpCodeOperandKind;
const FIXED: ReadonlyMap<OpCodeOperandKind, string> = new Map([
  [K.al, "al"],
  [K.cl, "cl"],
  [K.ax, "ax"],
  [K.dx, "dx"],
  [K.eax, "eax"],
  [K.rax, "rax"],
  [K.es, "es"],
  [K.cs, "cs"],
  [K.ss, "ss"],
  [K.ds, "ds"],
  [K.fs, "fs"],
  [K.gs, "gs"],
]);

const GROUPS = new Set(["r8", "r16", "r32", "r64", "seg", "cr", "dr"]);

const between = (v: bigint, low: bigint, high: bigint) => v >= low && v <= high;

const noSymbols: Lookup = (s) => {
  throw new SyntaxError(`"${s}" is not known yet here`);
};

export const isBranchKind = (k: OpCodeOperandKind) =>
  k === K.br32_1 || k === K.br64_1 || k === K.br32_4 || k === K.br64_4;

/** @param wide of branches, take the form with 32 bits */
export function fits(form: Form, at: number, operand: Operand, wide: boolean): boolean {
  const kind = form.kinds[at]!;
  const name = K[kind]!;
  switch (operand.kind) {
    case "register": {
      const fixed = FIXED.get(kind);
      if (fixed) return fixed === operand.name;
      const group = name.split("_")[0]!;
      return GROUPS.has(group) && group === operand.group && !/_vvvv|mpx/.test(name);
    }
    case "memory":
      if (!/^mem$|_or_mem$/.test(name)) return false;
      if (operand.isFar !== /^(Jmp|Call)_m16(32|64)$/.test(form.name)) return false;
      return operand.size === 0 || form.memoryBytes === 0 || name === "mem" || operand.size === form.memoryBytes;
    case "far":
      return kind === K.farbr4_2;
    case "number": {
      if (isBranchKind(kind)) return /_4$/.test(name) === wide || !canWiden(form);
      const immediate = IMMEDIATES.get(kind);
      if (!immediate) return false;
      if (!operand.value.isConstant) return immediate.takesLabels;
      return between(operand.value.value(noSymbols), immediate.low, immediate.high);
    }
  }
}

/** LOOP and JECXZ exist only with an 8-bit displacement. */
const canWiden = (form: Form) => !/^(Loop|Loope|Loopne|J[er]?cxz)_/.test(form.name);
