/**
 * ELF files, both classes, as spec 10 section 1 wants them: machine i386 or x86-64 in either class, PT_LOAD placed at p_paddr.
 * Reads only through bounds checks; never throws.
 */
import { bad, good, hex, type Parsed, type Segment } from "./image.ts";

const PT_LOAD = 1;
const PT_NOTE = 4;
const EM_386 = 3;
const EM_X86_64 = 62;
const MAX_PROGRAM_HEADERS = 1024;

export interface Elf {
  readonly is64: boolean;
  readonly machine: "i386" | "x86-64";
  readonly entry: number;
  readonly loads: readonly Segment[];
  /** Contents of the PT_NOTE segments. */
  readonly notes: readonly Uint8Array[];
}

export function isElf(file: Uint8Array): boolean {
  return file.length >= 4 && file[0] === 0x7f && file[1] === 0x45 && file[2] === 0x4c && file[3] === 0x46;
}

/** "ELF32 i386". */
export const elfTitle = (elf: Elf): string => `ELF${elf.is64 ? 64 : 32} ${elf.machine}`;

export function parseElf(file: Uint8Array): Parsed<Elf> {
  if (!isElf(file)) return bad("not an ELF file");
  const truncated = (what: string): Parsed<Elf> =>
    bad(`ELF file is truncated: ${what} lies beyond its ${file.length} bytes: copy or build it again`);
  if (file.length < 52) return truncated("the file header");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const cls = file[4]!;
  if (cls !== 1 && cls !== 2) return bad(`ELF class ${cls} is neither 32 (1) nor 64 (2) bit: not a guest image`);
  if (file[5] !== 1) return bad("ELF file is big endian: x86 guests are little endian");
  const is64 = cls === 2;
  if (is64 && file.length < 64) return truncated("the file header");
  const u16 = (at: number): number => view.getUint16(at, true);
  const u32 = (at: number): number => view.getUint32(at, true);
  const word = (at: number): number => (is64 ? u32(at) + u32(at + 4) * 2 ** 32 : u32(at));

  const machine = u16(18);
  if (machine !== EM_386 && machine !== EM_X86_64)
    return bad(`ELF machine ${machine} is neither i386 (3) nor x86-64 (62): build the guest for x86`);
  const type = u16(16);
  if (type !== 2 && type !== 3)
    return bad(
      `ELF type ${type} is not an executable: ${type === 1 ? "link the object file first" : "use the linked image"}`,
    );

  const phoff = is64 ? word(32) : u32(28);
  const phentsize = u16(is64 ? 54 : 42);
  const phnum = u16(is64 ? 56 : 44);
  const expected = is64 ? 56 : 32;
  if (phnum === 0) return bad("ELF file has no program headers: link it as an executable");
  if (phnum > MAX_PROGRAM_HEADERS)
    return bad(`ELF file has ${phnum} program headers, more than ${MAX_PROGRAM_HEADERS}: it is damaged`);
  if (phentsize < expected)
    return bad(`ELF program headers of ${phentsize} bytes are too small, ${expected} are needed: the file is damaged`);
  if (phoff + phnum * phentsize > file.length) return truncated("the program header table");

  const loads: Segment[] = [];
  const notes: Uint8Array[] = [];
  for (let i = 0; i < phnum; i++) {
    const at = phoff + i * phentsize;
    const kind = u32(at);
    if (kind !== PT_LOAD && kind !== PT_NOTE) continue;
    const offset = word(at + (is64 ? 8 : 4));
    const gpa = word(at + (is64 ? 24 : 12));
    const fileBytes = word(at + (is64 ? 32 : 16));
    const memBytes = word(at + (is64 ? 40 : 20));
    if (offset + fileBytes > file.length) return truncated(`segment ${i} (${hex(fileBytes)} bytes at ${hex(offset)})`);
    const data = file.subarray(offset, offset + fileBytes);
    if (kind === PT_NOTE) {
      notes.push(data);
      continue;
    }
    if (memBytes === 0) continue;
    if (fileBytes > memBytes)
      return bad(
        `ELF segment ${i} is larger in the file (${hex(fileBytes)}) than in memory (${hex(memBytes)}): the file is damaged`,
      );
    loads.push({ gpa, data, memBytes });
  }
  return good({ is64, machine: machine === EM_386 ? "i386" : "x86-64", entry: word(24), loads, notes });
}
