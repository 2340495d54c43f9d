/**
 * What a repeated MOVS, STOS, INS or OUTS would go on to do, told with the exit of its next element: so that the hypervisor can
 * hand a whole run of elements to a device model at once (hv/emulate/rep.ts).
 *
 * Before: hw/exec-string.ts and hw/exec-system.ts at the exit. After: StringExit.finish, when the hypervisor has done some of them.
 */
import { FLAG_DF, FLAG_TF } from "../abi/regs";
import { Cpu } from "./cpu";
import { Reg, Size } from "./operand";
import { Rec } from "./record";

// Cpu.exitStringKind
export const STRING_NONE: u32 = 0;
export const STRING_MOVS: u32 = 1;
export const STRING_STOS: u32 = 2;
export const STRING_INS: u32 = 3;
export const STRING_OUTS: u32 = 4;

// Byte offsets in the register file.
const RCX: u32 = 8;
const RSI: u32 = 48;
const RDI: u32 = 56;

export class StringExit {
  /** Nothing is told for a last element, nor under TF: they go one by one. */
  static describe(c: Cpu, r: Rec, kind: u32, from: u64, to: u64): void {
    const addressSize = <u32>r.d;
    const bytes = Size.bytes(r.size);
    let count = Reg.get(c, RCX, addressSize);
    if ((c.rflags & FLAG_TF) != 0) return;
    if (kind != STRING_STOS && kind != STRING_INS) count = StringExit.unwrapped(c, RSI, addressSize, bytes, count);
    if (kind != STRING_OUTS) count = StringExit.unwrapped(c, RDI, addressSize, bytes, count);
    if (count < 2) return;
    c.exitStringKind = kind;
    c.exitStringSize = bytes;
    c.exitStringCount = count;
    c.exitStringFrom = from;
    c.exitStringTo = to;
    c.exitStringLength = <u32>r.len;
    c.exitStringAddress = addressSize;
  }

  /** How many of `count` elements come before the pointer wraps at its address size. */
  private static unwrapped(c: Cpu, pointer: u32, addressSize: u32, bytes: u32, count: u64): u64 {
    const offset = Reg.get(c, pointer, addressSize);
    const room = (c.rflags & FLAG_DF) != 0 ? offset : Size.mask(addressSize) - offset;
    const fit = room / <u64>bytes;
    return fit < count ? fit : count;
  }

  /** The hypervisor has done the first `count` elements: registers move on. @returns true when that was all of them. */
  static advance(c: Cpu, count: u64): bool {
    const kind = c.exitStringKind;
    const addressSize = c.exitStringAddress;
    const bytes = count * <u64>c.exitStringSize;
    const by: u64 = (c.rflags & FLAG_DF) != 0 ? -bytes : bytes;
    if (kind != STRING_STOS && kind != STRING_INS) StringExit.move(c, RSI, addressSize, by);
    if (kind != STRING_OUTS) StringExit.move(c, RDI, addressSize, by);
    StringExit.move(c, RCX, addressSize, -count);
    return Reg.get(c, RCX, addressSize) == 0;
  }

  private static move(c: Cpu, register: u32, addressSize: u32, by: u64): void {
    Reg.set(c, register, addressSize, Reg.get(c, register, addressSize) + by);
  }
}
