/**
 * Which pages of a domain have been written: one bit for each gfn, in frames of the paging pool (spec 01 section 1.9).
 * Three levels of nodes with 512 frame numbers each, then leaves of 32,768 bits; what is not there reads zero.
 *
 * Written by: step 8 of an EPT violation, hypercall copies, emulated writes, new pages. Read by: logdirty/shadow-op.ts.
 */
import { CTR_LOGDIRTY_MARKED } from "../../abi/counters";
import { KNOB_VRAM_MODE, VRAM_MODE_SHARED } from "../../abi/knobs";
import { W_BITMAP_PIECE_FREED } from "../../abi/windows";
import { Count } from "../../base/counters";
import { Variant } from "../../base/variant";
import { ACCESS_WRITE, Window } from "../../base/window";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { MM_PAGING, MmLock } from "../mm-lock";
import { poolAlloc, poolFree } from "../p2m/tables";

/** Pages that one leaf speaks for: 8 bits in each of 4096 bytes. */
export const LEAF_PAGES: u64 = 32768;
const LEAF_SHIFT: u64 = 15;
const NODE_SHIFT: u64 = 9;
/** Pages that the whole tree can speak for. */
export const BITMAP_PAGES: u64 = (<u64>1) << (LEAF_SHIFT + 3 * NODE_SHIFT);

function newNode(d: Domain): u32 {
  const mfn = poolAlloc(d);
  if (mfn != 0) d.logDirtyFrames++;
  return mfn;
}

/** Address of the slot in node `mfn` of `level` (3 = root) for a gfn. */
function slotOf(mfn: u32, level: u32, gfn: u64): usize {
  const index = <usize>(gfn >> (LEAF_SHIFT + NODE_SHIFT * (level - 1))) & 511;
  return Frame.host(mfn) + (index << 3);
}

/** The leaf for `gfn`, made if need be; 0 when there is none, or no frame for it. */
function leafOf(d: Domain, gfn: u64, create: bool): u32 {
  if (d.logDirtyRoot == 0) {
    if (!create) return 0;
    d.logDirtyRoot = newNode(d);
  }
  let node = d.logDirtyRoot;
  for (let level: u32 = 3; level != 0 && node != 0; level--) {
    const slot = slotOf(node, level, gfn);
    let child = load<u32>(slot);
    if (child == 0) {
      if (!create) return 0;
      child = newNode(d);
      store<u32>(slot, child);
    }
    node = child;
  }
  return node;
}

/** Notes that the page was written. Without a frame for the bit the reader will hear of it (-ENOMEM): no dirty page is lost silently. */
export function logDirtyMark(d: Domain, gfn: u64): void {
  if (d.logDirtyMode == 0 || gfn >= BITMAP_PAGES) return;
  MmLock.acquire(d, MM_PAGING);
  const leaf = leafOf(d, gfn, true);
  if (leaf == 0) {
    d.logDirtyFailed++;
  } else {
    const at = Frame.host(leaf) + (<usize>(gfn & (LEAF_PAGES - 1)) >> 3);
    const bit: u8 = <u8>((<u32>1) << (<u32>gfn & 7));
    const byte = load<u8>(at);
    if ((byte & bit) == 0) {
      store<u8>(at, byte | bit);
      d.logDirtyCount++;
      Count.one(CTR_LOGDIRTY_MARKED);
    }
  }
  MmLock.release(d, MM_PAGING);
}

/** Whether the page is noted as written. */
export function logDirtyIsMarked(d: Domain, gfn: u64): bool {
  const leaf = leafOf(d, gfn, false);
  return leaf != 0 && ((load<u8>(Frame.host(leaf) + (<usize>(gfn & (LEAF_PAGES - 1)) >> 3)) >> (<u8>gfn & 7)) & 1) != 0;
}

/** Host address of the leaf that begins with `gfn`, 0 = all clean. */
export function logDirtyLeaf(d: Domain, gfn: u64): usize {
  const leaf = leafOf(d, gfn, false);
  return leaf == 0 ? 0 : Frame.host(leaf);
}

/** Variant C-20: freeing is preemptible, and whoever comes in between may find log-dirty mode switched on again. */
function letOthersIn(d: Domain): void {
  MmLock.release(d, MM_PAGING);
  Window.at(W_BITMAP_PIECE_FREED, changetype<usize>(d), ACCESS_WRITE);
  MmLock.acquire(d, MM_PAGING);
}

function freeNode(d: Domain, mfn: u32, level: u32): void {
  if (level != 0) {
    for (let i: usize = 0; i < 512; i++) {
      const slot = Frame.host(mfn) + (i << 3);
      const child = load<u32>(slot);
      if (child == 0) continue;
      freeNode(d, child, level - 1);
      store<u32>(slot, 0);
      if (Variant.is(KNOB_VRAM_MODE, VRAM_MODE_SHARED)) letOthersIn(d);
    }
  }
  d.logDirtyFrames--;
  poolFree(d, mfn);
}

/** Log-dirty mode is over: the frames go back. */
export function logDirtyFree(d: Domain): void {
  if (d.logDirtyRoot != 0) freeNode(d, d.logDirtyRoot, 3);
  d.logDirtyRoot = 0;
  d.logDirtyFailed = 0;
}
