/**
 * The opcodes of stage 1 (spec 11) that user mode can execute, as data: one line for each shape of an instruction.
 * What each does to the flags: undefined-flags.ts. How lines become bytes: instructions.ts.
 */
import type { FlagName } from "./undefined-flags.ts";

export interface Form {
  readonly name: string;
  readonly opcode: readonly number[];
  readonly flags: FlagName;
  /** ModRM: "r" = a register in reg, a number = an opcode extension, absent = no ModRM. */
  readonly modrm?: "r" | number;
  /** Operand sizes it exists in. 8 alone: a byte form. */
  readonly sizes: readonly number[];
  /** Immediate bytes; "z": 2 or 4 by operand size; "v": 2, 4 or 8. */
  readonly immediate?: number | "z" | "v";
  /** Restricts the r/m operand. */
  readonly only?: "memory" | "register";
  /** Bytes the memory operand has when it is not the operand size; 0 = the address is only computed. */
  readonly memoryBytes?: number;
  readonly lockable?: boolean;
  readonly mode?: 32 | 64;
  /** Registers written: the ModRM ones, and a mask of fixed ones. */
  readonly writes?: "rm" | "reg" | "both";
  readonly fixed?: number;
  /** Register number in the opcode's low three bits. */
  readonly inOpcode?: boolean;
  /** A prefix that belongs to the opcode (F3 of POPCNT). */
  readonly mandatory?: number;
  readonly prepare?: "divide" | "count" | "bitOffset" | "scan" | "double" | "alignLock" | "cmpxchg" | "stack";
  readonly weight?: number;
}

const ALL = [16, 32, 64];
const BYTE = [8];
const A = 1;
const D = 4;

const forms: Form[] = [];
const add = (...list: Form[]) => forms.push(...list);

