/**
 * Encodes statements with iced-x86: fills iced's instruction object from the written operands and takes the shortest form that fits.
 *
 * String instructions and prefixes are single bytes and are written as such.
 * Before: forms.ts (which forms exist). After: assembler.ts (decides between short and near branches).
 */
import { Encoder, Instruction, OpKind, Register } from "iced-x86";
import type { Lookup } from "./expression.ts";
import { type Bits, type Form, fits, formsOf, isBranchKind } from "./forms.ts";
import { IMMEDIATES } from "./immediates.ts";
import type { MemoryReference, Operand } from "./operand.ts";

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
