/**
 * Finds the instruction form that takes the written operands, and lets iced-x86 encode it.
 *
 * iced names every form (`Add_rm32_imm8`) and describes its operands; that table is the whole instruction set, so there is none here.
 * Of the forms that fit, the shortest one is taken. String instructions and prefixes are single bytes and are written as such.
 * Before: operand.ts. After: assembler.ts (decides between short and near branches).
 */

import * as iced from "iced-x86";
import { Code, Encoder, Instruction, MemorySizeExt, OpCodeOperandKind, OpKind, Register } from "iced-x86";
import type { Lookup } from "./expression.ts";
import type { MemoryReference, Operand } from "./operand.ts";

export type Bits = 32 | 64;

/** One statement, ready to be encoded as often as the layout needs it. */
export interface Statement {
  readonly bits: Bits;
  readonly prefixes: readonly number[];
  readonly mnemonic: string;
  readonly operands: readonly Operand[];
}

const PREFIXES: Readonly<Record<string, number>> = {
  rep: 0xf3,
  repe: 0xf3,
  repz: 0xf3,
  repne: 0xf2,
  repnz: 0xf2,
  lock: 0xf0,
};

/** The prefix byte that a leading word stands for, or undefined. */
export const prefixByte = (word: string): number | undefined => PREFIXES[word];