for (const [i, name] of ["add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"].entries()) {
  const flags: FlagName =
    name === "adc" || name === "sbb" ? "adc" : name === "or" || name === "and" || name === "xor" ? "logic" : "add";
  const lockable = name !== "cmp";
  const op = i << 3;
  const rm = name === "cmp" ? {} : ({ writes: "rm" } as const);
  const reg = name === "cmp" ? {} : ({ writes: "reg" } as const);
  const acc = name === "cmp" ? {} : { fixed: A };
  add(
    { name, opcode: [op], flags, modrm: "r", sizes: BYTE, lockable, ...rm },
    { name, opcode: [op | 1], flags, modrm: "r", sizes: ALL, lockable, ...rm, weight: 2 },
    { name, opcode: [op | 2], flags, modrm: "r", sizes: BYTE, ...reg },
    { name, opcode: [op | 3], flags, modrm: "r", sizes: ALL, ...reg },
    { name, opcode: [op | 4], flags, sizes: BYTE, immediate: 1, ...acc },
    { name, opcode: [op | 5], flags, sizes: ALL, immediate: "z", ...acc },
    { name, opcode: [0x80], flags, modrm: i, sizes: BYTE, immediate: 1, lockable, ...rm },
    { name, opcode: [0x81], flags, modrm: i, sizes: ALL, immediate: "z", lockable, ...rm },
    { name, opcode: [0x82], flags, modrm: i, sizes: BYTE, immediate: 1, mode: 32, ...rm },
    { name, opcode: [0x83], flags, modrm: i, sizes: ALL, immediate: 1, lockable, ...rm },
  );
}
add(
  { name: "inc", opcode: [0x40], flags: "inc", sizes: [16, 32], inOpcode: true, mode: 32, weight: 2 },
  { name: "dec", opcode: [0x48], flags: "inc", sizes: [16, 32], inOpcode: true, mode: 32, weight: 2 },
  { name: "inc", opcode: [0xfe], flags: "inc", modrm: 0, sizes: BYTE, lockable: true, writes: "rm" },
  { name: "dec", opcode: [0xfe], flags: "inc", modrm: 1, sizes: BYTE, lockable: true, writes: "rm" },
  { name: "inc", opcode: [0xff], flags: "inc", modrm: 0, sizes: ALL, lockable: true, writes: "rm" },
  { name: "dec", opcode: [0xff], flags: "inc", modrm: 1, sizes: ALL, lockable: true, writes: "rm" },
);
for (const [i, name] of (["rol", "rol", "rcl", "rcl", "shl", "shr", "shl", "sar"] as const).entries()) {
  add(
    { name, opcode: [0xc0], flags: name, modrm: i, sizes: BYTE, immediate: 1, writes: "rm" },
    { name, opcode: [0xc1], flags: name, modrm: i, sizes: ALL, immediate: 1, writes: "rm", weight: 2 },
    { name, opcode: [0xd0], flags: name, modrm: i, sizes: BYTE, writes: "rm" },
    { name, opcode: [0xd1], flags: name, modrm: i, sizes: ALL, writes: "rm" },
    { name, opcode: [0xd2], flags: name, modrm: i, sizes: BYTE, writes: "rm", prepare: "count" },
    { name, opcode: [0xd3], flags: name, modrm: i, sizes: ALL, writes: "rm", prepare: "count" },
  );
}
for (const op of [0xf6, 0xf7]) {
  const sizes = op === 0xf6 ? BYTE : ALL;
  const immediate = op === 0xf6 ? 1 : "z";
  add(
    { name: "test", opcode: [op], flags: "logic", modrm: 0, sizes, immediate },
    { name: "test", opcode: [op], flags: "logic", modrm: 1, sizes, immediate },
    { name: "not", opcode: [op], flags: "none", modrm: 2, sizes, lockable: true, writes: "rm" },
    { name: "neg", opcode: [op], flags: "add", modrm: 3, sizes, lockable: true, writes: "rm" },
    { name: "mul", opcode: [op], flags: "mul", modrm: 4, sizes, fixed: A | D },
    { name: "imul", opcode: [op], flags: "mul", modrm: 5, sizes, fixed: A | D },
    { name: "div", opcode: [op], flags: "div", modrm: 6, sizes, fixed: A | D, prepare: "divide", weight: 2 },
    { name: "idiv", opcode: [op], flags: "div", modrm: 7, sizes, fixed: A | D, prepare: "divide", weight: 2 },
  );
}
add(
  { name: "imul", opcode: [0x69], flags: "mul", modrm: "r", sizes: ALL, immediate: "z", writes: "reg", weight: 2 },
  { name: "imul", opcode: [0x6b], flags: "mul", modrm: "r", sizes: ALL, immediate: 1, writes: "reg", weight: 2 },
  { name: "imul", opcode: [0x0f, 0xaf], flags: "mul", modrm: "r", sizes: ALL, writes: "reg", weight: 2 },
  { name: "test", opcode: [0x84], flags: "logic", modrm: "r", sizes: BYTE },
  { name: "test", opcode: [0x85], flags: "logic", modrm: "r", sizes: ALL, weight: 2 },
  { name: "test", opcode: [0xa8], flags: "logic", sizes: BYTE, immediate: 1 },
  { name: "test", opcode: [0xa9], flags: "logic", sizes: ALL, immediate: "z" },
  {
    name: "xchg",
    opcode: [0x86],
    flags: "none",
    modrm: "r",
    sizes: BYTE,
    lockable: true,
    writes: "both",
    prepare: "alignLock",
  },
  {
    name: "xchg",
    opcode: [0x87],
    flags: "none",
    modrm: "r",
    sizes: ALL,
    lockable: true,
    writes: "both",
    prepare: "alignLock",
  },
  { name: "xchg", opcode: [0x90], flags: "none", sizes: ALL, inOpcode: true, fixed: A },
  { name: "mov", opcode: [0x88], flags: "none", modrm: "r", sizes: BYTE, writes: "rm" },
  { name: "mov", opcode: [0x89], flags: "none", modrm: "r", sizes: ALL, writes: "rm", weight: 2 },
  { name: "mov", opcode: [0x8a], flags: "none", modrm: "r", sizes: BYTE, writes: "reg" },
  { name: "mov", opcode: [0x8b], flags: "none", modrm: "r", sizes: ALL, writes: "reg", weight: 2 },
  { name: "mov", opcode: [0xc6], flags: "none", modrm: 0, sizes: BYTE, immediate: 1, writes: "rm" },
  { name: "mov", opcode: [0xc7], flags: "none", modrm: 0, sizes: ALL, immediate: "z", writes: "rm" },
  { name: "mov", opcode: [0xb0], flags: "none", sizes: BYTE, inOpcode: true, immediate: 1 },
  { name: "mov", opcode: [0xb8], flags: "none", sizes: ALL, inOpcode: true, immediate: "v" },
  { name: "mov from segment", opcode: [0x8c], flags: "none", modrm: "r", sizes: ALL, memoryBytes: 2, writes: "rm" },
  {
    name: "lea",
    opcode: [0x8d],
    flags: "none",
    modrm: "r",
    sizes: ALL,
    only: "memory",
    memoryBytes: 0,
    writes: "reg",
    weight: 5,
  },
  {
    name: "movsxd",
    opcode: [0x63],
    flags: "none",
    modrm: "r",
    sizes: [32, 64],
    memoryBytes: 4,
    mode: 64,
    writes: "reg",
    weight: 2,
  },
  {
    name: "movzx",
    opcode: [0x0f, 0xb6],
    flags: "none",
    modrm: "r",
    sizes: ALL,
    memoryBytes: 1,
    writes: "reg",
    weight: 2,
  },
  { name: "movzx", opcode: [0x0f, 0xb7], flags: "none", modrm: "r", sizes: ALL, memoryBytes: 2, writes: "reg" },
  {
    name: "movsx",
    opcode: [0x0f, 0xbe],
    flags: "none",
    modrm: "r",
    sizes: ALL,
    memoryBytes: 1,
    writes: "reg",
    weight: 2,
  },
  { name: "movsx", opcode: [0x0f, 0xbf], flags: "none", modrm: "r", sizes: ALL, memoryBytes: 2, writes: "reg" },
  { name: "movnti", opcode: [0x0f, 0xc3], flags: "none", modrm: "r", sizes: [32, 64], only: "memory" },
  { name: "cbw", opcode: [0x98], flags: "none", sizes: ALL, fixed: A, weight: 2 },
  { name: "cwd", opcode: [0x99], flags: "none", sizes: ALL, fixed: D, weight: 2 },
  { name: "bswap", opcode: [0x0f, 0xc8], flags: "none", sizes: [32, 64], inOpcode: true, weight: 2 },
  { name: "bt", opcode: [0x0f, 0xa3], flags: "bt", modrm: "r", sizes: ALL, prepare: "bitOffset" },
  {
    name: "bts",
    opcode: [0x0f, 0xab],
    flags: "bt",
    modrm: "r",
    sizes: ALL,
    prepare: "bitOffset",
    lockable: true,
    writes: "rm",
  },
  {
    name: "btr",
    opcode: [0x0f, 0xb3],
    flags: "bt",
    modrm: "r",
    sizes: ALL,
    prepare: "bitOffset",
    lockable: true,
    writes: "rm",
  },
  {
    name: "btc",
    opcode: [0x0f, 0xbb],
    flags: "bt",
    modrm: "r",
    sizes: ALL,
    prepare: "bitOffset",
    lockable: true,
    writes: "rm",
  },
  { name: "bt", opcode: [0x0f, 0xba], flags: "bt", modrm: 4, sizes: ALL, immediate: 1 },
  { name: "bts", opcode: [0x0f, 0xba], flags: "bt", modrm: 5, sizes: ALL, immediate: 1, lockable: true, writes: "rm" },
  { name: "btr", opcode: [0x0f, 0xba], flags: "bt", modrm: 6, sizes: ALL, immediate: 1, lockable: true, writes: "rm" },
  { name: "btc", opcode: [0x0f, 0xba], flags: "bt", modrm: 7, sizes: ALL, immediate: 1, lockable: true, writes: "rm" },
  { name: "bsf", opcode: [0x0f, 0xbc], flags: "bsf", modrm: "r", sizes: ALL, prepare: "scan", writes: "reg" },
  { name: "bsr", opcode: [0x0f, 0xbd], flags: "bsf", modrm: "r", sizes: ALL, prepare: "scan", writes: "reg" },
  {
    name: "popcnt",
    opcode: [0x0f, 0xb8],
    mandatory: 0xf3,
    flags: "popcnt",
    modrm: "r",
    sizes: ALL,
    writes: "reg",
    weight: 2,
  },
  {
    name: "shld",
    opcode: [0x0f, 0xa4],
    flags: "shld",
    modrm: "r",
    sizes: ALL,
    immediate: 1,
    prepare: "double",
    writes: "rm",
    weight: 2,
  },
  {
    name: "shld",
    opcode: [0x0f, 0xa5],
    flags: "shld",
    modrm: "r",
    sizes: ALL,
    prepare: "double",
    writes: "rm",
    weight: 2,
  },
  {
    name: "shrd",
    opcode: [0x0f, 0xac],
    flags: "shld",
    modrm: "r",
    sizes: ALL,
    immediate: 1,
    prepare: "double",
    writes: "rm",
    weight: 2,
  },
  {
    name: "shrd",
    opcode: [0x0f, 0xad],
    flags: "shld",
    modrm: "r",
    sizes: ALL,
    prepare: "double",
    writes: "rm",
    weight: 2,
  },
  {
    name: "cmpxchg",
    opcode: [0x0f, 0xb0],
    flags: "add",
    modrm: "r",
    sizes: BYTE,
    lockable: true,
    writes: "rm",
    fixed: A,
    prepare: "cmpxchg",
  },
  {
    name: "cmpxchg",
    opcode: [0x0f, 0xb1],
    flags: "add",
    modrm: "r",
    sizes: ALL,
    lockable: true,
    writes: "rm",
    fixed: A,
    prepare: "cmpxchg",
    weight: 2,
  },
  { name: "xadd", opcode: [0x0f, 0xc0], flags: "add", modrm: "r", sizes: BYTE, lockable: true, writes: "both" },
  { name: "xadd", opcode: [0x0f, 0xc1], flags: "add", modrm: "r", sizes: ALL, lockable: true, writes: "both" },
  {
    name: "cmpxchg8b",
    opcode: [0x0f, 0xc7],
    flags: "cmpxchg8b",
    modrm: 1,
    sizes: [32, 64],
    only: "memory",
    memoryBytes: 8,
    lockable: true,
    fixed: A | D,
    prepare: "cmpxchg",
    weight: 4,
  },
  { name: "nop", opcode: [0x0f, 0x1f], flags: "none", modrm: "r", sizes: ALL, memoryBytes: 0 },
  { name: "nop", opcode: [0x0f, 0x18], flags: "none", modrm: "r", sizes: [32], memoryBytes: 0, only: "memory" },
  { name: "prefetch", opcode: [0x0f, 0x0d], flags: "none", modrm: 1, sizes: [32], memoryBytes: 0, only: "memory" },
  { name: "push", opcode: [0x50], flags: "none", sizes: ALL, inOpcode: true, prepare: "stack" },
  { name: "pop", opcode: [0x58], flags: "none", sizes: ALL, inOpcode: true, prepare: "stack" },
  { name: "push", opcode: [0x68], flags: "none", sizes: [16, 32], immediate: "z", prepare: "stack" },
  { name: "push", opcode: [0x6a], flags: "none", sizes: [16, 32], immediate: 1, prepare: "stack" },
  { name: "push", opcode: [0xff], flags: "none", modrm: 6, sizes: ALL, prepare: "stack", weight: 2 },
  { name: "pop", opcode: [0x8f], flags: "none", modrm: 0, sizes: ALL, prepare: "stack", writes: "rm", weight: 2 },
  { name: "leave", opcode: [0xc9], flags: "none", sizes: [16, 32], prepare: "stack" },
  { name: "clc", opcode: [0xf8], flags: "carry", sizes: [32] },
  { name: "stc", opcode: [0xf9], flags: "carry", sizes: [32] },
  { name: "cmc", opcode: [0xf5], flags: "complement", sizes: [32] },
  { name: "cld", opcode: [0xfc], flags: "direction", sizes: [32] },
  { name: "std", opcode: [0xfd], flags: "direction", sizes: [32] },
  { name: "pushf", opcode: [0x9c], flags: "pushf", sizes: [16, 32], prepare: "stack", weight: 3 },
  { name: "lfence", opcode: [0x0f, 0xae, 0xe8], flags: "none", sizes: [32] },
  { name: "mfence", opcode: [0x0f, 0xae, 0xf0], flags: "none", sizes: [32] },
  { name: "sfence", opcode: [0x0f, 0xae, 0xf8], flags: "none", sizes: [32] },
  { name: "endbr64", opcode: [0x0f, 0x1e, 0xfa], mandatory: 0xf3, flags: "none", sizes: [32] },
  { name: "endbr32", opcode: [0x0f, 0x1e, 0xfb], mandatory: 0xf3, flags: "none", sizes: [32] },
  { name: "pause", opcode: [0x90], mandatory: 0xf3, flags: "none", sizes: [32] },
);

