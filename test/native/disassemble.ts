/** A case as text: instructions with addresses, and the registers they start from. Only for messages. */
import { createRequire } from "node:module";
import type * as Iced from "iced-x86";
import { REGISTER_NAMES } from "../../host/lib/inspect.ts";
import type { TestCase } from "./case-format.ts";
import { CODE_BASE } from "./layout.ts";

const iced = createRequire(import.meta.url)("iced-x86") as typeof Iced;

/** One line for each instruction: offset in the code, bytes, text. */
export function disassemble(bits: 32 | 64, code: Uint8Array, address: number): string[] {
  const decoder = new iced.Decoder(bits, code, iced.DecoderOptions.None);
  decoder.ip = BigInt(address);
  const formatter = new iced.Formatter(iced.FormatterSyntax.Intel);
  const lines: string[] = [];
  let at = 0;
  while (decoder.canDecode) {
    const instruction = decoder.decode();
    const bytes = Buffer.from(code.subarray(at, at + instruction.length)).toString("hex");
    lines.push(`+${at.toString().padStart(2)}  ${bytes.padEnd(24)}  ${formatter.format(instruction)}`);
    at += instruction.length;
    instruction.free();
  }
  formatter.free();
  decoder.free();
  return lines;
}

export function describeCase(c: TestCase): string {
  const start = CODE_BASE + c.codeOffset;
  const lines = [
    `${c.bits}-bit code at ${start.toString(16)}`,
    ...disassemble(c.bits, c.code, start).map((l) => `  ${l}`),
  ];
  const registers = [...c.regs.slice(0, c.bits === 32 ? 8 : 16)].map(
    (value, i) => `${REGISTER_NAMES[i]}=${value.toString(16)}`,
  );
  for (let i = 0; i < registers.length; i += 8) lines.push(`  ${registers.slice(i, i + 8).join(" ")}`);
  lines.push(`  flags=${flagText(c.flags)}`);
  return lines.join("\n");
}

const FLAG_NAMES: readonly (readonly [number, string])[] = [
  [1, "CF"],
  [4, "PF"],
  [0x10, "AF"],
  [0x40, "ZF"],
  [0x80, "SF"],
  [0x100, "TF"],
  [0x200, "IF"],
  [0x400, "DF"],
  [0x800, "OF"],
];

export function flagText(flags: number): string {
  const names = FLAG_NAMES.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
  return `${(flags >>> 0).toString(16)}${names.length > 0 ? `(${names.join(" ")})` : ""}`;
}
