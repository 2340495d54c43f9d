/**
 * Wraps an assembled program as an ELF file that a PVH loader accepts: one PT_LOAD per section, one PT_NOTE with the
 * entry point (owner "Xen", type 18). Spec 10 section 1.
 *
 * Machine and class are independent: an x86-64 image in a class-32 file is legal and is what xl gets from many test kernels.
 */
import type { Program } from "./assembler.ts";

export interface ElfOptions {
  /** File class: 32 or 64. Default 32. */
  readonly elfClass?: 32 | 64;
  /** Default "i386". */
  readonly machine?: "i386" | "x86-64";
  /** Symbol of the 32-bit entry point. Default "start". */
  readonly entry?: string;
  /** Memory kept free (zeroed) behind the last section up to this address; the loader's own blocks come after it. */
  readonly memoryEnd?: number;
}

const ET_EXEC = 2;
const EM_386 = 3;
const EM_X86_64 = 62;
const PT_LOAD = 1;
const PT_NOTE = 4;
const RWX = 7;
const PAGE = 0x1000;
const XEN_ELFNOTE_PHYS32_ENTRY = 18;

/** Appends little-endian fields; `word` has the size of the file class. */
class Writer {
  readonly bytes: number[] = [];
  private readonly wordBytes: number;
  constructor(wordBytes: number) {
    this.wordBytes = wordBytes;
  }
  int(value: number, size: number): void {
    for (let i = 0, v = BigInt(value); i < size; i++, v >>= 8n) this.bytes.push(Number(v & 0xffn));
  }
  half(...values: number[]): void {
    for (const v of values) this.int(v, 2);
  }
  u32(...values: number[]): void {
    for (const v of values) this.int(v, 4);
  }
  word(...values: number[]): void {
    for (const v of values) this.int(v, this.wordBytes);
  }
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly align: number;
}

function writeHeader(w: Writer, is64: boolean, machine: number, entry: number, segments: number): void {
  w.bytes.push(0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  w.half(ET_EXEC, machine);
  w.u32(1);
  w.word(entry, is64 ? 64 : 52, 0);
  w.u32(0);
  w.half(is64 ? 64 : 52, is64 ? 56 : 32, segments, 0, 0, 0);
}

function writeSegment(w: Writer, is64: boolean, s: Segment): void {
  w.u32(s.type);
  if (is64) w.u32(RWX);
  w.word(s.offset, s.address, s.address, s.fileSize, s.memorySize);
  if (!is64) w.u32(RWX);
  w.word(s.align);
}

/** The note lies in the file only; its descriptor has the size of the file class. */
function note(entry: number, wordBytes: number): Uint8Array {
  const w = new Writer(wordBytes);
  w.u32(4, wordBytes, XEN_ELFNOTE_PHYS32_ENTRY);
  w.bytes.push(0x58, 0x65, 0x6e, 0);
  w.word(entry);
  return Uint8Array.from(w.bytes);
}

/** @throws RangeError if the entry symbol is missing. */
export function elfImage(program: Program, options: ElfOptions = {}): Uint8Array {
  const is64 = options.elfClass === 64;
  const wordBytes = is64 ? 8 : 4;
  const entryName = options.entry ?? "start";
  const entry = program.symbols.get(entryName);
  if (entry === undefined) throw new RangeError(`no entry symbol "${entryName}"`);

  const noteBytes = note(entry, wordBytes);
  const count = program.sections.length + 1;
  const noteOffset = is64 ? 64 + 56 * count : 52 + 32 * count;
  let offset = Math.ceil((noteOffset + noteBytes.length) / PAGE) * PAGE;
  const last = Math.max(...program.sections.map((s) => s.address));
  const segments: Segment[] = program.sections.map((s) => {
    // file offset and address agree modulo the page size, as ELF asks
    const at = offset + (s.address % PAGE);
    offset = Math.ceil((at + s.bytes.length) / PAGE) * PAGE;
    const memorySize = s.address === last && options.memoryEnd ? options.memoryEnd - s.address : s.bytes.length;
    return { type: PT_LOAD, offset: at, address: s.address, fileSize: s.bytes.length, memorySize, align: PAGE };
  });
  segments.push({
    type: PT_NOTE,
    offset: noteOffset,
    address: 0,
    fileSize: noteBytes.length,
    memorySize: noteBytes.length,
    align: 4,
  });

  const w = new Writer(wordBytes);
  writeHeader(w, is64, options.machine === "x86-64" ? EM_X86_64 : EM_386, entry, count);
  for (const segment of segments) writeSegment(w, is64, segment);
  const end = segments.reduce((n, s) => Math.max(n, s.offset + s.fileSize), 0);
  const image = new Uint8Array(end);
  image.set(w.bytes);
  image.set(noteBytes, noteOffset);
  for (const [i, s] of program.sections.entries()) image.set(s.bytes, segments[i]!.offset);
  return image;
}
