/**
 * getpageframeinfo of 2014 in its three forms: one page; an array of 32-bit types; an array of frame numbers. None of them can be
 * preempted, so the number of pages is limited instead.
 */
import { CTR_FRAMES_ALLOCATED, CTR_LOOP_STEPS } from "../../../abi/counters";
import { E2BIG, EFAULT, EINVAL, OK } from "../../../abi/errno";
import { Count } from "../../../base/counters";
import { Domain } from "../../domain";
import { copyFromGuest, copyToGuest, Scratch } from "../../hypercall/guest-copy";
import { Vcpu } from "../../vcpu";
import { PAGE_XTAB, pageType } from "../page-info";

const MAX_PAGES: i32 = 1024;
const ENTRY: usize = 0x800;

/** {gmfn u64, type u32}: -EINVAL when it is no page of the domain; the type is not changed then. */
export function getPageFrame(d: Domain, u: usize): i32 {
  const type = pageType(d, load<u64>(u));
  if (type == PAGE_XTAB) return -EINVAL;
  store<u32>(u, <u32>type, 8);
  return OK;
}

/** One entry at a time, in place, `size` bytes each; under the domctl lock to the end. */
function eachEntry(v: Vcpu, d: Domain, array: u64, count: i32, size: u32): i32 {
  Count.one(CTR_FRAMES_ALLOCATED); // 2014 took a page of its heap for the list and gave it back
  const entry = Scratch.at + ENTRY;
  for (let i: i32 = 0; i < count; i++) {
    Count.one(CTR_LOOP_STEPS);
    const at = array + <u64>i * size;
    store<u64>(entry, 0);
    if (copyFromGuest(v, entry, at, size) != 0) return -EFAULT;
    store<u64>(entry, pageType(d, load<u64>(entry)));
    if (copyToGuest(v, at, entry, size) != 0) return -EFAULT;
  }
  return OK;
}

/** {num u64, handle}: the number is cut to a signed int, so that 2^31 and more are no pages at all, and succeed. */
export function getPageFrames2(v: Vcpu, d: Domain, u: usize): i32 {
  const count = <i32>load<u32>(u);
  if (count > MAX_PAGES) return -E2BIG;
  return eachEntry(v, d, load<u64>(u, 8), count, 4);
}

export function getPageFrames3(v: Vcpu, d: Domain, u: usize): i32 {
  const count = load<u64>(u);
  if (count > <u64>MAX_PAGES) return -E2BIG;
  return eachEntry(v, d, load<u64>(u, 8), <i32>count, 8);
}
