/**
 * Short sequences that need care: branches, loops, calls and returns, string instructions, segment registers, far transfers, IRET,
 * flags images, self-modifying code, faults. Each appends to a case and says whether it may go on behind it.
 * What they jump to is the INT3 behind the code, so a wrong target shows as a wrong final rip. Before: instructions.ts. Next: generate.ts.
 */
import { type CaseBuilder, little, RCX, RDI, RSI, RSP } from "./builder.ts";
import { FORMS, PRIVILEGED, UNDEFINED_OPCODES } from "./forms.ts";
import { appendForm } from "./instructions.ts";
import { CODE_BASE, CODE_BYTES, DATA_BASE, DATA_BYTES, SEL_CODE32, SEL_CODE64, SEL_DATA } from "./layout.ts";
import { conditionReads, FLAG_RULES, type FlagRule } from "./undefined-flags.ts";

/** More: others may follow; End: the case ends here; No: does not fit this case, nothing appended. */
export type Outcome = "more" | "end" | "no";

export interface Template {
  readonly name: string;
  readonly weight: number;
  readonly mode?: 32 | 64;
  readonly append: (b: CaseBuilder) => Outcome;
}

const FREE_FORMS = FORMS.filter((f) => f.prepare === undefined && f.modrm !== undefined);

/** One harmless instruction. */
function filler(b: CaseBuilder): boolean {
  for (let i = 0; i < 4; i++) if (appendForm(b, b.rng.pick(FREE_FORMS))) return true;
  return false;
}

const rel32 = (b: CaseBuilder, target: number, length: number) =>
  little(BigInt.asUintN(32, BigInt(target - (b.ip + length))), 4);

/** Somewhere in the code region where INT3 waits: not in the case itself, or it might run for ever. */
function trapTarget(b: CaseBuilder): number {
  const offset = b.rng.below(CODE_BYTES - 128);
  return CODE_BASE + (offset < b.codeOffset - 16 ? offset : offset + 96);
}

function conditionalMove(b: CaseBuilder): Outcome {
  const cc = b.rng.below(16);
  if ((conditionReads(cc) & b.taint) !== 0) return "no";
  const ok = appendForm(b, {
    name: "cmov",
    opcode: [0x0f, 0x40 | cc],
    flags: "none",
    modrm: "r",
    sizes: [16, 32, 64],
    writes: "reg",
  });
  return ok ? "more" : "no";
}

function setCondition(b: CaseBuilder): Outcome {
  const cc = b.rng.below(16);
  if ((conditionReads(cc) & b.taint) !== 0) return "no";
  const ok = appendForm(b, {
    name: "setcc",
    opcode: [0x0f, 0x90 | cc],
    flags: "none",
    modrm: b.rng.below(8),
    sizes: [8],
    memoryBytes: 1,
    writes: "rm",
  });
  return ok ? "more" : "no";
}

function jumpAway(b: CaseBuilder): Outcome {
  const cc = b.rng.below(16);
  if ((conditionReads(cc) & b.taint) !== 0) return "no";
  if (b.rng.chance(50)) {
    b.raw(0x70 | cc, b.rng.below(64));
    b.note(FLAG_RULES.none);
    return "end"; // or it would land inside what comes next
  }
  b.raw(0x0f, 0x80 | cc, ...rel32(b, trapTarget(b), 6));
  b.note(FLAG_RULES.none);
  return b.rng.chance(50) ? "more" : "end";
}

/** Jcc over one or two instructions. */
function skip(b: CaseBuilder): Outcome {
  const cc = b.rng.below(16);
  if ((conditionReads(cc) & b.taint) !== 0) return "no";
  b.branchy = true;
  const at = b.size;
  if (!b.raw(0x70 | cc, 0)) return "no";
  if (!filler(b)) {
    b.rewind(at);
    return "no";
  }
  if (b.rng.chance(50)) filler(b);
  b.patch(at + 1, b.size - at - 2);
  return "more";
}