const STRINGS: Readonly<Record<string, number>> = {
  movs: 0xa4,
  cmps: 0xa6,
  stos: 0xaa,
  lods: 0xac,
  scas: 0xae,
  ins: 0x6c,
  outs: 0x6e,
};
const STRING = new RegExp(`^(${Object.keys(STRINGS).join("|")})([bwdq])$`);

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
interface Form {
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

function formsOf(mnemonic: string, bits: Bits): Form[] {
  const condition = /^(j|set|cmov)(\w+)$/.exec(mnemonic);
  const plain = condition && SAME[condition[2]!] ? condition[1]! + SAME[condition[2]!] : mnemonic;
  const names = (SPLIT[plain]?.[bits] ?? [plain]).flatMap((m) => byMnemonic.get(m) ?? []);
  return names.map(describe).filter((f) => (bits === 32 ? f.bits32 : f.bits64));
}

const K = OpCodeOperandKind;
const between = (v: bigint, low: bigint, high: bigint) => v >= low && v <= high;
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

/** Immediate kinds: what fits, and how iced wants it stored. */
const IMMEDIATES: ReadonlyMap<
  OpCodeOperandKind,
  { low: bigint; high: bigint; labels: boolean; store: (i: Instruction, at: number, v: bigint) => void }
> = new Map([
  [
    K.imm8,
    {
      low: -128n,
      high: 255n,
      labels: false,
      store: (i, at, v) => {
        i.setOpKind(at, OpKind.Immediate8);
        i.immediate8 = Number(v & 0xffn);
      },
    },
  ],
  [
    K.imm8_const_1,
    {
      low: 1n,
      high: 1n,
      labels: false,
      store: (i, at) => {
        i.setOpKind(at, OpKind.Immediate8);
        i.immediate8 = 1;
      },
    },
  ],
  [
    K.imm8sex16,
    {
      low: -128n,
      high: 127n,
      labels: false,
      store: (i, at, v) => {
        i.setOpKind(at, OpKind.Immediate8to16);
        i.immediate8to16 = Number(v);
      },
    },
  ],
  [
    K.imm8sex32,
    {
      low: -128n,
      high: 127n,
      labels: false,
      store: (i, at, v) => {
        i.setOpKind(at, OpKind.Immediate8to32);
        i.immediate8to32 = Number(v);
      },
    },
  ],
  [
    K.imm8sex64,
    {
      low: -128n,
      high: 127n,
      labels: false,
      store: (i, at, v) => {
        i.setOpKind(at, OpKind.Immediate8to64);
        i.immediate8to64 = v;
      },
    },
  ],
  [
    K.imm16,
    {
      low: -32768n,
      high: 65535n,
      labels: true,
      store: (i, at, v) => {
        i.setOpKind(at, OpKind.Immediate16);
        i.immediate16 = Number(v & 0xffffn);
      },
    },
  ],
  [
    K.imm32,
    {
      low: -(1n << 31n),
      high: (1n << 32n) - 1n,
      labels: true,
      store: (i, at, v) => {
        i.setOpKind(at, OpKind.Immediate32);
        i.immediate32 = Number(v & 0xffffffffn);
      },
    },
  ],
  [
    K.imm32sex64,
    {
      low: -(1n << 31n),
      high: (1n << 31n) - 1n,
      labels: true,
      store: (i, at, v) => {
        i.setOpKind(at, OpKind.Immediate32to64);
        i.immediate32to64 = v;
      },
    },
  ],
  [
    K.imm64,
    {
      low: -(1n << 63n),
      high: (1n << 64n) - 1n,
      labels: true,
      store: (i, at, v) => {
        i.setOpKind(at, OpKind.Immediate64);
        i.immediate64 = BigInt.asUintN(64, v);
      },
    },
  ],
]);

const GROUP: Readonly<Record<string, string>> = {
  r8: "r8",
  r16: "r16",
  r32: "r32",
  r64: "r64",
  seg: "seg",
  cr: "cr",
  dr: "dr",
};
const noSymbols: Lookup = (s) => {
  throw new SyntaxError(`"${s}" is not known yet here`);
};

const isBranchKind = (k: OpCodeOperandKind) => k === K.br32_1 || k === K.br64_1 || k === K.br32_4 || k === K.br64_4;

function fits(form: Form, at: number, operand: Operand, wide: boolean): boolean {
  const kind = form.kinds[at]!;
  const name = K[kind]!;
  switch (operand.kind) {
    case "register": {
      const fixed = FIXED.get(kind);
      if (fixed) return fixed === operand.name;
      const group = name.split("_")[0]!;
      return GROUP[group] === operand.group && !/_vvvv|mpx/.test(name);
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
      if (!operand.value.isConstant) return immediate.labels;
      return between(operand.value.value(noSymbols), immediate.low, immediate.high);
    }
  }
}

/** LOOP and JECXZ exist only with an 8-bit displacement. */
const canWiden = (form: Form) => !/^(Loop|Loope|Loopne|J[er]?cxz)_/.test(form.name);

function setMemory(instruction: Instruction, at: number, m: MemoryReference, bits: Bits, lookup: Lookup): void {
  const displacement = m.displacement.value(lookup);
  const hasRegister = m.base !== Register.None || m.index !== Register.None;
  const isShortForm = m.displacement.isConstant && hasRegister && m.base !== Register.RIP;
  instruction.setOpKind(at, OpKind.Memory);
  instruction.memoryBase = m.base;
  instruction.memoryIndex = m.index;
  instruction.memoryIndexScale = m.scale;
  instruction.memoryDisplacement = BigInt.asUintN(64, displacement);
  instruction.memoryDisplSize = isShortForm ? (displacement === 0n ? 0 : 1) : bits === 64 ? 8 : 4;
  if (m.segment !== Register.None) instruction.segmentPrefix = m.segment;
}

function fill(form: Form, s: Statement, lookup: Lookup): Instruction {
  const instruction = new Instruction();
  instruction.code = form.code;
  s.operands.forEach((operand, at) => {
    if (operand.kind === "register") {
      instruction.setOpKind(at, OpKind.Register);
      instruction.setOpRegister(at, operand.register);
    } else if (operand.kind === "memory") setMemory(instruction, at, operand, s.bits, lookup);
    else if (operand.kind === "far") {
      instruction.setOpKind(at, OpKind.FarBranch32);
      instruction.farBranch32 = Number(BigInt.asUintN(32, operand.offset.value(lookup)));
      instruction.farBranchSelector = Number(operand.selector.value(lookup));
    } else if (isBranchKind(form.kinds[at]!)) {
      const target = operand.value.value(lookup);
      instruction.setOpKind(at, s.bits === 64 ? OpKind.NearBranch64 : OpKind.NearBranch32);
      if (s.bits === 64) instruction.nearBranch64 = target;
      else instruction.nearBranch32 = Number(target);
    } else IMMEDIATES.get(form.kinds[at]!)!.store(instruction, at, operand.value.value(lookup));
  });
  return instruction;
}

/** Encodes statements; keeps one iced encoder per bitness. Call `free` when done: these objects live in iced's own WebAssembly memory. */
export class StatementEncoder {
  private readonly encoders = new Map<Bits, Encoder>();
  /** The chosen form per statement: [short branches, near branches]. */
  private readonly chosen = new Map<Statement, [Form | undefined, Form | undefined]>();

