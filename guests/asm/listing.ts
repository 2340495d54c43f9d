/** The listing of an assembled program: address, bytes, text; what `vmexit run --list` shows. */
import type { Line, Program } from "./assembler.ts";

const BYTES_SHOWN = 8;

function listLine(line: Line): string {
  if (line.bytes.length === 0)
    return line.text.endsWith(":") ? `${" ".repeat(36)}${line.text}` : `${" ".repeat(38)}${line.text}`;
  const bytes = Array.from(line.bytes.subarray(0, BYTES_SHOWN), (b) => b.toString(16).padStart(2, "0")).join(" ");
  const more = line.bytes.length > BYTES_SHOWN ? ".." : "  ";
  return `${line.address.toString(16).padStart(8, "0")}  ${bytes.padEnd(BYTES_SHOWN * 3 - 1)}${more} ${" ".repeat(2)}${line.text}`;
}

export function listing(program: Program): string {
  return `${program.lines.map(listLine).join("\n")}\n`;
}
