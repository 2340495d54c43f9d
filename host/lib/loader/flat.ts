/** A flat image: bytes loaded at 1 MiB and entered at their first one, in the state of a PVH entry. */
import { bad, type GuestImage, good, type Parsed } from "./image.ts";

export const FLAT_BASE = 0x10_0000;

export function loadFlat(file: Uint8Array): Parsed<GuestImage> {
  if (file.length === 0) return bad("the file is empty: nothing to run");
  return good({
    format: "flat",
    description: `flat image of ${file.length} bytes at 1 MiB`,
    entry: FLAT_BASE,
    segments: [{ gpa: FLAT_BASE, data: file, memBytes: file.length }],
  });
}
