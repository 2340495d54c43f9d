/**
 * Guest pages as a deduplicator sees them: which frame each gfn shows, a hash of its contents, and whether two are equal. It only
 * looks, as through the read-only foreign mappings of a PV dom0, which do not break sharing.
 */
import { MAILBOX_BASE } from "../../../hv-core/abi/layout.ts";
import { type Core, frameAddress } from "../core.ts";
import type { DomId } from "../ids.ts";

const PRESENT = 7;
const LEAF = 1 << 7;
/** Bits 57:52 of an entry, seen in its upper word. */
const TYPE_SHIFT = 20;
const TYPE_MASK = 63;
const WORDS = 1024;

/** What a gfn shows: `type` is its p2m type (abi/p2m-types.ts). */
export type PageVisitor = (gfn: number, mfn: number, type: number) => void;

function visitTable(core: Core, table: number, level: number, first: number, visit: PageVisitor): void {
  const at = frameAddress(table) >> 2;
  const span = 512 ** (level - 1);
  for (let i = 0; i < 512; i++) {
    const low = core.u32[at + i * 2]!;
    if ((low & PRESENT) === 0) continue;
    const high = core.u32[at + i * 2 + 1]!;
    const mfn = (low >>> 12) + (high & 0xff) * 2 ** 20;
    const gfn = first + i * span;
    if (level > 1 && (low & LEAF) === 0) visitTable(core, mfn, level - 1, gfn, visit);
    else for (let k = 0; k < span; k++) visit(gfn + k, mfn + k, (high >>> TYPE_SHIFT) & TYPE_MASK);
  }
}

/** Every page of the domain that can be read, in ascending order. Nothing may change the map meanwhile: collect first, then act. */
export function visitPages(core: Core, domid: DomId, visit: PageVisitor): void {
  if (core.exports.walkGpa(domid, 0, 0) === 0) return;
  visitTable(core, core.view.getUint32(MAILBOX_BASE + 4, true), 4, 0, visit);
}

/** The frame that a gfn shows now; 0 when it shows none. */
export function frameOf(core: Core, domid: DomId, gfn: number): number {
  const steps = core.exports.walkGpa(domid, ((gfn * 4096) % 2 ** 32) | 0, Math.floor(gfn / 2 ** 20));
  if (steps === 0) return 0;
  const at = (MAILBOX_BASE >> 2) + (steps - 1) * 8;
  const level = core.u32[at]!;
  const low = core.u32[at + 4]!;
  if ((low & PRESENT) === 0 || (level > 1 && (low & LEAF) === 0)) return 0;
  return (low >>> 12) + (core.u32[at + 5]! & 0xff) * 2 ** 20 + (gfn % 512 ** (level - 1));
}

/**
 * A hash of a frame's contents below 2^53. Equal contents have equal hashes; that is all that is asked of it. Four chains side by side,
 * because each multiplication waits for the one before it in its chain.
 */
export function hashFrame(core: Core, mfn: number): number {
  const words = core.u32;
  const at = frameAddress(mfn) >> 2;
  const end = at + WORDS;
  let a = 0x011c9dc5;
  let b = 0x1e3779b9;
  let c = 0x27d4eb2f;
  let d = 0x165667b1;
  for (let i = at; i < end; i += 4) {
    a = Math.imul(a ^ words[i]!, 0x01000193);
    b = Math.imul(b ^ words[i + 1]!, 0x05ebca6b);
    c = Math.imul(c ^ words[i + 2]!, 0x2c1b3c6d);
    d = Math.imul(d ^ words[i + 3]!, 0x297a2d39);
  }
  a = Math.imul(a ^ (c >>> 15), 0x01000193) ^ c;
  b = Math.imul(b ^ (d >>> 13), 0x05ebca6b) ^ d;
  return (a >>> 0) * 2 ** 21 + ((b >>> 11) & 0x1f_ffff);
}

export function isEqualFrame(core: Core, one: number, other: number): boolean {
  const words = core.u32;
  const a = frameAddress(one) >> 2;
  const b = frameAddress(other) >> 2;
  for (let i = 0; i < WORDS; i++) if (words[a + i] !== words[b + i]) return false;
  return true;
}
