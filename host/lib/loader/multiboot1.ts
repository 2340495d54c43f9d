/**
 * Multiboot 1: a header with magic 1BADB002 in the first 8 KiB, 4-byte aligned, whose checksum fits (spec 10 section 1 item 5).
 * The image is an ELF file, or flat with addresses in the header (flag 16).
 */
import { type Elf, elfTitle } from "./elf.ts";
import { bad, checkSegments, type GuestImage, good, hex, type Parsed, type Segment } from "./image.ts";

const MAGIC = 0x1badb002;
const SEARCH_BYTES = 8192;
const FLAG_ADDRESSES = 1 << 16;
/** Flags below 16 that a loader must understand or refuse: page-aligned modules, memory information. Bit 2 asks for a video mode. */
const UNDERSTOOD = 3;

/** What EAX holds at the entry. */
export const MULTIBOOT_BOOTLOADER_MAGIC = 0x2badb002;

/** Offset of the header in the file, undefined when there is none. */
export function findMultibootHeader(file: Uint8Array): number | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const end = Math.min(file.length, SEARCH_BYTES) - 12;
  for (let at = 0; at <= end; at += 4) {
    if (view.getUint32(at, true) !== MAGIC) continue;
    const sum = MAGIC + view.getUint32(at + 4, true) + view.getUint32(at + 8, true);
    if (sum % 2 ** 32 === 0) return at;
  }
  return undefined;
}

export function loadMultiboot(file: Uint8Array, header: number, elf: Elf | undefined): Parsed<GuestImage> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const flags = view.getUint32(header + 4, true);
  const unknown = flags & 0xffff & ~UNDERSTOOD;
  if (unknown !== 0)
    return bad(
      `multiboot header asks for features ${hex(unknown)} that vmexit does not have (4 is a video mode): clear those flags`,
    );
  let segments: Segment[];
  let entry: number;
  let title: string;
  if ((flags & FLAG_ADDRESSES) !== 0) {
    if (header + 32 > file.length) return bad("multiboot header is truncated: its address fields lie beyond the file");
    const [headerAt, loadAt, loadEnd, bssEnd, entryAt] = [12, 16, 20, 24, 28].map((o) =>
      view.getUint32(header + o, true),
    ) as [number, number, number, number, number];
    const from = header - (headerAt - loadAt);
    const bytes = loadEnd === 0 ? file.length - from : loadEnd - loadAt;
    if (from < 0 || bytes <= 0 || from + bytes > file.length)
      return bad(
        `multiboot header: load address ${hex(loadAt)} to ${hex(loadEnd)} does not fit the file of ${file.length} bytes: correct the header`,
      );
    segments = [
      {
        gpa: loadAt,
        data: file.subarray(from, from + bytes),
        memBytes: Math.max(bytes, bssEnd === 0 ? 0 : bssEnd - loadAt),
      },
    ];
    entry = entryAt;
    title = "multiboot 1 image";
  } else if (elf) {
    segments = [...elf.loads];
    entry = elf.entry;
    title = `${elfTitle(elf)}, multiboot 1 header`;
  } else {
    return bad(
      "multiboot header without address fields (flag 16) in a file that is no ELF: set the flag and the addresses, or use an ELF file",
    );
  }
  const checked = checkSegments(segments, entry, title);
  if (!checked.ok) return checked;
  return good({ format: "multiboot", description: title, entry, segments: checked.value });
}
