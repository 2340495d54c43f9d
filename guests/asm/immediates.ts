/**
 * Immediate operands: which numbers fit which kind, and how iced wants them stored.
 *
 * Used by: forms.ts (does the number fit?), encode.ts (store it).
 */
import { type Instruction, OpCodeOperandKind, OpKind } from "iced-x86";

export interface Immediate {
  readonly low: bigint;
  readonly high: bigint;
  /** Wide enough for an address, so a label may stand there. */
  readonly takesLabels: boolean;
  readonly store: (instruction: Instruction, operand: number, value: bigint) => void;
}

const signed = (bits: bigint): readonly [bigint, bigint] => [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n];
/** Written as a signed or as an unsigned number. */
const either = (bits: bigint): readonly [bigint, bigint] => [-(1n << (bits - 1n)), (1n << bits) - 1n];

function immediate(
  kind: OpKind,
  [low, high]: readonly [bigint, bigint],
  takesLabels: boolean,
  set: (instruction: Instruction, value: bigint) => void,
): Immediate {
  const store: Immediate["store"] = (instruction, operand, value) => {
    instruction.setOpKind(operand, kind);
    set(instruction, value);
  };
  return { low, high, takesLabels, store };
}

const K = OpCodeOperandKind;

/** `i.field = value`, as a function. */
const put =
  <F extends keyof Instruction>(field: F, convert: (value: bigint) => Instruction[F]) =>
  (instruction: Instruction, value: bigint): void => {
    instruction[field] = convert(value);
  };
const unsigned = (bits: number) => (value: bigint) => Number(BigInt.asUintN(bits, value));

export const IMMEDIATES: ReadonlyMap<OpCodeOperandKind, Immediate> = new Map([
  [K.imm8_const_1, immediate(OpKind.Immediate8, [1n, 1n], false, put("immediate8", Number))],
  [K.imm8, immediate(OpKind.Immediate8, either(8n), false, put("immediate8", unsigned(8)))],
  [K.imm8sex16, immediate(OpKind.Immediate8to16, signed(8n), false, put("immediate8to16", Number))],
  [K.imm8sex32, immediate(OpKind.Immediate8to32, signed(8n), false, put("immediate8to32", Number))],
  [K.imm8sex64, immediate(OpKind.Immediate8to64, signed(8n), false, put("immediate8to64", BigInt))],
  [K.imm16, immediate(OpKind.Immediate16, either(16n), true, put("immediate16", unsigned(16)))],
  [K.imm32, immediate(OpKind.Immediate32, either(32n), true, put("immediate32", unsigned(32)))],
  [K.imm32sex64, immediate(OpKind.Immediate32to64, signed(32n), true, put("immediate32to64", BigInt))],
  [
    K.imm64,
    immediate(
      OpKind.Immediate64,
      either(64n),
      true,
      put("immediate64", (v) => BigInt.asUintN(64, v)),
    ),
  ],
]);
