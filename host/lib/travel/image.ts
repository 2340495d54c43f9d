/**
 * Images of a machine that share what is equal: one reference for each 4 KiB page, to the page of the image before when nothing changed there.
 * The used extents (snapshot.ts) are what is saved. A page that is all zero takes nothing, so neither does RAM that nobody touched.
 *
 * Whether a page changed is told by a 64-bit hash that the core makes: reading everything from JavaScript would take several times as long.
 */
import { FRAMES_BASE, MAILBOX_BASE } from "../../../hv-core/abi/layout.ts";
import { type Core, refreshViews } from "../core.ts";
import { usedPlaces } from "../snapshot.ts";

const PAGE_BYTES = 4096;
/** Hashes that fit into the mailbox. */
const HASHES_AT_ONCE = 131_072;

/** undefined = all zero. */
type Page = Uint8Array | undefined;

interface ImagePart {
  readonly start: number;
  readonly pages: readonly Page[];
  /** Two words for each page. */
  readonly hashes: Uint32Array;
}

export interface Image {
  readonly parts: readonly ImagePart[];
  /** Pages that the image before did not have. */
  readonly newPages: number;
}

/** Hashes of `count` pages of linear memory as they are now. */
function hashesOf(core: Core, start: number, count: number): Uint32Array {
  const hashes = new Uint32Array(count * 2);
  for (let done = 0; done < count; done += HASHES_AT_ONCE) {
    const some = Math.min(HASHES_AT_ONCE, count - done);
    core.exports.pageHashes(start + done * PAGE_BYTES, some);
    hashes.set(core.u32.subarray(MAILBOX_BASE >>> 2, (MAILBOX_BASE >>> 2) + some * 2), done * 2);
  }
  return hashes;
}

const isZero = (hashes: Uint32Array, i: number): boolean => hashes[i * 2] === 0 && hashes[i * 2 + 1] === 0;
const isSame = (a: Uint32Array, b: Uint32Array, i: number): boolean =>
  a[i * 2] === b[i * 2] && a[i * 2 + 1] === b[i * 2 + 1];

/** The machine as it is now; pages that `before` has too are shared with it. */
export function takeImage(core: Core, before?: Image): Image {
  let newPages = 0;
  const parts = usedPlaces(core).map(([start, length], part): ImagePart => {
    const known = before?.parts[part];
    const hashes = hashesOf(core, start, Math.ceil(length / PAGE_BYTES));
    const pages: Page[] = [];
    for (let i = 0; i * 2 < hashes.length; i++) {
      if (isZero(hashes, i)) pages.push(undefined);
      else if (known && i < known.pages.length && isSame(known.hashes, hashes, i)) pages.push(known.pages[i]);
      else {
        newPages++;
        pages.push(core.u8.slice(start + i * PAGE_BYTES, start + (i + 1) * PAGE_BYTES));
      }
    }
    return { start, pages, hashes };
  });
  return { parts, newPages };
}

/** Puts an image of this machine back. Only pages that differ are written. */
export function restoreImage(core: Core, image: Image): void {
  const before = usedPlaces(core);
  image.parts.forEach(({ start, pages, hashes }, part) => {
    const now = hashesOf(core, start, pages.length);
    pages.forEach((page, i) => {
      if (isSame(now, hashes, i)) return;
      const at = start + i * PAGE_BYTES;
      if (page) core.u8.set(page, at);
      else core.u8.fill(0, at, at + PAGE_BYTES);
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
  const seen = new Set<Uint8Array>();
  for (const image of images) {
    for (const { pages } of image.parts) for (const page of pages) if (page) seen.add(page);
  }
  return seen.size * PAGE_BYTES;
}
