/** Turns bytes back into text, for guests that do not come from assembly text. */
import { Decoder, DecoderOptions, Formatter, FormatterSyntax } from "iced-x86";
import type { Bits } from "./forms.ts";

const BYTES_SHOWN = 8;

/**
 * One line per instruction: address, bytes, text.
 * @param isLast ends after the first instruction whose text it accepts
 * @returns the text and how many bytes it covers
 */
export function disassemble(
  bytes: Uint8Array,
  address: number,
  bits: Bits,
  isLast: (text: string) => boolean = () => false,
): { text: string; length: number } {
  const decoder = new Decoder(bits, bytes, DecoderOptions.None);
  const formatter = new Formatter(FormatterSyntax.Nasm);
  decoder.ip = BigInt(address);
  let text = "";
  let at = 0;
  while (decoder.canDecode) {
    const instruction = decoder.decode();
    const line = formatter.format(instruction);
    const raw = Array.from(bytes.subarray(at, at + Math.min(instruction.length, BYTES_SHOWN)), (b) =>
      b.toString(16).padStart(2, "0"),
    ).join(" ");
    const more = instruction.length > BYTES_SHOWN ? ".." : "  ";
    text += `${(address + at).toString(16).padStart(8, "0")}  ${raw.padEnd(BYTES_SHOWN * 3 - 1)}${more}   ${line}\n`;
    at += instruction.length;
    instruction.free();
    if (isLast(line)) break;
  }
  decoder.free();
  formatter.free();
  return { text, length: at };
}