/** A counted loop around a few instructions, long enough that decoded code is used again and again. */
function loop(b: CaseBuilder): Outcome {
  if (b.size > 20 || b.taint !== 0 || !b.pin(RCX, BigInt(1 + b.rng.below(20)))) return "no";
  b.branchy = true;
  const start = b.size;
  for (let i = 1 + b.rng.below(3); i > 0; i--) filler(b);
  const kind = b.rng.below(4);
  if (!b.isKnown(RCX)) {
    // The body changed the counter: no loop then, just a straight sequence.
    return "more";
  }
  b.clobber(1 << RCX);
  if (kind === 0) b.raw(0xe2, (start - b.size - 2) & 0xff);
  else if (kind === 1 && (b.taint & 0x40) === 0) b.raw(b.rng.chance(50) ? 0xe0 : 0xe1, (start - b.size - 2) & 0xff);
  else if (b.bits === 32) b.raw(0x49, 0x75, (start - b.size - 3) & 0xff);
  else b.raw(0xff, 0xc9, 0x75, (start - b.size - 4) & 0xff);
  b.note(FLAG_RULES.inc);
  return "more";
}

function loopAway(b: CaseBuilder): Outcome {
  const opcode = 0xe0 + b.rng.below(4);
  if (opcode < 0xe2 && (b.taint & 0x40) !== 0) return "no";
  b.pin(RCX, b.rng.pick([0n, 1n, 2n, 0x1_0000_0000n, 0x1_0000_0001n, 0x10000n]));
  if (b.rng.chance(30)) b.raw(0x67);
  b.raw(opcode, b.rng.below(60));
  if (opcode !== 0xe3) b.clobber(1 << RCX);
  b.note(FLAG_RULES.none);
  return "end";
}

function jump(b: CaseBuilder): Outcome {
  const kind = b.rng.below(6);
  const target = trapTarget(b);
  if (kind === 0) b.raw(0xeb, b.rng.below(80));
  else if (kind === 1) b.raw(0xe9, ...rel32(b, target, 5));
  else if (kind === 2) b.raw(0xe8, ...rel32(b, target, 5));
  else if (kind === 3) {
    const to = b.rng.chance(30) ? 0x3000_0000 + b.rng.below(0x1000) : DATA_BASE + b.rng.below(DATA_BYTES);
    b.raw(b.rng.chance(50) ? 0xe8 : 0xe9, ...rel32(b, to, 5)); // nothing there, or not executable
  } else {
    const reg = b.register();
    if (reg === 4 || !b.pin(reg, BigInt(b.rng.chance(85) ? target : b.rng.below(0x7fff_0000)))) return "no";
    b.emit({ prefixes: [], opcode: [0xff], reg: kind === 4 ? 2 : 4, rm: reg });
  }
  b.note(FLAG_RULES.none);
  return "end";
}

/** CALL a leaf behind a jump, which returns; then go on. */
function callAndReturn(b: CaseBuilder): Outcome {
  if (b.size > 28) return "no";
  b.branchy = true;
  const pop = b.rng.chance(30) ? 8 : 0;
  b.raw(0xe8, 2, 0, 0, 0); // call leaf
  const over = b.size;
  b.raw(0xeb, 0); // jmp behind it
  b.registersOnly = true;
  filler(b);
  b.registersOnly = false;
  if (pop) b.raw(0xc2, pop, 0);
  else b.raw(0xc3);
  b.patch(over + 1, b.size - over - 2);
  if (pop) b.clobber(1 << 4);
  return "more";
}

function pushAndReturn(b: CaseBuilder): Outcome {
  const target = trapTarget(b);
  b.raw(0x68, ...little(BigInt(target), 4));
  b.note(FLAG_RULES.none);
  if (b.rng.chance(40)) b.raw(0xc2, ...little(BigInt(b.rng.pick([0, 2, 8, 16, 0x100])), 2));
  else b.raw(0xc3);
  b.note(FLAG_RULES.none);
  return "end";
}

function enter(b: CaseBuilder): Outcome {
  if (b.rng.chance(8)) b.raw(0x66);
  b.raw(0xc8, ...little(BigInt(b.rng.pick([0, 8, 16, 32, 0x80, 0x7f0])), 2), 0);
  b.clobber(0x30);
  b.note(FLAG_RULES.none);
  return "more";
}

