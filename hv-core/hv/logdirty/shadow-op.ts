/**
 * DOMCTL_shadow_op (spec 01 section 1.9): log-dirty mode on and off, reading its bitmap, and the size of the paging pool in MiB.
 *
 * Structure: op u32 @0, mode u32 @4, mb u32 @8, dirty_bitmap u64 @16, pages u64 @24, fault_count u32 @32, dirty_count u32 @36.
 */
import { EBUSY, EFAULT, EINVAL, ENOMEM, ERESTART, OK } from "../../abi/errno";
import {
  SHADOW_ENABLE_LOG_DIRTY,
  SHADOW_LOGDIRTY_FINAL,
  SHADOW_OP_CLEAN,
  SHADOW_OP_ENABLE,
  SHADOW_OP_ENABLE_LOGDIRTY,
  SHADOW_OP_GET_ALLOCATION,
  SHADOW_OP_OFF,
  SHADOW_OP_PEEK,
  SHADOW_OP_SET_ALLOCATION,
} from "../../abi/hypercalls";
import { PAGE_SIZE } from "../../abi/layout";
import { DOMAIN_ALIVE, Domain } from "../domain";
import { domainPause, domainUnpause } from "../domain/pause";
import { setPagingPool } from "../domctl/resources";
import { copyToGuest, Scratch } from "../hypercall/guest-copy";
import { MM_PAGING, MmLock } from "../mm-lock";
import { Vcpu } from "../vcpu";
import { BITMAP_PAGES, LEAF_PAGES, logDirtyLeaf } from "./bitmap";
import { logDirtyDisable, logDirtyEnable, logDirtyRearm } from "./global";
import { pmlFlushAll } from "./pml";

const OP: usize = 0;
const MODE: usize = 4;
const MB: usize = 8;
const BITMAP: usize = 16;
const PAGES: usize = 24;
const FAULT_COUNT: usize = 32;
const DIRTY_COUNT: usize = 36;

const PAGES_PER_MIB: u32 = 256;
/** Leaves of the bitmap that are copied before others have a turn. */
const LEAVES_PER_CALL: u32 = 64;

/** Copies one leaf, or zeroes where there is none. */
function copyLeaf(v: Vcpu, to: u64, leaf: usize, bytes: u32): bool {
  let from = leaf;
  if (leaf == 0) {
    from = Scratch.at + 0x1000;
    memory.fill(from, 0, bytes);
  }
  return copyToGuest(v, to, from, bytes) == 0;
}

/** Copies (and for CLEAN empties) leaf after leaf. @returns OK, -EFAULT, or -ERESTART with logDirtyDone saying how far it got. */
function readBitmap(v: Vcpu, d: Domain, u: usize, isClean: bool): i32 {
  const bitmap = load<u64>(u, BITMAP);
  const pages = load<u64>(u, PAGES);
  let done = d.logDirtyDone;
  for (let leaves: u32 = 0; done < pages && done < BITMAP_PAGES; leaves++) {
    if (leaves == LEAVES_PER_CALL) {
      d.logDirtyDone = done;
      return -ERESTART;
    }
    const left = pages - done;
    const bytes = left < LEAF_PAGES ? <u32>((left + 7) >> 3) : <u32>PAGE_SIZE;
    const leaf = logDirtyLeaf(d, done);
    if (bitmap != 0 && !copyLeaf(v, bitmap + (done >> 3), leaf, bytes)) return -EFAULT;
    if (isClean && leaf != 0) memory.fill(leaf, 0, PAGE_SIZE);
    done += bytes == <u32>PAGE_SIZE ? LEAF_PAGES : (<u64>bytes) << 3;
  }
  if (done < pages) store<u64>(u, done, PAGES);
  return OK;
}

/** CLEAN or PEEK; the domain stays paused from the first piece to the last. */
function readOp(v: Vcpu, d: Domain, u: usize, isResuming: bool): i32 {
  const op = load<u32>(u, OP);
  const isClean = op == <u32>SHADOW_OP_CLEAN;
  if (!isResuming) {
    domainPause(d);
    pmlFlushAll(d);
    d.logDirtyDone = 0;
  }
  MmLock.acquire(d, MM_PAGING);
  store<u32>(u, 0, FAULT_COUNT);
  store<u32>(u, d.logDirtyCount, DIRTY_COUNT);
  let rc: i32 = d.logDirtyFailed != 0 ? -ENOMEM : readBitmap(v, d, u, isClean);
  if (rc == -ERESTART) {
    d.logDirtyCaller = v.domid + 1;
    d.logDirtyOp = op;
    MmLock.release(d, MM_PAGING);
    return rc;
  }
  d.logDirtyCaller = 0;
  if (isClean && rc == OK) d.logDirtyCount = 0;
  MmLock.release(d, MM_PAGING);
  if (isClean && rc == OK) logDirtyRearm(d);
  domainUnpause(d);
  return rc;
}

/** In MiB, rounded up. */
function allocation(d: Domain): u32 {
  return (d.pagingPool + PAGES_PER_MIB - 1) / PAGES_PER_MIB;
}

function paging(d: Domain, u: usize, op: u32): i32 {
  switch (op) {
    case SHADOW_OP_SET_ALLOCATION: {
      const rc = setPagingPool(d, (<u64>load<u32>(u, MB)) << 20);
      store<u32>(u, allocation(d), MB);
      return rc;
    }
    case SHADOW_OP_GET_ALLOCATION:
      store<u32>(u, allocation(d), MB);
      return OK;
    case SHADOW_OP_OFF:
      return OK;
    default:
      return -EINVAL;
  }
}

/**
 * @param isResuming the call goes on after -ERESTART. Anybody may claim that: it has to be the caller and the operation that were
 * interrupted, and nothing else is let in before they have finished.
 * @returns OK; -EINVAL (own domain, no vCPUs, unknown operation or mode, on already), -EBUSY, -ENOMEM, -EFAULT, -ERESTART.
 */
export function shadowOp(v: Vcpu, d: Domain, u: usize, isResuming: bool): i32 {
  if (d.slot == v.domainSlot) return -EINVAL;
  if (d.state != DOMAIN_ALIVE) return OK;
  if (d.vcpuCount == 0) return -EINVAL;
  const op = load<u32>(u, OP);
  const mode = load<u32>(u, MODE);
  if (isResuming) {
    if (d.logDirtyCaller != v.domid + 1 || d.logDirtyOp != op) return -EBUSY;
  } else if (d.logDirtyCaller != 0 && op != <u32>SHADOW_OP_GET_ALLOCATION && op != <u32>SHADOW_OP_SET_ALLOCATION) {
    return -EBUSY;
  }
  switch (op) {
    case SHADOW_OP_ENABLE:
      return (mode & <u32>SHADOW_ENABLE_LOG_DIRTY) != 0 ? logDirtyEnable(d) : -EINVAL;
    case SHADOW_OP_ENABLE_LOGDIRTY:
      return logDirtyEnable(d);
    case SHADOW_OP_CLEAN:
    case SHADOW_OP_PEEK:
      return (mode & ~(<u32>SHADOW_LOGDIRTY_FINAL)) != 0 ? -EINVAL : readOp(v, d, u, isResuming);
    case SHADOW_OP_OFF:
      logDirtyDisable(d);
      return OK;
    default:
      return paging(d, u, op);
  }
}
