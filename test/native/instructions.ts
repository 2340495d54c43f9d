/**
 * Appends one instruction of a form (forms.ts) to a case: chooses operand size, operands, prefixes and immediates, and the initial
 * values that make it interesting (a quotient that fits, a count around the operand size, an address inside the data).
 * Before: forms.ts, builder.ts. Next: templates.ts for control flow, strings and segments.
 */
import { type CaseBuilder, type Encoding, little, type OperandSize, RAX, RCX, RDX } from "./builder.ts";
import type { Form } from "./forms.ts";
import { DATA_BASE, DATA_BYTES, READ_ONLY_BASE } from "./layout.ts";
import { FLAG_RULES, type FlagRule, shiftRule } from "./undefined-flags.ts";

const COUNTS = [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 18, 24, 31, 32, 33, 34, 63, 64, 65, 127, 128, 255];

/** Segment registers that MOV r/m, Sreg may read here: ES CS SS DS FS GS. */
const READABLE_SEGMENTS = 6;

/** Tries to append an instruction of the form; false leaves the case as it was. */
export function appendForm(b: CaseBuilder, form: Form): boolean {
  const r = b.rng;
  const base = FLAG_RULES[form.flags] as FlagRule;
  if (b.registersOnly && form.only === "memory") return false;
  if (form.mode !== undefined && form.mode !== b.bits) return false;
  if ((base.reads & b.taint) !== 0) return false;
  const is64 = b.bits === 64;
  const stack = form.prepare === "stack";
  const sizes = form.sizes.filter((s) => s !== 64 || (is64 && !stack));
  if (sizes.length === 0) return false;
  const size = r.pick(sizes) as OperandSize;
  /** What the stack sees: PUSH and its family are 64-bit in 64-bit mode unless 66 says 16. */
  const effective = stack && is64 && size === 32 ? 64 : size;
  const e: Encoding = { prefixes: [], opcode: form.opcode };
  if (size === 8) e.byteRegister = true;
  if (form.mandatory !== undefined) e.prefixes.push(form.mandatory);
  if (size === 64) e.rexW = true;
  else if (size === 16) e.prefixes.unshift(0x66);
  else if (stack && is64 && r.chance(10)) e.rexW = true;

  let reg = -1;
  let rm = -1;
  if (form.inOpcode) {
    reg = b.register();
    if (stack && form.name === "pop" && reg === 4 && r.chance(80)) return false;
    e.opcodeReg = reg;
  }
  if (form.modrm !== undefined) {
    reg =
      form.modrm === "r" ? (form.name === "mov from segment" ? r.below(READABLE_SEGMENTS) : b.register()) : form.modrm;
    e.reg = reg;
    const wantsMemory = !b.registersOnly && (form.only === "memory" || (form.only !== "register" && r.chance(55)));
    if (wantsMemory) {
      const bytes = form.memoryBytes ?? effective / 8;
      const locked = form.lockable === true && (form.prepare === "alignLock" || r.chance(8));
      const access = form.name === "cmpxchg8b" && size === 64 ? 16 : bytes;
      const aligned = locked || access === 16;
      e.memory = b.memory(aligned ? { bytes: access, align: access } : { bytes: access });
      if (locked) {
        const target = e.memory.target;
        // An address that we no longer control may cross a cache line: then the lock would be split.
        if (target === null || target % access !== 0) return false;
        if (form.prepare !== "alignLock" || r.chance(30)) e.prefixes.unshift(0xf0);
      }
    } else {
      rm = b.register();
      e.rm = rm;
      if (r.chance(1) && form.lockable) e.prefixes.unshift(0xf0); // LOCK with a register destination: #UD
    }
  }
  if (form.immediate !== undefined) e.immediate = immediateOf(b, form, size);

  let rule = base;
  switch (form.prepare) {
    case "divide":
      if (!prepareDivision(b, form, e, size, rm)) return false;
      break;
    case "bitOffset":
      if (e.memory && !b.pin(reg, BigInt(r.below(0x800) - 0x400)) && r.chance(90)) return false;
      // The bit's own address may cross a cache line whatever the operand's is.
      if (e.prefixes.includes(0xf0)) return false;
      break;
    case "scan":
      if (!sourceIsNotZero(b, e, size, rm)) return false;
      break;
    case "cmpxchg":
      // The upper half of a 32-bit register that does not match: Intel clears it, AMD keeps it.
      if (rm >= 0 && size === 32 && b.bits === 64 && !b.pin(rm, BigInt(r.u32()))) return false;
      if (r.chance(60) && !e.memory && rm >= 0 && b.isFree(RAX)) b.pin(RAX, b.hold(rm) ?? 0n);
      else if (e.memory?.target) pinToMemory(b, e.memory.target, form.name === "cmpxchg8b");
      break;
  }
  if (base.count !== undefined) {
    const count = shiftCount(b, form, e);
    rule = shiftRule(base, size, count);
    if ((rule.reads & b.taint) !== 0) return false;
    // The result, not only the flags, is undefined beyond the operand size.
    if (base.count === "double" && size === 16 && (count === null || (count & 31) > 16)) return false;
  }
  if (!e.memory && form.memoryBytes !== 0 && r.chance(2)) e.prefixes.push(r.pick([0x2e, 0x36, 0x3e, 0x26]));
  if (!b.emit(e)) return false;

  let clobbered = form.fixed ?? 0;
  if (form.inOpcode && form.name !== "push") clobbered |= registerMask(b, reg, size);
  if (form.writes === "reg" || form.writes === "both") clobbered |= registerMask(b, reg, size);
  if (form.writes !== "reg" && form.writes !== undefined && rm >= 0) clobbered |= registerMask(b, rm, size);
  if (form.name === "leave") clobbered |= (1 << 4) | (1 << 5);
  b.clobber(clobbered);
  b.note(rule);
  return true;
}