/** Sizes in bytes of the string instruction at index (opcode & 1): wide forms take 66 and REX.W. */
function strings(b: CaseBuilder): Outcome {
  const r = b.rng;
  const [opcode, compares] = r.pick([
    [0xa4, false],
    [0xa6, true],
    [0xaa, false],
    [0xac, false],
    [0xae, true],
    [0xa4, false],
    [0xaa, false],
  ] as const);
  if (compares && b.taint !== 0) return "no";
  const backwards = (b.flags & 0x400) !== 0;
  const place = () => {
    const kind = r.below(10);
    if (kind < 6) return DATA_BASE + r.below(DATA_BYTES - 16);
    if (kind < 8) return DATA_BASE + 0xff0 + r.below(0x20);
    if (kind === 8) return backwards ? DATA_BASE + r.below(64) : DATA_BASE + DATA_BYTES - 64 + r.below(64);
    return DATA_BASE + 0x4000 + r.below(0x1000);
  };
  const overlap = r.chance(25) && !compares;
  // Which operand of CMPS faults first when both do is the processor's choice: the source of a comparison is always there.
  const source = compares ? DATA_BASE + 0x800 + r.below(0x800) : place();
  if (!b.pin(RSI, BigInt(source)) && r.chance(90)) return "no";
  if (!b.pin(RDI, BigInt(overlap ? source + r.below(24) - 12 : place())) && r.chance(90)) return "no";
  const rep = r.chance(65);
  const prefixes: number[] = [];
  if (rep) {
    const count = r.chance(10) ? 0 : r.chance(80) ? r.below(24) : r.below(0x300);
    if (!b.pin(RCX, BigInt(count))) return "no";
    prefixes.push(compares ? r.pick([0xf2, 0xf3]) : r.chance(85) ? 0xf3 : 0xf2);
  }
  if (r.chance(6) && (b.bits === 64 || !compares)) prefixes.push(0x67);
  const width = r.below(b.bits === 64 ? 4 : 3);
  if (width === 1) prefixes.unshift(0x66);
  b.emit({ prefixes, opcode: [width === 0 ? opcode : opcode | 1], rexW: width === 3 });
  b.clobber((1 << RSI) | (1 << RDI) | 1 | (rep ? 1 << RCX : 0));
  b.note(compares && !rep ? FLAG_RULES.add : FLAG_RULES.none);
  return "more";
}

/** MOV between the accumulator and an absolute address (A0..A3). */
function absoluteMove(b: CaseBuilder): Outcome {
  const opcode = 0xa0 + b.rng.below(4);
  const prefixes: number[] = [];
  const wide = (opcode & 1) !== 0;
  if (wide && b.rng.chance(25)) prefixes.push(0x66);
  const short = b.bits === 64 && b.rng.chance(25);
  if (short) prefixes.push(0x67);
  const bytes = b.bits === 32 || short ? 4 : 8;
  let address = BigInt(b.target({ bytes: 8 }));
  if (bytes === 8 && b.rng.chance(3)) address = 0x8000_0000_0000n + (b.rng.u64() & 0xffff_ffffn); // not canonical
  b.emit({
    prefixes,
    opcode: [opcode],
    rexW: wide && b.bits === 64 && b.rng.chance(40),
    immediate: little(address, bytes),
  });
  if (opcode < 0xa2) b.clobber(1);
  b.note(FLAG_RULES.none);
  return "more";
}

/** PUSH imm; POPF: every arithmetic flag and DF; the protected ones (IF, IOPL) must not move. */
function popFlags(b: CaseBuilder): Outcome {
  const image = (b.rng.u32() & 0xcd5) | (b.rng.chance(30) ? 0x3200 : 0);
  if (!b.raw(0x68, ...little(BigInt(image), 4))) return "no";
  b.note(FLAG_RULES.none);
  b.raw(0x9d);
  b.note(FLAG_RULES.popf);
  return "more";
}

const LOADABLE = [
  0,
  1,
  2,
  3,
  SEL_DATA,
  SEL_DATA,
  0x28,
  SEL_CODE32,
  SEL_CODE64,
  0x10,
  0x18,
  0x1b,
  0x40,
  0x53,
  0x100,
  0x104,
  0xffff,
];

/** A code segment in a data segment register: what it refuses in 32-bit mode is stage 2, so nothing may use it here. */
const isReadOnly = (b: CaseBuilder, selector: number): boolean =>
  b.bits === 32 && (selector === SEL_CODE32 || selector === SEL_CODE64);

