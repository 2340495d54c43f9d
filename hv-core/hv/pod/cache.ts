/**
 * The frames that a domain has for its populate-on-demand pages (spec 01 section 1.8): all of them are zero, belong to the domain
 * and count as its memory, but are mapped nowhere. Runs of 512 frames for 2 MiB pages on one list, single frames on another.
 * Caller holds podLock.
 */
import { PAGE_SIZE } from "../../abi/layout";
import { CodePages } from "../../mem/code-pages";
import { Frame, INVALID_M2P } from "../../mem/frame-table";
import { Domain } from "../domain";

export const SUPER_ORDER: u32 = 9;
export const SUPER_PAGES: u32 = 512;

function pushSingle(d: Domain, mfn: u32): void {
  Frame.at(mfn).next = d.podSingle;
  d.podSingle = mfn;
}

/** 2^order (0 or 9) frames that nothing maps any more; their contents go. */
export function podCacheAdd(d: Domain, mfn: u32, order: u32): void {
  const size: u32 = 1 << order;
  for (let i: u32 = 0; i < size; i++) {
    Frame.at(mfn + i).m2p = INVALID_M2P;
    CodePages.invalidate(mfn + i);
  }
  memory.fill(Frame.host(mfn), 0, <usize>size * PAGE_SIZE);
  if (order == SUPER_ORDER) {
    Frame.at(mfn).next = d.podSuper;
    d.podSuper = mfn;
  } else {
    pushSingle(d, mfn);
  }
  d.podCount += size;
}

/** 2^order (0 or 9) frames, 0 = none. A run is broken for a single frame, but singles never make a run. */
export function podCacheTake(d: Domain, order: u32): u32 {
  if (order == 0 && d.podSingle != 0) {
    const mfn = d.podSingle;
    d.podSingle = Frame.at(mfn).next;
    Frame.at(mfn).next = 0;
    d.podCount--;
    return mfn;
  }
  const mfn = d.podSuper;
  if (mfn == 0) return 0;
  d.podSuper = Frame.at(mfn).next;
  Frame.at(mfn).next = 0;
  d.podCount -= (<u32>1) << order;
  if (order == 0) {
    for (let i = SUPER_PAGES - 1; i != 0; i--) pushSingle(d, mfn + i);
  }
  return mfn;
}
