/** The direct-boot entry of a PVH guest: ELF note, owner "Xen", type 18, a physical address of 4 or 8 bytes (spec 08 section 8.7). */
import { type Elf, elfTitle } from "./elf.ts";
import { bad, checkSegments, type GuestImage, good, type Parsed } from "./image.ts";

const XEN_ELFNOTE_PHYS32_ENTRY = 18;

/** Address in the PVH note of one PT_NOTE segment, undefined when there is none. Damaged notes end the search. */
function findEntry(notes: Uint8Array): number | undefined {
  const view = new DataView(notes.buffer, notes.byteOffset, notes.byteLength);
  let at = 0;
  while (at + 12 <= notes.length) {
    const nameBytes = view.getUint32(at, true);
    const descBytes = view.getUint32(at + 4, true);
    const type = view.getUint32(at + 8, true);
    const name = at + 12;
    const desc = name + Math.ceil(nameBytes / 4) * 4;
    const next = desc + Math.ceil(descBytes / 4) * 4;
    if (desc + descBytes > notes.length) return undefined;
    const isXen = nameBytes === 4 && view.getUint32(name, true) === 0x006e6558; // "Xen\0"
    if (isXen && type === XEN_ELFNOTE_PHYS32_ENTRY) {
      if (descBytes === 4) return view.getUint32(desc, true);
      if (descBytes === 8) return view.getUint32(desc, true) + view.getUint32(desc + 4, true) * 2 ** 32;
    }
    at = next;
  }
  return undefined;
}

/** The PVH entry of an ELF file, undefined when it has no such note. */
export function pvhEntry(elf: Elf): number | undefined {
  for (const notes of elf.notes) {
    const entry = findEntry(notes);
    if (entry !== undefined) return entry;
  }
  return undefined;
}

export function loadPvh(elf: Elf, entry: number): Parsed<GuestImage> {
  if (entry > 0xffff_ffff)
    return bad(`${elfTitle(elf)}: the PVH entry lies above 4 GiB: it is entered in 32-bit mode, put it lower`);
  const segments = checkSegments(elf.loads, entry, elfTitle(elf));
  if (!segments.ok) return segments;
  return good({ format: "pvh", description: `${elfTitle(elf)}, PVH entry`, entry, segments: segments.value });
}
