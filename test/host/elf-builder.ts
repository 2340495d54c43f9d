/** Builds small ELF files for loader tests, correct or broken in a chosen way. */

export interface TestSegment {
  readonly type: number;
  readonly gpa: number;
  readonly data: Uint8Array;
  readonly memBytes?: number;
}

export interface TestElf {
  readonly is64: boolean;
  readonly machine?: number;
  readonly entry?: number;
  readonly segments: readonly TestSegment[];
}

export function buildElf({ is64, machine = 62, entry = 0, segments }: TestElf): Uint8Array {
  const headerBytes = is64 ? 64 : 52;
  const phBytes = is64 ? 56 : 32;
  const dataAt = headerBytes + phBytes * segments.length;
  const size = segments.reduce((sum, s) => sum + s.data.length, dataAt);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, machine, true);
  view.setUint32(20, 1, true);
  const word = (at: number, value: number): void => {
    view.setUint32(at, value % 2 ** 32, true);
    if (is64) view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
  };
  word(24, entry);
  word(is64 ? 32 : 28, headerBytes);
  view.setUint16(is64 ? 52 : 40, headerBytes, true);
  view.setUint16(is64 ? 54 : 42, phBytes, true);
  view.setUint16(is64 ? 56 : 44, segments.length, true);
  let offset = dataAt;
  segments.forEach((s, i) => {
    const at = headerBytes + i * phBytes;
    view.setUint32(at, s.type, true);
    word(at + (is64 ? 8 : 4), offset);
    word(at + (is64 ? 16 : 8), s.gpa);
    word(at + (is64 ? 24 : 12), s.gpa);
    word(at + (is64 ? 32 : 16), s.data.length);
    word(at + (is64 ? 40 : 20), s.memBytes ?? s.data.length);
    bytes.set(s.data, offset);
    offset += s.data.length;
  });
  return bytes;
}

/** The note with the PVH entry, 4 or 8 bytes wide. */
export function pvhNote(entry: number, width: 4 | 8 = 4): Uint8Array {
  const bytes = new Uint8Array(16 + width);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 4, true);
  view.setUint32(4, width, true);
  view.setUint32(8, 18, true);
  bytes.set([0x58, 0x65, 0x6e, 0], 12);
  view.setUint32(16, entry % 2 ** 32, true);
  return bytes;
}

/** A minimal guest: one HLT at 1 MiB, with a PVH note. */
export function minimalPvh(is64: boolean, machine = 62): Uint8Array {
  const code = new Uint8Array([0xf4]);
  return buildElf({
    is64,
    machine,
    segments: [
      { type: 1, gpa: 0x10_0000, data: code, memBytes: 0x1000 },
      { type: 4, gpa: 0, data: pvhNote(0x10_0000, is64 ? 8 : 4) },
    ],
  });
}
