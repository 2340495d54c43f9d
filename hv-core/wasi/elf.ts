/**
 * The guest's file: an ELF executable of either class with a PVH note (spec 10 section 1). Every number in it is hostile: checked
 * before it is used. A problem is a number; wasi/messages.ts has the sentences. Before: options. After: build.
 */
import { IMAGE_BASE } from "./state";
import { SCRATCH, SCRATCH_SIZE, System } from "./system";

export const IMAGE_OK: u32 = 0;
export const IMAGE_UNREADABLE: u32 = 1;
export const IMAGE_NOT_ELF: u32 = 2;
export const IMAGE_TRUNCATED: u32 = 3;
export const IMAGE_WRONG_MACHINE: u32 = 4;
export const IMAGE_DAMAGED: u32 = 5;
export const IMAGE_NO_NOTE: u32 = 6;
export const IMAGE_OVERLAP: u32 = 7;
export const IMAGE_ENTRY_OUTSIDE: u32 = 8;

const ELF_MAGIC: u32 = 0x464c457f;
const EM_386: u16 = 3;
const EM_X86_64: u16 = 62;
const PT_LOAD: u32 = 1;
const PT_NOTE: u32 = 4;
const NOTE_XEN: u32 = 0x006e6558;
const NOTE_PHYS32_ENTRY: u32 = 18;
const HIGHEST: u64 = 0xf000_0000;
const MAX_SEGMENTS: u32 = 64;
const MAX_HEADERS: u32 = 1024;

@unmanaged
export class Segment {
  gpa: u64;
  fileOffset: u64;
  fileBytes: u64;
  memBytes: u64;
}

@unmanaged
export class Image {
  fd: i32;
  segments: u32;
  entry: u64;

  @inline static get(): Image {
    return changetype<Image>(IMAGE_BASE);
  }

  @inline static segment(index: u32): Segment {
    return changetype<Segment>(IMAGE_BASE + 16 + ((<usize>index) << 5));
  }

  /** One past the highest guest-physical address of the image. */
  static end(): u64 {
    let end: u64 = 0;
    const count = Image.get().segments;
    for (let i: u32 = 0; i < count; i++) {
      const s = Image.segment(i);
      end = max<u64>(end, s.gpa + s.memBytes);
    }
    return end;
  }

  /** Opens and checks the file at `path`. IMAGE_*. */
  static open(path: usize): u32 {
    const image = Image.get();
    image.segments = 0;
    image.entry = 0;
    image.fd = System.open(path);
    if (image.fd < 0) return IMAGE_UNREADABLE;
    if (!System.readAt(image.fd, SCRATCH, 52, 0) || load<u32>(SCRATCH) != ELF_MAGIC) return IMAGE_NOT_ELF;
    const is64 = load<u8>(SCRATCH, 4) == 2;
    if (!is64 && load<u8>(SCRATCH, 4) != 1) return IMAGE_NOT_ELF;
    if (is64 && !System.readAt(image.fd, SCRATCH, 64, 0)) return IMAGE_TRUNCATED;
    const machine = load<u16>(SCRATCH, 18);
    if (machine != EM_386 && machine != EM_X86_64) return IMAGE_WRONG_MACHINE;
    return Image.headers(is64);
  }

  private static headers(is64: bool): u32 {
    const at = is64 ? load<u64>(SCRATCH, 32) : <u64>load<u32>(SCRATCH, 28);
    const size: u32 = load<u16>(SCRATCH + (is64 ? 54 : 42));
    const count: u32 = load<u16>(SCRATCH + (is64 ? 56 : 44));
    if (count == 0 || count > MAX_HEADERS || size < <u32>(is64 ? 56 : 32)) return IMAGE_DAMAGED;
    let hasEntry: bool = false;
    for (let i: u32 = 0; i < count; i++) {
      if (!System.readAt(Image.get().fd, SCRATCH, is64 ? 56 : 32, at + <u64>i * size)) return IMAGE_TRUNCATED;
      const kind = load<u32>(SCRATCH);
      const offset = is64 ? load<u64>(SCRATCH, 8) : <u64>load<u32>(SCRATCH, 4);
      const gpa = is64 ? load<u64>(SCRATCH, 24) : <u64>load<u32>(SCRATCH, 12);
      const fileBytes = is64 ? load<u64>(SCRATCH, 32) : <u64>load<u32>(SCRATCH, 16);
      const memBytes = is64 ? load<u64>(SCRATCH, 40) : <u64>load<u32>(SCRATCH, 20);
      if (kind == PT_NOTE && !hasEntry) hasEntry = Image.note(offset, fileBytes);
      if (kind != PT_LOAD || memBytes == 0) continue;
      const error = Image.addSegment(gpa, offset, fileBytes, memBytes);
      if (error != IMAGE_OK) return error;
    }
    if (!hasEntry) return IMAGE_NO_NOTE;
    return Image.check();
  }

  /** Inserts in order of address. */
  private static addSegment(gpa: u64, offset: u64, fileBytes: u64, memBytes: u64): u32 {
    const image = Image.get();
    if (fileBytes > memBytes || image.segments == MAX_SEGMENTS) return IMAGE_DAMAGED;
    if (gpa > HIGHEST || memBytes > HIGHEST || gpa + memBytes > HIGHEST) return IMAGE_DAMAGED;
    let place = image.segments;
    while (place > 0 && Image.segment(place - 1).gpa > gpa) {
      memory.copy(changetype<usize>(Image.segment(place)), changetype<usize>(Image.segment(place - 1)), 32);
      place--;
    }
    const s = Image.segment(place);
    s.gpa = gpa;
    s.fileOffset = offset;
    s.fileBytes = fileBytes;
    s.memBytes = memBytes;
    image.segments++;
    return IMAGE_OK;
  }

  private static check(): u32 {
    const image = Image.get();
    if (image.segments == 0) return IMAGE_DAMAGED;
    let isInside = false;
    for (let i: u32 = 0; i < image.segments; i++) {
      const s = Image.segment(i);
      if (i > 0 && Image.segment(i - 1).gpa + Image.segment(i - 1).memBytes > s.gpa) return IMAGE_OVERLAP;
      if (image.entry >= s.gpa && image.entry < s.gpa + s.memBytes) isInside = true;
    }
    return isInside ? IMAGE_OK : IMAGE_ENTRY_OUTSIDE;
  }

  /** Looks for the direct-boot entry among the notes; true when found. */
  private static note(offset: u64, bytes: u64): bool {
    const room = SCRATCH + 64;
    if (bytes > SCRATCH_SIZE - 64 || !System.readAt(Image.get().fd, room, <u32>bytes, offset)) return false;
    const end = <u32>bytes;
    let at: u32 = 0;
    while (at + 12 <= end) {
      const nameBytes = load<u32>(room + at);
      const descBytes = load<u32>(room + at, 4);
      if (nameBytes > end || descBytes > end) return false;
      const name = at + 12;
      const desc = name + ((nameBytes + 3) & ~3);
      if (desc + descBytes > end) return false;
      if (nameBytes == 4 && load<u32>(room + name) == NOTE_XEN && load<u32>(room + at, 8) == NOTE_PHYS32_ENTRY) {
        if (descBytes == 4) Image.get().entry = load<u32>(room + desc);
        else if (descBytes == 8) Image.get().entry = load<u64>(room + desc);
        else return false;
        return true;
      }
      at = desc + ((descBytes + 3) & ~3);
    }
    return false;
  }
}