/** MOV to DS or ES (and SS with the only selector that fits): good, null, privileged and missing descriptors. */
function loadSegment(b: CaseBuilder): Outcome {
  const ss = b.rng.chance(15);
  const segment = ss ? 2 : b.rng.pick([0, 3]);
  const selector = ss ? b.rng.pick([SEL_DATA, 0x10, 0x23, 0, 3]) : b.rng.pick(LOADABLE);
  // A null stack segment is legal in 64-bit mode below level 3 only; Linux would be in trouble with what follows a load it allows.
  const reg = b.register();
  if (!b.pin(reg, (b.rng.u64() & ~0xffffn) | BigInt(selector))) return "no";
  b.emit({ prefixes: b.rng.chance(20) ? [0x66] : [], opcode: [0x8e], reg: segment, rm: reg });
  b.note(FLAG_RULES.none);
  return isReadOnly(b, selector) ? "end" : "more";
}

/** PUSH selector; POP DS or ES in 32-bit mode. */
function popSegment(b: CaseBuilder): Outcome {
  const selector = b.rng.pick([0, 3, SEL_DATA, SEL_CODE32, 0x10, 0x53]);
  b.raw(0x6a, selector);
  b.note(FLAG_RULES.none);
  b.raw(b.rng.pick([0x07, 0x1f]));
  b.note(FLAG_RULES.none);
  return isReadOnly(b, selector) ? "end" : "more";
}

/** PUSH of a segment register; the upper half of what it writes differs between processors, so it is overwritten. */
function pushSegment(b: CaseBuilder): Outcome {
  if (!b.isKnown(RSP)) return "no"; // at the end of the segment the two kinds of processors fault differently
  if (b.bits === 32) {
    b.raw(b.rng.pick([0x06, 0x0e, 0x16, 0x1e]), 0x66, 0xc7, 0x44, 0x24, 2, 0, 0);
  } else b.raw(0x0f, b.rng.pick([0xa0, 0xa8]), 0x66, 0xc7, 0x44, 0x24, 2, 0, 0);
  b.branchy = true;
  b.note(FLAG_RULES.none);
  return "more";
}

/** Far returns and jumps: to the same code size, to the other one, and to selectors that do not fit. */
function farReturn(b: CaseBuilder): Outcome {
  const selector = b.rng.pick([SEL_CODE32, SEL_CODE64, SEL_CODE64, SEL_CODE32, 0, 0x10, SEL_DATA, 0x100, 0x20, 0x53]);
  b.compatibilityOnly ||= b.bits === 32 && selector === SEL_CODE64;
  const target = trapTarget(b);
  b.raw(0x6a, selector & 0x7f);
  if (selector === 0x100) {
    b.rewind(b.size - 2);
    b.raw(0x68, 0, 1, 0, 0);
  }
  b.note(FLAG_RULES.none);
  b.raw(0x68, ...little(BigInt(target), 4));
  b.note(FLAG_RULES.none);
  if (b.bits === 64) b.raw(0x48);
  if (b.rng.chance(30)) b.raw(0xca, ...little(BigInt(b.rng.pick([0, 8, 16])), 2));
  else b.raw(0xcb);
  b.note(FLAG_RULES.none);
  return "end";
}

function farJump32(b: CaseBuilder): Outcome {
  const selector = b.rng.pick([SEL_CODE32, SEL_CODE32, SEL_CODE64, 0, 0x10, SEL_DATA, 0x20, 0x53, 0x100]);
  b.compatibilityOnly ||= b.bits === 32 && selector === SEL_CODE64;
  b.raw(b.rng.pick([0x9a, 0xea]), ...little(BigInt(trapTarget(b)), 4), ...little(BigInt(selector), 2));
  b.note(FLAG_RULES.none);
  return "end";
}

/** The far pointer is pushed first, so the indirect forms find it at the top of the stack. */
function farIndirect(b: CaseBuilder): Outcome {
  const selector = b.rng.pick([SEL_CODE32, SEL_CODE64, 0, 0x10, SEL_DATA]);
  b.compatibilityOnly ||= b.bits === 32 && selector === SEL_CODE64;
  const target = trapTarget(b);
  if (b.bits === 32) {
    b.raw(0x68, ...little(BigInt(selector), 4));
    b.note(FLAG_RULES.none);
    b.raw(0x68, ...little(BigInt(target), 4));
    b.note(FLAG_RULES.none);
  } else {
    // m16:32 in one qword: offset in the low half, selector above.
    b.raw(0x48, 0xb8, ...little(BigInt(target) | (BigInt(selector) << 32n), 8));
    b.clobber(1);
    b.note(FLAG_RULES.none);
    b.raw(0x50);
    b.note(FLAG_RULES.none);
  }
  b.raw(0xff, b.rng.pick([0x1c, 0x2c]), 0x24);
  b.note(FLAG_RULES.none);
  return "end";
}

