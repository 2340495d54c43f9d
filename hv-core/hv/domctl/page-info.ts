/**
 * What kind of page a frame is: getpageframeinfo3, set_broken_page_p2m, and audit_p2m, which compares the p2m with the frame table.
 */
import { CTR_LOOP_STEPS } from "../../abi/counters";
import { E2BIG, EFAULT, EINVAL, ENOSYS, ERESTART, OK } from "../../abi/errno";
import { P2M_ALLOC, P2M_RAM_BROKEN } from "../../abi/p2m-types";
import { Count } from "../../base/counters";
import { Machine } from "../../base/machine";
import { FRAME_ALLOCATED, FRAME_EXTRA, FRAME_TABLE, FRAME_XEN_HEAP, Frame, INVALID_M2P } from "../../mem/frame-table";
import { Domain } from "../domain";
import { copyFromGuest, copyToGuest, Scratch } from "../hypercall/guest-copy";
import { isUpcallPending } from "../hypercall/shared-info";
import { P2m } from "../p2m/p2m";
import { P2mType } from "../p2m/types";
import { Vcpu } from "../vcpu";

const MAX_PAGES: u64 = 1024;
/** Answers: an ordinary page, a broken one, none. */
const PAGE_NOTAB: u64 = 0;
const PAGE_BROKEN: u64 = 0xd000_0000;
export const PAGE_XTAB: u64 = 0xf000_0000;
/** Entries between two looks at whether the caller has an event. */
const PIECE: u32 = 64;
const ENTRY: usize = 0x800;

/** A promised page gets its memory: asking is a use. */
export function pageType(d: Domain, gfn: u64): u64 {
  const type = P2m.lookup(d, gfn, P2M_ALLOC);
  if (type == <u32>P2M_RAM_BROKEN) return PAGE_BROKEN;
  return P2mType.isRam(type) && Frame.isValid(d.lookupMfn) ? PAGE_NOTAB : PAGE_XTAB;
}

/**
 * {num u64, array handle u64}: each gfn becomes its type, in the caller's array. Preempted when the caller has an event: what is
 * left is written to the structure, and the call goes on from there.
 */
export function getPageFrameInfo(v: Vcpu, d: Domain, u: usize): i32 {
  const count = load<u64>(u);
  if (count > MAX_PAGES) return -E2BIG;
  const array = load<u64>(u, 8);
  const entry = Scratch.at + ENTRY;
  for (let i: u64 = 0; i < count; i++) {
    if (i != 0 && i % PIECE == 0 && isUpcallPending(v)) {
      store<u64>(u, count - i);
      store<u64>(u, array + i * 8, 8);
      return -ERESTART;
    }
    Count.one(CTR_LOOP_STEPS);
    if (copyFromGuest(v, entry, array + i * 8, 8) != 0) return -EFAULT;
    store<u64>(entry, pageType(d, load<u64>(entry)));
    if (copyToGuest(v, array + i * 8, entry, 8) != 0) return -EFAULT;
  }
  return OK;
}

/** {gfn u64}: a page whose memory failed. */
export function setBrokenPage(d: Domain, u: usize): i32 {
  const gfn = load<u64>(u);
  const type = P2m.lookup(d, gfn, 0);
  if (!P2mType.isRam(type)) return -EINVAL;
  return P2m.changeTypeOne(d, gfn, type, P2M_RAM_BROKEN);
}

function isMemory(flags: u16): bool {
  return (flags & FRAME_ALLOCATED) != 0 && (flags & (FRAME_EXTRA | FRAME_TABLE | FRAME_XEN_HEAP)) == 0;
}

/**
 * Answers {orphans u64, m2p_bad u64, p2m_bad u64} about all of the domain's pages: unbounded, so only a debug build has it.
 * Orphans: frames of the domain that no gfn claims. m2p_bad: a frame says a gfn, the p2m says another frame. p2m_bad: the reverse.
 */
export function auditP2m(d: Domain, u: usize): i32 {
  if (!isDefined(DEBUG)) return -ENOSYS;
  let orphans: u64 = 0;
  let m2pBad: u64 = 0;
  const mark = Machine.get().frameMark;
  for (let mfn: u32 = 1; mfn < mark; mfn++) {
    Count.one(CTR_LOOP_STEPS);
    const frame = Frame.at(mfn);
    if (frame.owner != <u16>d.slot || !isMemory(frame.flags)) continue;
    if (frame.m2p == INVALID_M2P) orphans++;
    else if (!P2mType.isAnyRam(P2m.lookup(d, frame.m2p, 0)) || d.lookupMfn != mfn) m2pBad++;
  }
  store<u64>(u, orphans);
  store<u64>(u, m2pBad, 8);
  store<u64>(u, badEntries(d), 16);
  return OK;
}

/** RAM entries of the p2m whose frame does not name this gfn. Holes are skipped by their size. */
function badEntries(d: Domain): u64 {
  let bad: u64 = 0;
  let gfn: u64 = 0;
  while (gfn <= d.p2mMaxMapped) {
    Count.one(CTR_LOOP_STEPS);
    const type = P2m.lookup(d, gfn, 0);
    if (P2mType.isRam(type) && Frame.isValid(d.lookupMfn)) {
      const frame = Frame.at(d.lookupMfn);
      if (frame.owner == <u16>d.slot && <u64>frame.m2p != gfn) bad++;
      gfn++;
    } else {
      const size = (<u64>1) << d.lookupOrder;
      gfn = (gfn & ~(size - 1)) + size;
    }
  }
  return bad;
}
