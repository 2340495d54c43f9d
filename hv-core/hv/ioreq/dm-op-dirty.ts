/** dm_ops 7 and 11: dirty video memory, and pages that the device model wrote itself (spec 01 section 1.9, spec 03 section 3.2). */
import { EFAULT, EINVAL, ERESTART, OK } from "../../abi/errno";
import { P2M_ALLOC, P2M_UNSHARE } from "../../abi/p2m-types";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { copyFromGuest, Scratch } from "../hypercall/guest-copy";
import { logDirtyMark } from "../logdirty/bitmap";
import { trackDirtyVram } from "../logdirty/vram";
import { P2m } from "../p2m/p2m";
import { P2mType } from "../p2m/types";
import { Vcpu } from "../vcpu";

const EXTENT_SIZE: u32 = 16;
/** Pages marked before the hypercall lets others have a turn. */
const BATCH: u64 = 256;

/** {nr u32 @0, pad u32 @4, first_pfn u64 @8}; the bitmap is buffer 1. */
export function dmTrackDirtyVram(v: Vcpu, d: Domain, nrBufs: u32, args: usize, bufGva: u64, bufSize: u64): i32 {
  if (nrBufs < 2 || load<u32>(args, 4) != 0) return -EINVAL;
  return trackDirtyVram(v, d, load<u64>(args, 8), load<u32>(args), bufGva, bufSize);
}

/** Marks what is RAM there; other pages have no contents to lose. */
function mark(d: Domain, gfn: u64): void {
  const type = P2m.lookup(d, gfn, P2M_ALLOC | P2M_UNSHARE);
  if (P2mType.isAnyRam(type) && !P2mType.isShared(type) && Frame.isValid(d.lookupMfn)) logDirtyMark(d, gfn);
}

/**
 * {nr_extents u32 @0, opaque u32 @4}: the extents in buffer 1, {nr u32, pad u32, first_pfn u64} each, are worked off from the last
 * to the first. After -ERESTART nr_extents is what is left and opaque how many pages of the last one are done.
 *
 * @returns OK (at once when log-dirty mode is off); -EINVAL, -EFAULT.
 */
export function dmModifiedMemory(v: Vcpu, d: Domain, nrBufs: u32, args: usize, bufGva: u64, bufSize: u64): i32 {
  if (nrBufs != 2) return -EINVAL;
  if (d.logDirtyMode == 0) return OK;
  let left = load<u32>(args);
  let offset: u64 = load<u32>(args, 4);
  if (bufSize / EXTENT_SIZE < <u64>left) return -EINVAL;
  let work: u64 = 0;
  while (left != 0) {
    if (work == BATCH) {
      store<u32>(args, left);
      store<u32>(args, <u32>offset, 4);
      return -ERESTART;
    }
    const extent = Scratch.at;
    if (copyFromGuest(v, extent, bufGva + <u64>(left - 1) * EXTENT_SIZE, EXTENT_SIZE) != 0) return -EFAULT;
    const nr = <u64>load<u32>(extent);
    const first = load<u64>(extent, 8);
    const end = first + nr;
    if (load<u32>(extent, 4) != 0 || end <= first || end > d.p2mMaxMapped || offset >= nr) return -EINVAL;
    const pages = nr - offset < BATCH - work ? nr - offset : BATCH - work;
    for (let i: u64 = 0; i < pages; i++) mark(d, first + offset + i);
    work += pages;
    offset += pages;
    if (offset < nr) continue;
    offset = 0;
    left--;
  }
  return OK;
}