/** IRET to the same level, from a frame built on the stack. */
function interruptReturn(b: CaseBuilder): Outcome {
  if (b.size > 12) return "no";
  const flags = (b.rng.u32() & 0xcd5) | 0x202 | (b.rng.chance(20) ? 0x3000 : 0);
  const target = trapTarget(b);
  const none = () => b.note(FLAG_RULES.none);
  if (b.bits === 64) {
    b.raw(0x6a, b.rng.chance(90) ? SEL_DATA : b.rng.pick([0, 3, 0x18]));
    none();
    b.raw(0x68, ...little(BigInt(DATA_BASE + 0x800 + b.rng.below(0x100)), 4));
    none();
  }
  b.raw(0x68, ...little(BigInt(flags), 4));
  none();
  b.raw(
    0x6a,
    b.rng.chance(85)
      ? b.bits === 64 && b.rng.chance(60)
        ? SEL_CODE64
        : SEL_CODE32
      : b.rng.pick([0, 0x10, SEL_DATA, 0x53]),
  );
  none();
  b.raw(0x68, ...little(BigInt(target), 4));
  none();
  if (b.bits === 64) b.raw(0x48);
  b.raw(0xcf);
  b.note(FLAG_RULES.popf);
  return "end";
}

/** A store into the instruction that comes next. */
function selfModify(b: CaseBuilder): Outcome {
  if (b.size > 30) return "no";
  const value = b.rng.below(256);
  if (b.bits === 64) b.raw(0xc6, 0x05, 1, 0, 0, 0, value);
  else b.raw(0xc6, 0x05, ...little(BigInt(b.ip + 8), 4), value);
  b.note(FLAG_RULES.none);
  b.raw(0xb0, b.rng.below(256)); // mov al, imm8: the store replaced the immediate
  b.clobber(1);
  b.note(FLAG_RULES.none);
  return "more";
}

/** The same inside a loop: each turn changes the immediate that the next turn adds. */
function selfModifyLoop(b: CaseBuilder): Outcome {
  if (b.size > 8 || !b.pin(RCX, BigInt(2 + b.rng.below(12)))) return "no";
  b.branchy = true;
  const start = b.size;
  b.raw(0x05);
  const immediate = b.ip;
  b.raw(...little(b.rng.value(), 4)); // add eax, imm32
  if (b.bits === 64)
    b.raw(0x80, 0x05, ...little(BigInt.asUintN(32, BigInt(immediate - (b.ip + 7))), 4), b.rng.below(256));
  else b.raw(0x80, 0x05, ...little(BigInt(immediate), 4), b.rng.below(256));
  b.raw(0xe2, (start - b.size - 2) & 0xff);
  b.clobber(3);
  return "more";
}

function undefinedOpcode(b: CaseBuilder): Outcome {
  b.raw(...b.rng.pick(UNDEFINED_OPCODES[b.bits]));
  return "end";
}

function privileged(b: CaseBuilder): Outcome {
  b.raw(...b.rng.pick(PRIVILEGED));
  return "end";
}

/** INT3, INT n (not 80h, which is Linux's own door), INTO. */
function softwareInterrupt(b: CaseBuilder): Outcome {
  const kind = b.rng.below(4);
  if (kind === 0) b.raw(0xcc);
  else if (kind === 1 && b.bits === 32 && (b.taint & 0x800) === 0) b.raw(0xce);
  else {
    const vector = b.rng.chance(40) ? b.rng.pick([3, 4]) : b.rng.below(256);
    if (vector === 0x80) return "no";
    b.raw(0xcd, vector);
  }
  b.note(FLAG_RULES.none);
  return b.rng.chance(50) ? "end" : "more";
}