/** A byte operand 4..7 is AH..BH without REX: account for both. */
function registerMask(_b: CaseBuilder, reg: number, size: number): number {
  return size === 8 && reg < 8 ? (1 << reg) | (1 << (reg & 3)) : 1 << reg;
}

function immediateOf(b: CaseBuilder, form: Form, size: OperandSize): number[] {
  const bytes =
    form.immediate === "z" ? (size === 16 ? 2 : 4) : form.immediate === "v" ? size / 8 : (form.immediate as number);
  const isCount = bytes === 1 && (FLAG_RULES[form.flags] as FlagRule).count !== undefined;
  return little(isCount ? BigInt(b.rng.pick(COUNTS)) : b.rng.value(), bytes);
}

function shiftCount(b: CaseBuilder, form: Form, e: Encoding): number | null {
  if (e.immediate !== undefined) return e.immediate[0]!;
  const last = form.opcode[form.opcode.length - 1]!;
  if (last === 0xd0 || last === 0xd1) return 1;
  if (b.isFree(RCX)) b.pin(RCX, (b.rng.u64() & ~0xffn) | BigInt(b.rng.pick(COUNTS)));
  const held = b.hold(RCX);
  return held === null ? null : Number(held & 0xffn);
}

/** Makes the quotient fit most of the time. */
function prepareDivision(b: CaseBuilder, form: Form, e: Encoding, size: OperandSize, rm: number): boolean {
  if (b.rng.chance(25)) return true;
  if (rm === RAX || rm === RDX || (size === 8 && rm === 4)) return true;
  if (e.memory) {
    b.pin(RDX, 0n);
    return true;
  }
  const signed = form.name === "idiv";
  const divisor = b.rng.value() | 1n;
  b.pin(rm, divisor);
  const high = signed && b.rng.chance(40) ? -1n : 0n;
  if (size === 8) b.pin(RAX, BigInt.asUintN(64, (b.rng.value() & ~0xff00n) | ((high & 0xffn) << 8n)));
  else b.pin(RDX, BigInt.asUintN(64, high));
  return true;
}

/** BSF and BSR of zero leave an undefined destination: only sources that are certainly not zero. */
function sourceIsNotZero(b: CaseBuilder, e: Encoding, size: OperandSize, rm: number): boolean {
  const mask = (1n << BigInt(size)) - 1n;
  if (!e.memory) {
    if (b.isFree(rm)) b.pin(rm, b.rng.value());
    const held = b.hold(rm);
    return held !== null && (held & mask) !== 0n;
  }
  // Memory is known only before the first instruction.
  if (b.size !== 0 || e.memory.target === null) return false;
  const value = initialMemory(b, e.memory.target, size / 8);
  return value === null || value !== 0n;
}

/** The first instruction's memory operand before anything ran; null outside the data. */
function initialMemory(b: CaseBuilder, target: number, bytes: number): bigint | null {
  let offset = target - DATA_BASE;
  if (target >= READ_ONLY_BASE && target + bytes <= READ_ONLY_BASE + 0x1000) offset = target - READ_ONLY_BASE;
  if (offset < 0 || offset + bytes > DATA_BYTES) return null;
  let value = 0n;
  for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(b.data[offset + i]!);
  return value;
}

/** Puts what memory holds into the accumulator, so that a compare-and-exchange succeeds. */
function pinToMemory(b: CaseBuilder, target: number, pair: boolean): void {
  const value = initialMemory(b, target, 8);
  if (value === null || !b.rng.chance(60)) return;
  if (!pair || b.bits === 64) b.pin(RAX, value);
  if (!pair) return;
  if (b.rng.chance(50)) b.pin(RAX, value & 0xffff_ffffn);
  b.pin(RDX, b.rng.chance(50) ? value >> 32n : (initialMemory(b, target + 8, 8) ?? 0n));
}
