/** A guest written in C and compiled with gcc; the image is committed, so nobody needs the compiler. See README.md and main.c. */
import { disassemble } from "../asm/disassemble.ts";
import type { Guest } from "../guest.ts";
import { IMAGE } from "./image.ts";

const HEADER = 52;

/** Finds the loaded segment of the class-32 file. */
function code(image: Uint8Array): { address: number; entry: number; bytes: Uint8Array } {
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  const offset = view.getUint32(HEADER + 4, true);
  const bytes = image.subarray(offset, offset + view.getUint32(HEADER + 16, true));
  return { address: view.getUint32(HEADER + 8, true), entry: view.getUint32(24, true), bytes };
}

const decode = (): Uint8Array => Uint8Array.from(atob(IMAGE.join("")), (c) => c.charCodeAt(0));

/** The first instructions are 32-bit code; what the far jump leads to is 64-bit code. */
function listing(): string {
  const { address, entry, bytes } = code(decode());
  const from = bytes.subarray(entry - address);
  const boot = disassemble(from, entry, 32, (text) => text.startsWith("jmp 8:"));
  const rest = disassemble(from.subarray(boot.length), entry + boot.length, 64);
  return `${boot.text}${rest.text}`;
}

const guest: Guest = {
  name: "c-guest",
  title: "ordinary C without a library: sieve, sorting, checksums, recursion, 64-bit arithmetic",
  build: decode,
  listing,
};

export default guest;
