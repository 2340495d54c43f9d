/**
 * Building blocks of the executor's switch, all inline: `p` is the processor's address, `r` the record's. Nothing here faults or
 * touches guest memory. Flag operands are sign-extended (hw/flags.ts).
 */
import { Cpu } from "./cpu";
import { Alu } from "./exec-alu";
import { Flags } from "./flags";
import { Rec, SCALE_MASK } from "./record";

/** Operands of the record at `r`. */
export class At {
  @inline static d8(p: usize, r: usize): u32 {
    return load<u8>(p + <usize>Rec.at(r).d);
  }

  @inline static s8(p: usize, r: usize): u32 {
    return load<u8>(p + <usize>Rec.at(r).s);
  }

  @inline static s16(p: usize, r: usize): u32 {
    return load<u16>(p + <usize>Rec.at(r).s);
  }

  @inline static d32(p: usize, r: usize): u32 {
    return load<u32>(p + <usize>Rec.at(r).d);
  }

  @inline static s32(p: usize, r: usize): u32 {
    return load<u32>(p + <usize>Rec.at(r).s);
  }

  @inline static d64(p: usize, r: usize): u64 {
    return load<u64>(p + <usize>Rec.at(r).d);
  }

  @inline static s64(p: usize, r: usize): u64 {
    return load<u64>(p + <usize>Rec.at(r).s);
  }

  @inline static i32(r: usize): u32 {
    return <u32>Rec.at(r).imm;
  }

  @inline static i64(r: usize): u64 {
    return Rec.at(r).imm;
  }

  @inline static seg(r: usize): u32 {
    return Rec.at(r).seg;
  }

  @inline static set8(p: usize, r: usize, value: u32): void {
    store<u8>(p + <usize>Rec.at(r).d, <u8>value);
  }

  @inline static set32(p: usize, r: usize, value: u32): void {
    store<u64>(p + <usize>Rec.at(r).d, <u64>value);
  }

  @inline static set64(p: usize, r: usize, value: u64): void {
    store<u64>(p + <usize>Rec.at(r).d, value);
  }

  /** base + (index << scale) + displacement. */
  @inline static offset(p: usize, r: usize): u64 {
    const record = Rec.at(r);
    const scale: u64 = <u32>record.scaleSeg & SCALE_MASK;
    return load<u64>(p + <usize>record.base) + (load<u64>(p + <usize>record.index) << scale) + <u64>(<i64>record.disp);
  }

  /** Linear address; `wrap` cuts it to 32 bits outside 64-bit mode. */
  @inline static lin(p: usize, r: usize, wrap: u64): u64 {
    return (At.offset(p, r) + load<u64>(p + <usize>Rec.at(r).segBase)) & wrap;
  }

  /** The same with neither index nor segment base; 64-bit mode only. */
  @inline static linBase(p: usize, r: usize): u64 {
    return load<u64>(p + <usize>Rec.at(r).base) + <u64>(<i64>Rec.at(r).disp);
  }
}

/** 32-bit arithmetic into register `d`. */
export class Op32 {
  @inline private static wide(value: u32): u64 {
    return <u64>(<i64>(<i32>value));
  }

  @inline static add(c: Cpu, p: usize, r: usize, a: u32, b: u32): void {
    const result = a + b;
    At.set32(p, r, result);
    Flags.setAdd(c, Op32.wide(result), Op32.wide(a), Op32.wide(b));
  }

  @inline static sub(c: Cpu, p: usize, r: usize, a: u32, b: u32): void {
    At.set32(p, r, a - b);
    Op32.cmp(c, a, b);
  }

  @inline static cmp(c: Cpu, a: u32, b: u32): void {
    Flags.setSub(c, Op32.wide(a - b), Op32.wide(a), Op32.wide(b));
  }

  @inline static logic(c: Cpu, p: usize, r: usize, result: u32): void {
    At.set32(p, r, result);
    Flags.setLogic(c, Op32.wide(result));
  }

  @inline static test(c: Cpu, a: u32, b: u32): void {
    Flags.setLogic(c, Op32.wide(a & b));
  }

  @inline static inc(c: Cpu, p: usize, r: usize): void {
    const a = At.d32(p, r);
    Alu.setInc(c, Op32.wide(a + 1), Op32.wide(a));
    At.set32(p, r, a + 1);
  }

