/**
 * What a stale entry becomes (spec 01 section 1.5, recalc_type): the rule that lookups and repairs share. It is the reason why a
 * lookup may report a type that the hardware entry does not have yet.
 */
import { P2M_IOREQ_SERVER, P2M_RAM_LOGDIRTY, P2M_RAM_RW } from "../../abi/p2m-types";
import { Domain, NO_SERVER } from "../domain";
import { Rangeset } from "../iocap/rangeset";
import { P2mType } from "./types";

export const LOGDIRTY_NONE: u32 = 0;
export const LOGDIRTY_ALL: u32 = 1;
export const LOGDIRTY_SOME: u32 = 2;

/** Whether all, some or none of the gfns first..last are to be write-tracked. */
export function logDirtyState(d: Domain, first: u64, last: u64): u32 {
  if (d.p2mGlobalLogDirty != 0) return LOGDIRTY_ALL;
  const ranges = d.p2mLogDirtyRanges;
  if (ranges == 0 || !Rangeset.overlaps(ranges, first, last)) return LOGDIRTY_NONE;
  return Rangeset.contains(ranges, first, last) ? LOGDIRTY_ALL : LOGDIRTY_SOME;
}

/** The type of one page after recalculation; `stale` says whether it or a table above it waits for one. */
export function recalcType(d: Domain, stale: bool, type: u32, gfn: u64): u32 {
  if (!stale || !P2mType.isChangeable(type)) return type;
  if (type == <u32>P2M_IOREQ_SERVER && d.p2mIoreqServer != NO_SERVER) return type;
  return logDirtyState(d, gfn, gfn) == LOGDIRTY_ALL ? P2M_RAM_LOGDIRTY : P2M_RAM_RW;
}
