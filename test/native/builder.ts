/**
 * Builds the bytes of one case: encodes instructions by hand (prefixes, REX, ModRM, SIB, every addressing form), chooses the initial
 * registers so that memory operands land in the data pages, and keeps book of undefined flags.
 * Registers are "pinned" once their initial value matters, and "clobbered" once an instruction has changed them.
 * Before: forms.ts says what an opcode looks like. Next: generate.ts puts cases together.
 */
import { CODE_MAX, type TestCase } from "./case-format.ts";
import { CODE_BASE, DATA_BASE, DATA_BYTES, FS_BASE, GS_BASE, READ_ONLY_BASE } from "./layout.ts";
import type { Random } from "./random.ts";
import type { FlagRule } from "./undefined-flags.ts";

export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RBX = 3;
export const RSP = 4;
export const RBP = 5;
export const RSI = 6;
export const RDI = 7;

export type Bits = 32 | 64;
export type OperandSize = 8 | 16 | 32 | 64;

/** What one instruction is made of; `emit` turns it into bytes. */
export interface Encoding {
  /** Prefix bytes in order, 66 and 67 and segment overrides included; REX comes after them. */
  prefixes: number[];
  rexW?: boolean;
  opcode: readonly number[];
  /** ModRM.reg, 0..15. */
  reg?: number;
  /** Register form: ModRM.rm, 0..15. */
  rm?: number;
  memory?: MemoryOperand;
  /** Low three bits (and REX.B) added to the last opcode byte, as in PUSH r. */
  opcodeReg?: number;
  immediate?: readonly number[];
  /** An 8-bit register operand: SPL..DIL need a REX prefix, AH..BH forbid one. */
  byteRegister?: boolean;
}

/** A memory operand, encoded: ModRM.mod, rm, SIB and displacement. */
export interface MemoryOperand {
  mod: number;
  rm: number;
  sib?: number;
  rexX: boolean;
  rexB: boolean;
  displacement: number[];
  /** Displacement counts from the end of the instruction to this address. */
  ripTarget?: number;
  prefixes: number[];
  /** The linear address, when it is known. */
  target: number | null;
}

/** ES CS SS DS: they mean nothing in 64-bit mode; a store through CS in 32-bit mode is #GP. */
const SEGMENT_OVERRIDES = [0x26, 0x2e, 0x36, 0x3e] as const;

export interface MemoryWish {
  /** Size of the access in bytes; 0: only the address is computed. */
  bytes: number;
  /** Multiple that the address must be of (locked accesses must not cross cache lines). */
  align?: number;
}

export class CaseBuilder {
  readonly rng: Random;
  readonly bits: Bits;
  readonly regs = new BigUint64Array(16);
  readonly data: Uint8Array;
  readonly codeOffset: number;
  flags: number;
  /** Set when the case leaves the straight path (loops, skips): flags once undefined then stay undefined. */
  branchy = false;
  /** Set when 32-bit code names the 64-bit code segment. */
  compatibilityOnly = false;
  /** Set while memory must stay as it is (a return address on the stack). */
  registersOnly = false;
  private readonly bytes = new Uint8Array(CODE_MAX + 32);
  private length = 0;
  private pinned = 0;
  private clobbered = 0;
  private tainted = 0;
  private readonly undefinedAt: [number, number][] = [[0, 0]];

  constructor(rng: Random, bits: Bits, data: Uint8Array, codeOffset: number) {
    this.rng = rng;
    this.bits = bits;
    this.data = data;
    this.codeOffset = codeOffset;
    for (let i = 0; i < 16; i++) this.regs[i] = bits === 32 ? (i < 8 ? rng.value() & 0xffff_ffffn : 0n) : rng.value();
    this.regs[RSP] = BigInt(DATA_BASE + 0x400 + rng.below(0x1800) - (rng.chance(80) ? 0 : 3));
    if (rng.chance(80)) this.regs[RSP] = this.regs[RSP]! & ~7n;
    this.flags = rng.u32() & 0x8d5;
    if (rng.chance(15)) this.flags |= 0x400;
  }

  get size(): number {
    return this.length;
  }

  /** Linear address of the next instruction. */
  get ip(): number {
    return CODE_BASE + this.codeOffset + this.length;
  }

  get taint(): number {
    return this.tainted;
  }

  /** Whether the case's start value of the register is still there when the next instruction runs. */
  isKnown(reg: number): boolean {
    return (this.clobbered & (1 << reg)) === 0;
  }

  isFree(reg: number): boolean {
    return ((this.clobbered | this.pinned) & (1 << reg)) === 0 && reg !== RSP;
  }

  /** Fixes the initial value; false when the register is no longer ours to choose. */
  pin(reg: number, value: bigint): boolean {
    if (!this.isFree(reg)) return false;
    this.regs[reg] = this.bits === 32 ? value & 0xffff_ffffn : BigInt.asUintN(64, value);
    this.pinned |= 1 << reg;
    return true;
  }