  @inline static dec(c: Cpu, p: usize, r: usize): void {
    const a = At.d32(p, r);
    Alu.setDec(c, Op32.wide(a - 1), Op32.wide(a));
    At.set32(p, r, a - 1);
  }

  // Shifts by a constant 1..31.

  @inline static shl(c: Cpu, p: usize, r: usize): void {
    const a = At.d32(p, r);
    const n = At.i32(r);
    const result = a << n;
    const carry = (a >> (32 - n)) & 1;
    At.set32(p, r, result);
    Flags.setImage(c, Op32.wide(result), carry | (((result >> 31) ^ carry) << 11));
  }

  @inline static shr(c: Cpu, p: usize, r: usize): void {
    const a = At.d32(p, r);
    const n = At.i32(r);
    const overflow: u32 = n == 1 ? a >> 31 : 0;
    At.set32(p, r, a >> n);
    Flags.setImage(c, Op32.wide(a >> n), ((a >> (n - 1)) & 1) | (overflow << 11));
  }

  @inline static sar(c: Cpu, p: usize, r: usize): void {
    const a = <i32>At.d32(p, r);
    const n = <i32>At.i32(r);
    At.set32(p, r, <u32>(a >> n));
    Flags.setImage(c, <u64>(<i64>(a >> n)), <u32>(a >> (n - 1)) & 1);
  }
}

/** 64-bit arithmetic into register `d`. */
export class Op64 {
  @inline static add(c: Cpu, p: usize, r: usize, a: u64, b: u64): void {
    At.set64(p, r, a + b);
    Flags.setAdd(c, a + b, a, b);
  }

  @inline static sub(c: Cpu, p: usize, r: usize, a: u64, b: u64): void {
    At.set64(p, r, a - b);
    Flags.setSub(c, a - b, a, b);
  }

  @inline static cmp(c: Cpu, a: u64, b: u64): void {
    Flags.setSub(c, a - b, a, b);
  }

  @inline static logic(c: Cpu, p: usize, r: usize, result: u64): void {
    At.set64(p, r, result);
    Flags.setLogic(c, result);
  }

  @inline static test(c: Cpu, a: u64, b: u64): void {
    Flags.setLogic(c, a & b);
  }

  @inline static inc(c: Cpu, p: usize, r: usize): void {
    const a = At.d64(p, r);
    Alu.setInc(c, a + 1, a);
    At.set64(p, r, a + 1);
  }

  @inline static dec(c: Cpu, p: usize, r: usize): void {
    const a = At.d64(p, r);
    Alu.setDec(c, a - 1, a);
    At.set64(p, r, a - 1);
  }

  // Shifts by a constant 1..63.

  @inline static shl(c: Cpu, p: usize, r: usize): void {
    const a = At.d64(p, r);
    const n = At.i64(r);
    const result = a << n;
    const carry = (a >> (64 - n)) & 1;
    At.set64(p, r, result);
    Flags.setImage(c, result, <u32>(carry | (((result >> 63) ^ carry) << 11)));
  }

  @inline static shr(c: Cpu, p: usize, r: usize): void {
    const a = At.d64(p, r);
    const n = At.i64(r);
    const overflow: u64 = n == 1 ? a >> 63 : 0;
    At.set64(p, r, a >> n);
    Flags.setImage(c, a >> n, <u32>(((a >> (n - 1)) & 1) | (overflow << 11)));
  }

  @inline static sar(c: Cpu, p: usize, r: usize): void {
    const a = <i64>At.d64(p, r);
    const n = <i64>At.i64(r);
    At.set64(p, r, <u64>(a >> n));
    Flags.setImage(c, <u64>(a >> n), <u32>(a >> (n - 1)) & 1);
  }
}

export class Op8 {
  @inline private static wide(value: u32): u64 {
    return <u64>(<i64>(<i8>value));
  }

  @inline static cmp(c: Cpu, a: u32, b: u32): void {
    Flags.setSub(c, Op8.wide(a - b), Op8.wide(a), Op8.wide(b));
  }

  @inline static test(c: Cpu, a: u32, b: u32): void {
    Flags.setLogic(c, Op8.wide(a & b));
  }
}
