/**
 * Dirty video memory (spec 01 section 1.9, dm_op 7): a device model asks which pages of a range were written since it last asked.
 * Independent of log-dirty mode and its bitmap: that a page's type has become ram_rw again is what says that it was written.
 */
import { EFAULT, EINVAL, ESRCH, OK } from "../../abi/errno";
import { KNOB_VRAM_MODE, VRAM_MODE_SHARED } from "../../abi/knobs";
import { P2M_RAM_LOGDIRTY, P2M_RAM_RW } from "../../abi/p2m-types";
import { Variant } from "../../base/variant";
import { DOMAIN_ALIVE, Domain } from "../domain";
import { domainPause, domainUnpause } from "../domain/pause";
import { copyToGuest, Scratch } from "../hypercall/guest-copy";
import { MM_PAGING, MmLock } from "../mm-lock";
import { P2m } from "../p2m/p2m";
import { Vcpu } from "../vcpu";
import { logDirtyEnable } from "./global";
import { pmlFlushAll } from "./pml";

/** 1 GiB. */
const MAX_PAGES: u32 = 0x4_0000;

/** The old range is RAM again, the new one is tracked from now on. */
function retarget(d: Domain, first: u64, end: u64): void {
  const oldFirst = d.vramFirst;
  const oldEnd = d.vramEnd;
  d.vramFirst = first;
  d.vramEnd = end;
  MmLock.release(d, MM_PAGING);
  domainPause(d);
  P2m.changeTypeRange(d, oldFirst, oldEnd, P2M_RAM_LOGDIRTY, P2M_RAM_RW);
  P2m.changeTypeRange(d, first, end, P2M_RAM_RW, P2M_RAM_LOGDIRTY);
  domainUnpause(d);
  P2m.flush(d);
}

/** Which pages are ram_rw now; they are tracked again. One flush for all of them. */
function sample(d: Domain, first: u64, nr: u32, bitmap: usize): void {
  domainPause(d);
  pmlFlushAll(d);
  P2m.lock(d);
  for (let i: u32 = 0; i < nr; i++) {
    if (P2m.changeTypeOne(d, first + i, P2M_RAM_RW, P2M_RAM_LOGDIRTY) != OK) continue;
    const bit = <u8>((<u32>1) << (i & 7));
    store<u8>(bitmap + (i >> 3), load<u8>(bitmap + (i >> 3)) | bit);
  }
  P2m.unlock(d);
  domainUnpause(d);
}

function stop(d: Domain): void {
  MmLock.acquire(d, MM_PAGING);
  const first = d.vramFirst;
  const end = d.vramEnd;
  d.vramFirst = 0;
  d.vramEnd = 0;
  MmLock.release(d, MM_PAGING);
  P2m.changeTypeRange(d, first, end, P2M_RAM_LOGDIRTY, P2M_RAM_RW);
}

/**
 * @param nr pages from `first` on; 0 stops the tracking. @param bitmapGva, bitmapBytes where one bit for each page goes.
 * @returns OK; -EINVAL (too many pages, buffer too small, no vCPU), -ESRCH (dying), -EFAULT.
 */
export function trackDirtyVram(v: Vcpu, d: Domain, first: u64, nr: u32, bitmapGva: u64, bitmapBytes: u64): i32 {
  if (nr > MAX_PAGES) return -EINVAL;
  if (d.state != DOMAIN_ALIVE) return -ESRCH;
  const bytes = (nr + 7) >> 3;
  if (d.vcpuCount == 0 || <u64>bytes > bitmapBytes) return -EINVAL;
  if (nr == 0) {
    stop(d);
    return OK;
  }
  const bitmap = Scratch.at;
  if (Variant.is(KNOB_VRAM_MODE, VRAM_MODE_SHARED)) logDirtyEnable(d); // XSA-397
  MmLock.acquire(d, MM_PAGING);
  if (d.vramFirst != first || d.vramEnd != first + nr) {
    retarget(d, first, first + nr);
    memory.fill(bitmap, 0xff, bytes); // nobody knows: all of them
  } else {
    MmLock.release(d, MM_PAGING);
    memory.fill(bitmap, 0, bytes);
    sample(d, first, nr, bitmap);
  }
  return copyToGuest(v, bitmapGva, bitmap, bytes) != 0 ? -EFAULT : OK;
}