  /** Keeps the initial value as it is from now on, and returns it; null when an instruction has changed the register. */
  hold(reg: number): bigint | null {
    if (!this.isKnown(reg)) return null;
    this.pinned |= 1 << reg;
    return this.regs[reg]!;
  }

  clobber(mask: number): void {
    this.clobbered |= mask;
  }

  register(): number {
    return this.rng.below(this.bits === 64 ? 16 : 8);
  }

  /** Where a memory access of the case goes: mostly inside the data pages, sometimes over a border, sometimes nowhere. */
  target(wish: MemoryWish): number {
    const r = this.rng;
    const align = wish.align ?? 1;
    const kind = r.below(100);
    let at: number;
    if (kind < 40) at = DATA_BASE + r.below(DATA_BYTES / 8) * 8;
    else if (kind < 75) at = DATA_BASE + r.below(DATA_BYTES);
    else if (kind < 87) at = DATA_BASE + 0x1000 - 8 + r.below(12);
    else if (kind < 91) at = DATA_BASE + DATA_BYTES - 8 + r.below(12);
    else if (kind < 93) at = DATA_BASE - 8 + r.below(8);
    else if (kind < 97) at = READ_ONLY_BASE + r.below(0x1000);
    else at = 0x3000_0000 + r.below(0x1000);
    return at - (at % align);
  }

  /** A memory operand for the next instruction. */
  memory(wish: MemoryWish): MemoryOperand {
    const r = this.rng;
    const target = this.target(wish);
    const prefixes: number[] = [];
    let segmentBase = 0;
    if (this.bits === 64 && r.chance(6)) {
      prefixes.push(r.chance(50) ? 0x64 : 0x65);
      segmentBase = prefixes[0] === 0x64 ? FS_BASE : GS_BASE;
    } else if (r.chance(4)) prefixes.push(r.pick(SEGMENT_OVERRIDES));
    let addressBits = this.bits as number;
    if (r.chance(4)) {
      prefixes.push(0x67);
      addressBits = this.bits === 64 ? 32 : 16;
    }
    if (addressBits === 16) return this.memory16(prefixes);
    const wanted = BigInt(target - segmentBase);
    const mask = addressBits === 32 ? 0xffff_ffffn : 0xffff_ffff_ffff_ffffn;
    if (this.bits === 64 && addressBits === 64 && r.chance(10) && segmentBase === 0) {
      return {
        mod: 0,
        rm: 5,
        rexX: false,
        rexB: false,
        displacement: [0, 0, 0, 0],
        ripTarget: target,
        prefixes,
        target,
      };
    }
    if (r.chance(6)) {
      const displacement = little(wanted & 0xffff_ffffn, 4);
      const usable = segmentBase === 0 || addressBits === 32;
      if (this.bits === 32) return { mod: 0, rm: 5, rexX: false, rexB: false, displacement, prefixes, target };
      if (usable)
        return {
          mod: 0,
          rm: 4,
          sib: (r.below(4) << 6) | 0x25,
          rexX: false,
          rexB: false,
          displacement,
          prefixes,
          target,
        };
    }
    const base = this.register();
    const withIndex = r.chance(45) || (base & 7) === 4;
    let index = withIndex ? this.register() : 4;
    const scale = r.below(4);
    const noBase = withIndex && r.chance(10);
    // mod 0 with base 5 (RBP, R13) means "no base": that is the noBase form.
    let mod = noBase ? 0 : r.below(3);
    if (!noBase && mod === 0 && (base & 7) === 5) mod = 1 + r.below(2);
    const dispBytes = noBase ? 4 : [0, 1, 4][mod]!;
    let indexPart = 0n;
    if (index !== 4) {
      if (index === base && !noBase) index = 4;
      else if (this.isFree(index) && r.chance(80)) this.pin(index, BigInt(r.below(256) - 128));
      if (index !== 4) {
        const held = this.hold(index);
        if (held !== null) indexPart = held << BigInt(scale);
      }
    }
    let displacement = dispBytes === 0 ? 0n : dispBytes === 1 ? BigInt(r.below(256) - 128) : BigInt(r.u32() | 0);
    const fitsIn = (value: bigint) =>
      dispBytes === 4 && BigInt.asIntN(32, value) === (addressBits === 32 ? BigInt.asIntN(32, value) : value);
    if (noBase) {
      const need = BigInt.asIntN(addressBits, (wanted - indexPart) & mask);
      if (fitsIn(need)) displacement = BigInt.asIntN(32, need);
    } else if (this.isFree(base)) {
      this.pin(base, (wanted - indexPart - displacement) & mask);
    } else {
      const need = BigInt.asIntN(addressBits, (wanted - indexPart - (this.hold(base) ?? 0n)) & mask);
      if (fitsIn(need)) displacement = BigInt.asIntN(32, need);
    }
    const known = this.isKnown(base) && (index === 4 || this.isKnown(index));
    const operand: MemoryOperand = {
      mod,
      rm: base & 7,
      rexX: index > 7,
      rexB: base > 7,
      displacement: little(BigInt.asUintN(64, displacement), dispBytes),
      prefixes,
      target: known ? target : null,
    };
    if (withIndex || (base & 7) === 4 || r.chance(3)) {
      operand.rm = 4;
      operand.sib = (scale << 6) | ((index & 7) << 3) | (noBase ? 5 : base & 7);
      if (noBase) operand.rexB = r.chance(50);
    }
    if (this.bits === 32) {
      operand.rexX = false;
      operand.rexB = false;
    }
    return operand;
  }

