/**
 * Images of a machine that share what is equal: one reference for each 4 KiB page, to the page of the image before when nothing changed there.
 * The used extents (snapshot.ts) are what is saved. A page that is all zero takes nothing, so neither does RAM that nobody touched.
 */
import { FRAMES_BASE } from "../../../hv-core/abi/layout.ts";
import { type Core, refreshViews } from "../core.ts";
import { usedPlaces } from "../snapshot.ts";

const PAGE_BYTES = 4096;
const PAGE_WORDS = PAGE_BYTES / 4;

/** undefined = all zero. */
type Page = Uint32Array | undefined;

interface ImagePart {
  readonly start: number;
  readonly pages: readonly Page[];
}

export interface Image {
  readonly parts: readonly ImagePart[];
  /** Pages that the image before did not have. */
  readonly newPages: number;
}

function isEqual(memory: Uint32Array, at: number, page: Uint32Array): boolean {
  for (let i = 0; i < PAGE_WORDS; i++) if (memory[at + i] !== page[i]) return false;
  return true;
}

function isZero(memory: Uint32Array, at: number): boolean {
  for (let i = 0; i < PAGE_WORDS; i++) if (memory[at + i] !== 0) return false;
  return true;
}

/** The machine as it is now; pages that `before` has too are shared with it. */
export function takeImage(core: Core, before?: Image): Image {
  const places = usedPlaces(core);
  const memory = core.u32;
  let newPages = 0;
  const parts = places.map(([start, length], part) => {
    const known = before?.parts[part]?.pages ?? [];
    const pages: Page[] = [];
    for (let offset = 0; offset < length; offset += PAGE_BYTES) {
      const at = (start + offset) >>> 2;
      const old = known[pages.length];
      if (old && isEqual(memory, at, old)) pages.push(old);
      else if (isZero(memory, at)) pages.push(undefined);
      else {
        newPages++;
        pages.push(memory.slice(at, at + PAGE_WORDS));
      }
    }
    return { start, pages };
  });
  return { parts, newPages };
}

/** Puts an image of this machine back. Only pages that differ are written. */
export function restoreImage(core: Core, image: Image): void {
  const before = usedPlaces(core);
  const memory = core.u32;
  image.parts.forEach(({ start, pages }, part) => {
    pages.forEach((page, i) => {
      const at = (start >>> 2) + i * PAGE_WORDS;
      if (page) {
        if (!isEqual(memory, at, page)) memory.set(page, at);
      } else if (!isZero(memory, at)) memory.fill(0, at, at + PAGE_WORDS);
    });
    // What came into use after the image goes. Frames excepted: they are cleared when they are handed out.
    const used = before[part]![1];
    const saved = pages.length * PAGE_BYTES;
    if (start !== FRAMES_BASE && used > saved) core.u8.fill(0, start + saved, start + used);
  });
  core.exports.restored();
  refreshViews(core);
}

/** Bytes that images take together: shared pages count once. */
export function bytesOf(images: Iterable<Image>): number {
  const seen = new Set<Uint32Array>();
  for (const image of images) {
    for (const { pages } of image.parts) for (const page of pages) if (page) seen.add(page);
  }
  return seen.size * PAGE_BYTES;
}