  /** True if the statement is a near branch that also has a long form. */
  isRelaxable(s: Statement): boolean {
    return (
      s.operands.length === 1 &&
      s.operands[0]!.kind === "number" &&
      /^(j|call)/.test(s.mnemonic) &&
      !/^j[er]?cxz$/.test(s.mnemonic)
    );
  }

  /**
   * @param at address of the statement's first byte
   * @param wide take the 32-bit form of a branch
   * @throws SyntaxError if there is no such instruction form, RangeError if a short branch does not reach
   */
  encode(s: Statement, at: bigint, wide: boolean, lookup: Lookup): Uint8Array {
    const string = s.operands.length === 0 ? STRING.exec(s.mnemonic) : null;
    if (string) return Uint8Array.from([...s.prefixes, ...stringBytes(string[1]!, string[2]!)]);
    const form = this.choose(s, wide);
    const body = this.encodeForm(form, s, at + BigInt(s.prefixes.length), lookup);
    return Uint8Array.from([...s.prefixes, ...body]);
  }

  free(): void {
    for (const encoder of this.encoders.values()) encoder.free();
    this.encoders.clear();
  }

  private encodeForm(form: Form, s: Statement, at: bigint, lookup: Lookup): Uint8Array {
    let encoder = this.encoders.get(s.bits);
    if (!encoder) {
      encoder = new Encoder(s.bits);
      this.encoders.set(s.bits, encoder);
    }
    const instruction = fill(form, s, lookup);
    try {
      encoder.encode(instruction, at);
      return encoder.takeBuffer();
    } catch (e) {
      encoder.takeBuffer();
      throw new RangeError(String(e));
    } finally {
      instruction.free();
    }
  }

  private choose(s: Statement, wide: boolean): Form {
    const known = this.chosen.get(s) ?? [undefined, undefined];
    const slot = wide ? 1 : 0;
    const form = known[slot] ?? this.shortest(s, wide);
    known[slot] = form;
    this.chosen.set(s, known);
    return form;
  }

  private shortest(s: Statement, wide: boolean): Form {
    const candidates = formsOf(s.mnemonic, s.bits).filter(
      (f) => f.kinds.length === s.operands.length && s.operands.every((o, i) => fits(f, i, o, wide)),
    );
    const memory = s.operands.find((o) => o.kind === "memory");
    const sizes = new Set(candidates.map((f) => f.memoryBytes));
    if (memory?.kind === "memory" && memory.size === 0 && !memory.isFar && sizes.size > 1 && !isSystem(s.mnemonic)) {
      throw new SyntaxError("the operand size is open: write byte, word, dword or qword before the bracket");
    }
    // Labels stand for 0 here, branches for "here": only the length counts.
    let best: { form: Form; length: number } | undefined;
    for (const form of candidates) {
      const length = this.lengthOf(form, s);
      if (length !== undefined && (!best || length < best.length)) best = { form, length };
    }
    if (!best) throw new SyntaxError("no instruction takes these operands in this mode");
    return best.form;
  }

  private lengthOf(form: Form, s: Statement): number | undefined {
    try {
      return this.encodeForm(form, s, 0n, () => 0n).length;
    } catch {
      return undefined;
    }
  }
}

/** Moves of system registers and tables: every form does the same, only the prefix differs. */
const isSystem = (mnemonic: string) => /^(lgdt|lidt|sgdt|sidt|str|ltr|sldt|lldt|smsw|lmsw)$/.test(mnemonic);

function stringBytes(stem: string, size: string): number[] {
  const base = STRINGS[stem]!;
  if (size === "b") return [base];
  return [...(size === "w" ? [0x66] : size === "q" ? [0x48] : []), base + 1];
}
