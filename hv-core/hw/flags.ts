/**
 * Lazy arithmetic flags. An operation leaves its operands and result in the processor; a flag is computed when somebody asks.
 *
 * All three values are kept sign-extended from the operand size to 64 bits. That keeps both signed and unsigned order, so no
 * flag depends on the size any more: CF of a subtraction is `a < b`, SF is bit 63, ZF is `result == 0`.
 *
 * | flagKind    | CF          | OF                     | AF           | ZF SF PF |
 * |-------------|-------------|------------------------|--------------|----------|
 * | FLAGS_STORED| all six stand in rflags                                        |
 * | FLAGS_SUB   | a < b       | (a ^ b) & (a ^ result) | a ^ b ^ result | result |
 * | FLAGS_ADD   | result < a  | (a ^ r) & (b ^ r)      | a ^ b ^ result | result |
 * | FLAGS_IMAGE | CF, AF and OF are bits of flagB, as in RFLAGS           | result |
 *
 * A logical operation is FLAGS_SUB with a = result, b = 0: CF = OF = AF = 0.
 * Functions of other files see rflags complete: the run loop calls `Flags.settle` before it hands the processor over.
 */
import { FLAG_AF, FLAG_CF, FLAG_OF, FLAG_PF, FLAG_SF, FLAG_ZF } from "../abi/regs";
import { Cpu } from "./cpu";

export const FLAGS_STORED: u32 = 0;
export const FLAGS_SUB: u32 = 1;
export const FLAGS_ADD: u32 = 2;
export const FLAGS_IMAGE: u32 = 3;

/** CF PF AF ZF SF OF. */
export const FLAGS_ARITHMETIC: u32 = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF;

export class Flags {
  @inline static setSub(c: Cpu, result: u64, a: u64, b: u64): void {
    c.flagResult = result;
    c.flagA = a;
    c.flagB = b;
    c.flagKind = FLAGS_SUB;
  }

  @inline static setAdd(c: Cpu, result: u64, a: u64, b: u64): void {
    c.flagResult = result;
    c.flagA = a;
    c.flagB = b;
    c.flagKind = FLAGS_ADD;
  }

  @inline static setLogic(c: Cpu, result: u64): void {
    c.flagResult = result;
    c.flagA = result;
    c.flagB = 0;
    c.flagKind = FLAGS_SUB;
  }

  /** ZF SF PF from `result`; CF, AF, OF from `image`. */
  @inline static setImage(c: Cpu, result: u64, image: u32): void {
    c.flagResult = result;
    c.flagB = <u64>image;
    c.flagKind = FLAGS_IMAGE;
  }

  /** Replaces all six. */
  @inline static store(c: Cpu, image: u32): void {
    c.rflags = (c.rflags & ~FLAGS_ARITHMETIC) | (image & FLAGS_ARITHMETIC);
    c.flagKind = FLAGS_STORED;
  }

  @inline static carry(c: Cpu): bool {
    const kind = c.flagKind;
    if (kind == FLAGS_SUB) return c.flagA < c.flagB;
    return Flags.carryOther(c, kind);
  }

  private static carryOther(c: Cpu, kind: u32): bool {
    if (kind == FLAGS_ADD) return c.flagResult < c.flagA;
    if (kind == FLAGS_IMAGE) return (c.flagB & FLAG_CF) != 0;
    return (c.rflags & FLAG_CF) != 0;
  }

  @inline static zero(c: Cpu): bool {
    return c.flagKind ? c.flagResult == 0 : (c.rflags & FLAG_ZF) != 0;
  }

  @inline static sign(c: Cpu): bool {
    return c.flagKind ? <i64>c.flagResult < 0 : (c.rflags & FLAG_SF) != 0;
  }

  static overflow(c: Cpu): bool {
    const kind = c.flagKind;
    const a = c.flagA;
    const result = c.flagResult;
    if (kind == FLAGS_SUB) return <i64>((a ^ c.flagB) & (a ^ result)) < 0;
    if (kind == FLAGS_ADD) return <i64>((a ^ result) & (c.flagB ^ result)) < 0;
    if (kind == FLAGS_IMAGE) return (c.flagB & FLAG_OF) != 0;
    return (c.rflags & FLAG_OF) != 0;
  }

  static parity(c: Cpu): bool {
    if (c.flagKind) return (popcnt<u32>(<u32>c.flagResult & 0xff) & 1) == 0;
    return (c.rflags & FLAG_PF) != 0;
  }

  static adjust(c: Cpu): bool {
    const kind = c.flagKind;
    if (kind == FLAGS_STORED) return (c.rflags & FLAG_AF) != 0;
    if (kind == FLAGS_IMAGE) return (c.flagB & FLAG_AF) != 0;
    return ((c.flagA ^ c.flagB ^ c.flagResult) & FLAG_AF) != 0;
  }

  /** Signed less: SF != OF. */
  @inline static less(c: Cpu): bool {
    if (c.flagKind == FLAGS_SUB) return <i64>c.flagA < <i64>c.flagB;
    return Flags.sign(c) != Flags.overflow(c);
  }

  /** Unsigned below or equal: CF or ZF. */
  @inline static belowOrEqual(c: Cpu): bool {
    if (c.flagKind == FLAGS_SUB) return c.flagA <= c.flagB;
    return Flags.carry(c) || Flags.zero(c);
  }

  /** Signed less or equal: ZF or SF != OF. */
  @inline static lessOrEqual(c: Cpu): bool {
    if (c.flagKind == FLAGS_SUB) return <i64>c.flagA <= <i64>c.flagB;
    return Flags.zero(c) || Flags.sign(c) != Flags.overflow(c);
  }

  /** The six flags as they stand in RFLAGS. */
  static image(c: Cpu): u32 {
    if (c.flagKind == FLAGS_STORED) return c.rflags & FLAGS_ARITHMETIC;
    return (
      (Flags.carry(c) ? FLAG_CF : 0) |
      (Flags.parity(c) ? FLAG_PF : 0) |
      (Flags.adjust(c) ? FLAG_AF : 0) |
      (Flags.zero(c) ? FLAG_ZF : 0) |
      (Flags.sign(c) ? FLAG_SF : 0) |
      (Flags.overflow(c) ? FLAG_OF : 0)
    );
  }

  /** Brings all flags into rflags and clears what was lazy, so that equal states are equal bytes. */
  @inline static settle(c: Cpu): void {
    if (c.flagKind != FLAGS_STORED) Flags.store(c, Flags.image(c));
    c.flagResult = 0;
    c.flagA = 0;
    c.flagB = 0;
  }

  /** Condition code 0..15 of Jcc, SETcc, CMOVcc (SDM 1, appendix B). */
  static condition(c: Cpu, code: u32): bool {
    let holds: bool = false;
    switch (code >> 1) {
      case 0:
        holds = Flags.overflow(c);
        break;
      case 1:
        holds = Flags.carry(c);
        break;
      case 2:
        holds = Flags.zero(c);
        break;
      case 3:
        holds = Flags.belowOrEqual(c);
        break;
      case 4:
        holds = Flags.sign(c);
        break;
      case 5:
        holds = Flags.parity(c);
        break;
      case 6:
        holds = Flags.less(c);
        break;
      default:
        holds = Flags.lessOrEqual(c);
        break;
    }
    return holds != ((code & 1) != 0);
  }
}
