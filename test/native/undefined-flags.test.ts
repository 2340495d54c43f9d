/** The flag table against a second opinion: what iced-x86 says each instruction reads, defines and leaves undefined. */
import { createRequire } from "node:module";
import type * as Iced from "iced-x86";
import { expect, test } from "vitest";
import { FORMS, type Form } from "./forms.ts";
import { AF, CF, DF, FLAG_RULES, type FlagRule, OF, PF, SF, ZF } from "./undefined-flags.ts";

const iced = createRequire(import.meta.url)("iced-x86") as typeof Iced;
const B = iced.RflagsBits;
const PAIRS = [
  [B.OF, OF],
  [B.SF, SF],
  [B.ZF, ZF],
  [B.AF, AF],
  [B.CF, CF],
  [B.PF, PF],
  [B.DF, DF],
] as const;

const translate = (bits: number): number =>
  PAIRS.reduce((sum, [theirs, ours]) => sum | ((bits & theirs) !== 0 ? ours : 0), 0);

/** The form with EBX or [RBX] as r/m, and immediate 2. */
function example(form: Form): { bits: 32 | 64; bytes: number[] } {
  const bits = form.mode ?? 64;
  const size = form.sizes.includes(32) ? 32 : form.sizes[0]!;
  const bytes: number[] = [];
  if (form.mandatory !== undefined) bytes.push(form.mandatory);
  if (size === 16) bytes.push(0x66);
  bytes.push(...form.opcode);
  if (form.modrm !== undefined)
    bytes.push((form.only === "memory" ? 0x03 : 0xc3) | ((form.modrm === "r" ? 2 : form.modrm) << 3));
  const immediate =
    form.immediate === "z" || form.immediate === "v" ? (size === 8 ? 1 : size / 8) : (form.immediate ?? 0);
  if (immediate > 0) bytes.push(2, ...Array<number>(immediate - 1).fill(0));
  return { bits, bytes };
}

test.each(
  FORMS.map((form, i) => [`${i}: ${form.name} ${form.opcode.map((b) => b.toString(16)).join(" ")}`, form] as const),
)("%s", (_, form) => {
  const { bits, bytes } = example(form);
  const decoder = new iced.Decoder(bits, Uint8Array.from(bytes), iced.DecoderOptions.None);
  const instruction = decoder.decode();
  expect(instruction.length, "the whole form is one instruction").toBe(bytes.length);
  const rule = FLAG_RULES[form.flags] as FlagRule;
  expect(translate(instruction.rflagsRead), "reads").toBe(rule.reads);
  if (rule.count === undefined) {
    expect(translate(instruction.rflagsUndefined), "undefined").toBe(rule.undefined);
    expect(translate(instruction.rflagsWritten | instruction.rflagsCleared | instruction.rflagsSet), "writes").toBe(
      rule.writes,
    );
  } else {
    // With a count: whatever may change at all, may change.
    expect(translate(instruction.rflagsModified) & ~(rule.writes | rule.undefined), "changes").toBe(0);
  }
  instruction.free();
  decoder.free();
});
