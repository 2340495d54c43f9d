/**
 * One page of XENMEM_add_to_physmap: the frame that a map space names appears at a gfn of the domain (spec 08 section 8.2).
 * Old contents of that gfn are given back, or only unhooked when they are the hypervisor's.
 */
import { EACCES, EINVAL, ENOENT, EPERM, ESRCH, EXDEV, OK } from "../../abi/errno";
import {
  XENMAPSPACE_DEV_MMIO,
  XENMAPSPACE_GMFN,
  XENMAPSPACE_GMFN_RANGE,
  XENMAPSPACE_GRANT_TABLE,
  XENMAPSPACE_SHARED_INFO,
} from "../../abi/hypercalls";
import { P2M_ALLOC, P2M_MAP_FOREIGN, P2M_MMIO_DIRECT, P2M_RAM_PAGED, P2M_UNSHARE } from "../../abi/p2m-types";
import { Frame, INVALID_M2P } from "../../mem/frame-table";
import { Domain } from "../domain";
import { historicGrantMap, isHistoricGrantMap } from "../grant/historic-map";
import { GrantMapFrame } from "../grant/physmap-frame";
import { Grants } from "../grant/table";
import { pagingPopulate } from "../paging/populate";
import { xsmDmPriv } from "../xsm/dummy";
import { P2M_GFN_LIMIT } from "./lookup";
import { INVALID_MFN, P2m } from "./p2m";
import { isSpecialFrame, physmapAdd, physmapRelease, physmapRemove } from "./physmap";
import { P2mType } from "./types";

export const INVALID_GFN: u64 = 0xffff_ffff_ffff_ffff;

/** The frame of one of the domain's own RAM pages; INVALID_MFN when there is none. */
function ownRam(d: Domain, gfn: u64): u32 {
  const type = P2m.lookup(d, gfn, P2M_ALLOC | P2M_UNSHARE);
  if (!P2mType.isRam(type) || !Frame.isValid(d.lookupMfn)) return INVALID_MFN;
  return Frame.at(d.lookupMfn).owner == d.slot ? d.lookupMfn : INVALID_MFN;
}

/** Makes room at `gfn` for `mfn`: OK, -EPERM (direct MMIO there) or what giving the page back answers. */
function vacate(d: Domain, gfn: u64, mfn: u32): i32 {
  const type = P2m.lookup(d, gfn, 0);
  const old = d.lookupMfn;
  if (type == <u32>P2M_MMIO_DIRECT) return -EPERM;
  if (P2mType.isPaging(type) && old != mfn) return physmapRelease(d, gfn);
  if (!Frame.isValid(old) || old == mfn) return OK;
  if (type == <u32>P2M_MAP_FOREIGN) return P2m.clear(d, gfn, 0);
  if (isSpecialFrame(old)) return physmapRemove(d, gfn, old);
  return physmapRelease(d, gfn);
}

/** The frame that the map space names; negative errno when there is none. For the grant table its lock is held. */
function frameOf(d: Domain, space: u32, index: u64): i64 {
  switch (space) {
    case XENMAPSPACE_SHARED_INFO:
      return index == 0 ? <i64>d.sharedInfoMfn : -EINVAL;
    case XENMAPSPACE_GRANT_TABLE:
      return GrantMapFrame.ofIndex(d, index);
    case XENMAPSPACE_GMFN:
    case XENMAPSPACE_GMFN_RANGE: {
      const mfn = ownRam(d, index);
      return mfn == INVALID_MFN ? -EINVAL : <i64>mfn;
    }
    case XENMAPSPACE_DEV_MMIO:
      return -EACCES;
    default:
      return -EINVAL;
  }
}

/** The frame moves from where it was to `gfn`. */
function move(d: Domain, space: u32, index: u64, mfn: u32, gfn: u64): i32 {
  const error = vacate(d, gfn, mfn);
  if (error != OK) return error;
  const from = Frame.at(mfn).m2p;
  const isRam = space == <u32>XENMAPSPACE_GMFN || space == <u32>XENMAPSPACE_GMFN_RANGE;
  if (isRam && from != index) return -EXDEV;
  if (from != INVALID_M2P) {
    const removed = physmapRemove(d, from, mfn);
    if (removed != OK) return removed;
  }
  if (gfn >= P2M_GFN_LIMIT) return -ENOENT;
  return physmapAdd(d, gfn, mfn, 0);
}

/**
 * @returns OK; -EINVAL (no such frame or index), -ENOMEM (the grant table cannot grow), -EACCES (dev_mmio is not allowed), -EXDEV (the
 * frame's own gfn is another one), -EPERM (direct MMIO at the destination), -ENOENT (destination beyond the address width: the source is
 * gone by then).
 *
 * All of it happens under the p2m lock, and for a frame of the grant table under that lock, too (XSA-379, 384, 486): what is found is what
 * is mapped, and it is mapped once.
 */
export function addToPhysmapOne(d: Domain, space: u32, index: u64, gfn: u64): i32 {
  if (space == <u32>XENMAPSPACE_GRANT_TABLE) {
    if (isDefined(VARIANTS) && isHistoricGrantMap()) return historicGrantMap(d, index, gfn);
    Grants.lock(d);
    const result = addUnderLock(d, space, index, gfn);
    Grants.unlock(d);
    return result;
  }
  return addUnderLock(d, space, index, gfn);
}

function addUnderLock(d: Domain, space: u32, index: u64, gfn: u64): i32 {
  P2m.lock(d);
  const mfn = frameOf(d, space, index);
  const result = mfn < 0 ? <i32>mfn : move(d, space, index, <u32>mfn, gfn);
  P2m.unlock(d);
  return result;
}

/**
 * Maps frame `foreignGfn` of domain `foreignDomid` at `gfn` of `d` (space 4). The entry holds a reference to the frame.
 *
 * A page that is out is asked for: -ENOENT, and the caller tries again. One that is only nominated can be mapped, which is how a pager
 * reads it; evict refuses as long as it is.
 *
 * @returns OK; -ESRCH, -ENOENT, -EINVAL (itself, or no RAM there), -EPERM (no rights over that domain), -ENOMEM, -EBUSY.
 */
export function addForeign(d: Domain, foreignDomid: u32, foreignGfn: u64, gfn: u64): i32 {
  if (d.isPrivileged == 0 && d.targetDomid == 0) return -EPERM;
  const found = Domain.find(foreignDomid);
  if (found == 0) return -ESRCH;
  const owner = changetype<Domain>(found);
  if (owner.slot == d.slot) return -EINVAL;
  const denied = xsmDmPriv(d, owner);
  if (denied != OK) return denied;
  const type = P2m.lookup(owner, foreignGfn, P2M_ALLOC | P2M_UNSHARE);
  const mfn = owner.lookupMfn;
  if (P2mType.isPaging(type) && !Frame.isValid(mfn)) {
    if (type == <u32>P2M_RAM_PAGED) pagingPopulate(owner, foreignGfn);
    return -ENOENT; // try again when the pager has brought it back
  }
  if (!P2mType.isRam(type) || P2mType.isShared(type) || !Frame.isValid(mfn)) return -EINVAL;
  return mapForeignFrame(d, gfn, mfn);
}

/** Maps a frame of another domain (or of the hypervisor) at `gfn`. */
export function mapForeignFrame(d: Domain, gfn: u64, mfn: u32): i32 {
  if (gfn >= P2M_GFN_LIMIT) return -EINVAL;
  const error = vacate(d, gfn, mfn);
  if (error != OK) return error;
  return P2m.set(d, gfn, mfn, 0, P2M_MAP_FOREIGN, d.p2mDefaultAccess);
}