/** Many redundant prefixes: legal up to 15 bytes in all, #GP beyond. */
function longInstruction(b: CaseBuilder): Outcome {
  if (b.size > 40) return "no";
  const count = 9 + b.rng.below(8);
  for (let i = 0; i < count; i++) b.raw(b.rng.pick([0x66, 0x2e, 0x3e, 0x36]));
  b.raw(...b.rng.pick([[0x90], [0x40 | 0x89, 0xc8], [0x01, 0xd8]]));
  b.branchy = true;
  b.clobber(3);
  b.note({ reads: 0, writes: 0, undefined: 0 } satisfies FlagRule);
  return "end";
}

/** Memory operands at addresses that are not canonical: #GP, or #SS when the stack segment is used. */
function notCanonical(b: CaseBuilder): Outcome {
  const reg = b.rng.pick([3, 5, 6, 7, 13]);
  if (!b.pin(reg, 0x8000_0000_0000n + (b.rng.u64() & 0x7ff_ffff_ffffn))) return "no";
  b.emit({
    prefixes: [],
    opcode: [b.rng.pick([0x01, 0x03, 0x89, 0x8b])],
    rexW: b.rng.chance(50),
    reg: b.register(),
    memory: {
      mod: 1,
      rm: reg & 7,
      rexX: false,
      rexB: reg > 7,
      displacement: [b.rng.below(128)],
      prefixes: [],
      target: null,
    },
  });
  return "end";
}

/** RSP points to nothing, or just behind the data. */
function badStack(b: CaseBuilder): Outcome {
  if (b.size !== 0) return "no";
  const at = b.rng.pick([DATA_BASE, DATA_BASE + 2, DATA_BASE + DATA_BYTES - 4, DATA_BASE + 0x4000 + 0x20, 0x3000_0000]);
  b.regs[4] = b.bits === 64 && b.rng.chance(15) ? 0x8000_0000_0000n : BigInt(at);
  b.raw(...b.rng.pick([[0x50], [0x58], [0x6a, 1], [0xc9], [0xe8, 0, 0, 0, 0], [0x9c]]));
  return "end";
}

function conditionSweep(b: CaseBuilder): Outcome {
  // cmp r, r; then four SETcc into bytes: the lazy flags in every order
  if (b.taint !== 0 && b.size > 0) return "no";
  const form = FORMS[b.rng.below(FORMS.length)]!;
  if (!appendForm(b, form)) return "no";
  for (let i = 0; i < 3; i++) setCondition(b);
  return "more";
}

export const TEMPLATES: readonly Template[] = [
  { name: "cmovcc", weight: 30, append: conditionalMove },
  { name: "setcc", weight: 30, append: setCondition },
  { name: "jcc", weight: 25, append: jumpAway },
  { name: "skip", weight: 20, append: skip },
  { name: "loop", weight: 30, append: loop },
  { name: "loopcc", weight: 8, append: loopAway },
  { name: "jump", weight: 14, append: jump },
  { name: "call", weight: 12, append: callAndReturn },
  { name: "push-ret", weight: 6, append: pushAndReturn },
  { name: "enter", weight: 5, append: enter },
  { name: "string", weight: 40, append: strings },
  { name: "moffs", weight: 10, append: absoluteMove },
  { name: "popf", weight: 8, append: popFlags },
  { name: "mov-sreg", weight: 8, append: loadSegment },
  { name: "pop-sreg", weight: 3, mode: 32, append: popSegment },
  { name: "push-sreg", weight: 3, append: pushSegment },
  { name: "retf", weight: 6, append: farReturn },
  { name: "far-direct", weight: 4, mode: 32, append: farJump32 },
  { name: "far-indirect", weight: 5, append: farIndirect },
  { name: "iret", weight: 6, append: interruptReturn },
  { name: "smc", weight: 5, append: selfModify },
  { name: "smc-loop", weight: 5, append: selfModifyLoop },
  { name: "undefined", weight: 5, append: undefinedOpcode },
  { name: "privileged", weight: 4, append: privileged },
  { name: "int", weight: 5, append: softwareInterrupt },
  { name: "long", weight: 4, append: longInstruction },
  { name: "non-canonical", weight: 4, mode: 64, append: notCanonical },
  { name: "bad-stack", weight: 4, append: badStack },
  { name: "sweep", weight: 20, append: conditionSweep },
];
