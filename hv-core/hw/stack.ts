/**
 * The stack as far transfers use it: values pushed and popped at a position that is only written back when everything has worked.
 * A position is an offset in the stack segment; `mask` says how many of its bits count (16, 32 or 64).
 */
import { SEG_SS } from "../abi/cpu";
import { ACCESS_USER, ACCESS_WRITE } from "./access-kind";
import { AccessSlow } from "./access-slow";
import { Cpu } from "./cpu";
import { Mode } from "./mode";

export class Stack {
  /** Linear address of position `sp` in a segment with this base; flat in 64-bit mode. */
  @inline static linear(base: u64, mask: u64, sp: u64): u64 {
    return mask == 0xffff_ffff_ffff_ffff ? sp : (base + (sp & mask)) & 0xffff_ffff;
  }

  /** Base of the current stack segment, 0 in 64-bit mode. */
  @inline static base(c: Cpu): u64 {
    return Mode.is64(c) ? 0 : c.seg(SEG_SS).base;
  }

  /** Pops `size` bytes at `sp` of the current stack, with the rights of the current privilege. */
  static read(c: Cpu, sp: u64, size: u32): u64 {
    return AccessSlow.read(c, Stack.linear(Stack.base(c), Mode.stackMask(c), sp), SEG_SS, size);
  }

  /** Writes `size` bytes at `sp` (already lowered by the caller) of a stack used at privilege `cpl`. */
  static write(c: Cpu, base: u64, mask: u64, sp: u64, size: u32, value: u64, cpl: u32): void {
    const access = cpl == 3 ? ACCESS_WRITE | ACCESS_USER : ACCESS_WRITE;
    AccessSlow.writeStack(c, Stack.linear(base, mask, sp), size, value, access);
  }

  /** RSP after its position became `sp`: a 16-bit stack keeps the upper bits. */
  @inline static merge(old: u64, mask: u64, sp: u64): u64 {
    return mask == 0xffff ? (old & ~mask) | (sp & mask) : sp & mask;
  }
}