  /** 16-bit addressing reaches only the first 64 KiB, where nothing is mapped: the #PF's CR2 shows the address. */
  private memory16(prefixes: number[]): MemoryOperand {
    const mod = this.rng.below(3);
    const rm = this.rng.below(8);
    const bytes = mod === 0 ? (rm === 6 ? 2 : 0) : mod;
    const displacement = little(BigInt(this.rng.below(0x10000)), bytes);
    return { mod, rm, rexX: false, rexB: false, displacement, prefixes, target: null };
  }

  /** Appends one instruction. False (and nothing appended) when it does not fit. */
  emit(e: Encoding): boolean {
    const start = this.length;
    const out: number[] = [];
    const memory = e.memory;
    for (const p of memory ? [...e.prefixes, ...memory.prefixes] : e.prefixes) out.push(p);
    let rex = 0;
    if (this.bits === 64) {
      if (e.rexW) rex |= 0x48;
      if (e.reg !== undefined && e.reg > 7) rex |= 0x44;
      if (memory?.rexX) rex |= 0x42;
      if (memory?.rexB || (e.rm !== undefined && e.rm > 7) || (e.opcodeReg !== undefined && e.opcodeReg > 7))
        rex |= 0x41;
      if (rex === 0 && this.rng.chance(e.byteRegister ? 50 : 3)) rex = 0x40;
      if (rex !== 0) out.push(rex);
    }
    for (const b of e.opcode) out.push(b);
    if (e.opcodeReg !== undefined) out[out.length - 1] = out[out.length - 1]! | (e.opcodeReg & 7);
    let ripAt = -1;
    if (e.reg !== undefined) {
      if (memory) {
        out.push((memory.mod << 6) | ((e.reg & 7) << 3) | memory.rm);
        if (memory.sib !== undefined) out.push(memory.sib);
        if (memory.ripTarget !== undefined) ripAt = out.length;
        for (const b of memory.displacement) out.push(b);
      } else out.push(0xc0 | ((e.reg & 7) << 3) | (e.rm! & 7));
    } else if (memory) for (const b of memory.displacement) out.push(b); // moffs
    if (e.immediate) for (const b of e.immediate) out.push(b);
    if (start + out.length > CODE_MAX) return false;
    if (ripAt >= 0) {
      const distance = memory!.ripTarget! - (CODE_BASE + this.codeOffset + start + out.length);
      out.splice(ripAt, 4, ...little(BigInt.asUintN(32, BigInt(distance)), 4));
    }
    this.bytes.set(out, start);
    this.length += out.length;
    return true;
  }

  /** Appends bytes as they are. */
  raw(...bytes: number[]): boolean {
    if (this.length + bytes.length > CODE_MAX) return false;
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
    return true;
  }

  patch(at: number, value: number): void {
    this.bytes[at] = value;
  }

  /** Takes back everything after `length`. */
  rewind(length: number): void {
    this.length = length;
  }

  /** Accounts for the flags of the instruction just appended. */
  note(rule: FlagRule): void {
    const kept = this.branchy ? this.tainted : this.tainted & ~rule.writes;
    this.tainted = kept | rule.undefined;
    this.undefinedAt.push([this.length, this.tainted]);
  }

  /** The case, complete. */
  finish(): TestCase {
    // Off the straight path any of them may be undefined at the end.
    const all = this.undefinedAt.reduce((mask, [, one]) => mask | one, 0);
    const undefinedAt = this.branchy ? ([[0, all]] as const) : this.undefinedAt;
    return {
      bits: this.bits,
      compatibilityOnly: this.compatibilityOnly,
      codeOffset: this.codeOffset,
      code: this.bytes.slice(0, this.length),
      flags: this.flags,
      regs: this.regs,
      undefinedAt,
    };
  }
}

/** The low `count` bytes of a value, little endian. */
export function little(value: bigint, count: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < count; i++) out.push(Number((value >> BigInt(8 * i)) & 0xffn));
  return out;
}
