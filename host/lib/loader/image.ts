/**
 * What every loader makes of a file: segments to copy into guest-physical memory, and how to enter the guest.
 * A file that cannot be used is a value, not an exception: one line that says what is wrong and what to do.
 * Read next: detect.ts chooses the loader, toolstack/build.ts uses the image.
 */

export interface Segment {
  /** Guest-physical start. */
  readonly gpa: number;
  /** Bytes from the file; the rest up to memBytes is zero. */
  readonly data: Uint8Array;
  readonly memBytes: number;
}

export type ImageFormat = "pvh" | "multiboot" | "flat";

export interface GuestImage {
  readonly format: ImageFormat;
  /** For people: "ELF32 x86-64, PVH entry". */
  readonly description: string;
  /** Guest-physical address of the first instruction, 32-bit flat mode. */
  readonly entry: number;
  readonly segments: readonly Segment[];
}

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

export const good = <T>(value: T): Parsed<T> => ({ ok: true, value });
export const bad = (problem: string): { readonly ok: false; readonly problem: string } => ({ ok: false, problem });

export const hex = (n: number): string => `0x${n.toString(16)}`;

/** Images above this address are refused: start info and page tables have to lie below 4 GiB, and so does the entry. */
const HIGHEST = 0xf000_0000;

/** Checks what all formats have in common: something to load, no wrap, no overlap, an entry inside. */
export function checkSegments(segments: readonly Segment[], entry: number, what: string): Parsed<readonly Segment[]> {
  if (segments.length === 0) return bad(`${what} has nothing to load (no PT_LOAD segment): link it with at least one`);
  const sorted = [...segments].sort((a, b) => a.gpa - b.gpa);
  for (let i = 0; i < sorted.length; i++) {
    const s = sorted[i]!;
    if (s.gpa + s.memBytes > HIGHEST)
      return bad(
        `${what}: segment at ${hex(s.gpa)} with ${hex(s.memBytes)} bytes ends above ${hex(HIGHEST)}: link it lower (p_paddr counts, not p_vaddr)`,
      );
    const next = sorted[i + 1];
    if (next && s.gpa + s.memBytes > next.gpa)
      return bad(
        `${what}: segments at ${hex(s.gpa)} and ${hex(next.gpa)} overlap in guest memory: give them different p_paddr`,
      );
  }
  if (!sorted.some((s) => entry >= s.gpa && entry < s.gpa + s.memBytes))
    return bad(`${what}: the entry ${hex(entry)} lies in no segment: it has to be a physical address inside one`);
  return good(sorted);
}
