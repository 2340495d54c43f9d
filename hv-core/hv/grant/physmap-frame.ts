/**
 * The frames of a grant table for somebody to map: XENMAPSPACE_grant_table of add_to_physmap (its guest) and
 * XENMEM_acquire_resource (its toolstack). The table grows to the frame that is asked for. The caller holds the grant lock.
 */
import { EINVAL, ENOMEM } from "../../abi/errno";
import {
  GRANT_RESOURCE_SHARED,
  GRANT_RESOURCE_STATUS,
  GRANT_STATUS_PER_FRAME,
  GRANT_V2_PER_FRAME,
  XENMAPIDX_GRANT_TABLE_STATUS_BIT,
} from "../../abi/grant";
import { Domain } from "../domain";
import { Grants, GrantTable } from "./table";

/** Shared frames that one status frame speaks for. */
const SHARED_PER_STATUS: u32 = <u32>GRANT_STATUS_PER_FRAME / <u32>GRANT_V2_PER_FRAME;

function sharedFrame(d: Domain, t: GrantTable, index: u64): i64 {
  if (index >= <u64>d.grantMaxFrames) return -EINVAL;
  const error = Grants.grow(d, t, <u32>index + 1);
  return error < 0 ? error : <i64>t.sharedFrame(<u32>index);
}

function statusFrame(d: Domain, t: GrantTable, index: u64): i64 {
  if (t.version != 2 || index >= <u64>Grants.maxStatus(d)) return -EINVAL;
  if (index >= <u64>t.nrStatus) {
    const shared = (<u32>index + 1) * SHARED_PER_STATUS;
    if (shared <= d.grantMaxFrames) Grants.grow(d, t, shared);
    if (index >= <u64>t.nrStatus) return -EINVAL;
  }
  return t.statusFrame(<u32>index);
}

export class GrantMapFrame {
  /** The frame that an index of the map space names; -EINVAL (none), -ENOMEM. Bit 31 counts in version 2 only. */
  static ofIndex(d: Domain, index: u64): i64 {
    const table = Grants.table(d);
    if (table == 0) return -ENOMEM;
    const t = changetype<GrantTable>(table);
    const statusBit = (<u64>1) << XENMAPIDX_GRANT_TABLE_STATUS_BIT;
    return t.version == 2 && (index & statusBit) != 0
      ? statusFrame(d, t, index & ~statusBit)
      : sharedFrame(d, t, index);
  }

  /** The same for a resource: id 0 = shared, 1 = status (-EINVAL in version 1). */
  static ofResource(d: Domain, id: u32, frame: u64): i64 {
    Grants.lock(d);
    const table = Grants.table(d);
    let mfn: i64 = -ENOMEM;
    if (table != 0) {
      const t = changetype<GrantTable>(table);
      if (id == <u32>GRANT_RESOURCE_SHARED) mfn = sharedFrame(d, t, frame);
      else mfn = id == <u32>GRANT_RESOURCE_STATUS ? statusFrame(d, t, frame) : -EINVAL;
    }
    Grants.unlock(d);
    return mfn;
  }

  /** Frames that the resource has at most; 0 for an unknown one. */
  static resourceSize(d: Domain, id: u32): u32 {
    if (id == <u32>GRANT_RESOURCE_SHARED) return d.grantMaxFrames;
    return id == <u32>GRANT_RESOURCE_STATUS ? Grants.maxStatus(d) : 0;
  }
}