export const FORMS: readonly Form[] = forms;

/** Opcodes that end in #UD, by mode (VEX, EVEX and XOP take some of the free ones on newer processors: they are not listed). */
export const UNDEFINED_OPCODES: Readonly<Record<32 | 64, readonly (readonly number[])[]>> = {
  64: [
    [0x06],
    [0x07],
    [0x0e],
    [0x16],
    [0x17],
    [0x1e],
    [0x1f],
    [0x27],
    [0x2f],
    [0x37],
    [0x3f],
    [0x60],
    [0x61],
    [0x82, 0xc0, 0x01],
    [0x9a, 0, 0, 0, 0, 0, 0],
    [0xce],
    [0xd4, 0x0a],
    [0xd5, 0x0a],
    [0xea, 0, 0, 0, 0, 0, 0],
    [0x0f, 0x0b],
    [0xfe, 0xd0],
    [0xfe, 0xff],
    [0xff, 0xff],
    [0x8d, 0xc1],
    [0x0f, 0xba, 0xc0, 1],
    [0x0f, 0xba, 0xd8, 1],
    [0x0f, 0xc3, 0xc0],
    [0x0f, 0xc7, 0xc8],
    [0x8c, 0xf0],
    [0x8e, 0xc8],
    [0x8e, 0xf8],
    [0xff, 0xd8],
    [0xff, 0xe8],
  ],
  32: [
    [0x0f, 0x0b],
    [0xfe, 0xd0],
    [0xff, 0xff],
    [0x8d, 0xc1],
    [0x0f, 0xba, 0xc0, 1],
    [0x0f, 0xc3, 0xc0],
    [0x0f, 0xc7, 0xc8],
    [0x8c, 0xf0],
    [0x8e, 0xc8],
    [0xff, 0xd8],
    [0xff, 0xe8],
  ],
};

/** Instructions that user mode may not execute: #GP(0) on every processor. */
export const PRIVILEGED: readonly (readonly number[])[] = [
  [0xf4],
  [0xfa],
  [0xfb],
  [0x0f, 0x06],
  [0x0f, 0x08],
  [0x0f, 0x09],
  [0x0f, 0x20, 0xc0],
  [0x0f, 0x22, 0xc0],
  [0x0f, 0x20, 0xd8],
  [0x0f, 0x22, 0xd9],
  [0x0f, 0x21, 0xc0],
  [0x0f, 0x23, 0xc0],
  [0x0f, 0x30],
  [0x0f, 0x32],
  [0x0f, 0x01, 0x10],
  [0x0f, 0x01, 0x18],
  [0x0f, 0x01, 0x38],
  [0x0f, 0x01, 0xf0],
  [0x0f, 0x00, 0xd0],
  [0x0f, 0x00, 0xd8],
  [0xe4, 0x10],
  [0xe5, 0x10],
  [0xe6, 0x10],
  [0xe7, 0x10],
  [0xec],
  [0xed],
  [0xee],
  [0xef],
  [0x6c],
  [0x6d],
  [0x6e],
  [0x6f],
];
