/**
 * What instructions do to the flags, as far as a comparison between processors needs it: which flags each one reads, which it
 * defines, and which the manual leaves undefined. Undefined flags are masked, and no later instruction of a case may read them.
 *
 * Section numbers: Intel SDM volume 2, "Instruction Set Reference", the entry of the named instruction, "Flags Affected".
 */
export const CF = 0x001;
export const PF = 0x004;
export const AF = 0x010;
export const ZF = 0x040;
export const SF = 0x080;
export const DF = 0x400;
export const OF = 0x800;
export const ARITHMETIC = CF | PF | AF | ZF | SF | OF;

export interface FlagRule {
  readonly reads: number;
  /** Flags with a defined new value; the others keep theirs. */
  readonly writes: number;
  readonly undefined: number;
  /** Shifts and rotates: the rule depends on the masked count; see `shiftRule`. */
  readonly count?: "shift" | "shiftRight" | "rotate" | "rotateCarry" | "double";
}

const rule = (reads: number, writes: number, undefinedFlags = 0, count?: FlagRule["count"]): FlagRule =>
  count === undefined
    ? { reads, writes, undefined: undefinedFlags }
    : { reads, writes, undefined: undefinedFlags, count };

/** Keyed by the name in forms.ts. */
export const FLAG_RULES = {
  none: rule(0, 0),
  /** ADD SUB CMP NEG XADD CMPXCHG SCAS CMPS: all six defined. */
  add: rule(0, ARITHMETIC),
  /** ADC SBB */
  adc: rule(CF, ARITHMETIC),
  /** AND OR XOR TEST: "The state of the AF flag is undefined." */
  logic: rule(0, ARITHMETIC & ~AF, AF),
  /** INC DEC: CF is not affected. */
  inc: rule(0, ARITHMETIC & ~CF),
  /** MUL IMUL: "The SF, ZF, AF, and PF flags are undefined." */
  mul: rule(0, CF | OF, SF | ZF | AF | PF),
  /** DIV IDIV: "The CF, OF, SF, ZF, AF, and PF flags are undefined." */
  div: rule(0, 0, ARITHMETIC),
  /** BT BTS BTR BTC: "The OF, SF, AF, and PF flags are undefined"; ZF is not affected. */
  bt: rule(0, CF, OF | SF | AF | PF),
  /** BSF BSR: "The CF, OF, SF, AF, and PF flags are undefined." */
  bsf: rule(0, ZF, CF | OF | SF | AF | PF),
  /** POPCNT: all defined (OF SF AF CF PF cleared). */
  popcnt: rule(0, ARITHMETIC),
  /** CMPXCHG8B CMPXCHG16B: only ZF. */
  cmpxchg8b: rule(0, ZF),
  /** SHL (SAL): AF undefined; OF undefined unless the count is 1; CF undefined when the count reaches the operand size. */
  shl: rule(0, ARITHMETIC & ~AF, AF, "shift"),
  shr: rule(0, ARITHMETIC & ~AF, AF, "shift"),
  /** SAR: the same, but CF is always defined. */
  sar: rule(0, ARITHMETIC & ~AF, AF, "shiftRight"),
  /** ROL ROR: CF; OF undefined unless the count is 1. */
  rol: rule(0, CF | OF, 0, "rotate"),
  /** RCL RCR */
  rcl: rule(CF, CF | OF, 0, "rotateCarry"),
  /** SHLD SHRD: as SHL; everything, the result too, is undefined when the count exceeds the operand size. */
  shld: rule(0, ARITHMETIC & ~AF, AF, "double"),
  carry: rule(0, CF),
  complement: rule(CF, CF),
  direction: rule(0, DF),
  pushf: rule(ARITHMETIC | DF, 0),
  popf: rule(0, ARITHMETIC | DF),
  /** MOVS STOS LODS and the like with their direction. */
  string: rule(DF, 0),
  /** CMPS SCAS; with REP and a count of zero the flags stay, and the repeat condition is ZF of the element itself. */
  compareString: rule(DF, ARITHMETIC),
  into: rule(OF, 0),
  loopz: rule(ZF, 0),
} as const satisfies Record<string, FlagRule>;

export type FlagName = keyof typeof FLAG_RULES;

/** Flags that condition code `cc` (low four bits of Jcc, SETcc, CMOVcc) looks at. */
export function conditionReads(cc: number): number {
  return [OF, CF, ZF, CF | ZF, SF, PF, SF | OF, ZF | SF | OF][cc >> 1]!;
}

/**
 * The rule of a shift whose count register or immediate is `count` (null = not known when the case is made).
 * A masked count of 0 changes no flag at all.
 */
export function shiftRule(base: FlagRule, size: number, count: number | null): FlagRule {
  if (count === null) {
    const all = base.count === "double" || base.count === "shift" || base.count === "shiftRight" ? ARITHMETIC : CF | OF;
    return rule(base.reads, 0, base.undefined | (base.count === "shiftRight" ? all & ~CF : all));
  }
  const masked = count & (size === 64 ? 63 : 31);
  if (masked === 0) return rule(base.reads, 0);
  let undefinedFlags = base.undefined;
  if (masked !== 1) undefinedFlags |= OF;
  if (base.count === "shift" && masked >= size) undefinedFlags |= CF;
  if (base.count === "double" && masked > size) undefinedFlags |= ARITHMETIC;
  return rule(base.reads, base.writes & ~undefinedFlags, undefinedFlags);
}
