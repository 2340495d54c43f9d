/** Disassembly with iced-x86 in NASM style. Its objects own WebAssembly memory, so they are freed here. */
import { Decoder, DecoderOptions, Formatter, FormatterSyntax } from "iced-x86";

export interface DisassembledLine {
  readonly address: bigint;
  readonly bytes: string;
  readonly text: string;
}

/** Up to `max` instructions from the start of `code`, which lies at `address`. Bytes that are no instruction give "(bad)". */
export function disassemble(code: Uint8Array, address: bigint, bitness: 16 | 32 | 64, max: number): DisassembledLine[] {
  const decoder = new Decoder(bitness, code, DecoderOptions.None);
  const formatter = new Formatter(FormatterSyntax.Nasm);
  const lines: DisassembledLine[] = [];
  try {
    decoder.ip = address;
    while (lines.length < max && decoder.canDecode) {
      const start = decoder.position;
      const instruction = decoder.decode();
      const bytes = code.subarray(start, start + instruction.length);
      lines.push({
        address: instruction.ip,
        bytes: Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join(""),
        text: instruction.isInvalid ? "(bad)" : formatter.format(instruction),
      });
      instruction.free();
    }
  } finally {
    decoder.free();
    formatter.free();
  }
  return lines;
}

export function formatLine(line: DisassembledLine): string {
  return `${line.address.toString(16).padStart(16, "0")}  ${line.bytes.padEnd(20)}  ${line.text}`;
}
