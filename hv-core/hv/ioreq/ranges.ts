/**
 * Which ports, addresses and PCI functions an ioreq server claims (DMOP 3 and 4, spec 03 section 3.2). The three sets of a
 * server are rangesets, so that choosing a server (select.ts) does not walk over ranges. Different servers may claim the same.
 */
import { EEXIST, EINVAL, ENOENT } from "../../abi/errno";
import { IO_RANGE_PCI } from "../../abi/ioreq";
import { Domain } from "../domain";
import { Rangeset } from "../iocap/rangeset";
import { IoreqLock } from "./lock";
import { IoreqServer, ioreqServerOf } from "./server";

/** @returns OK; -EINVAL (start > end, type), -ENOENT, -EPERM, -EEXIST (overlaps a range of this server), -ENOMEM (limit). */
export function ioreqRangeMap(d: Domain, id: u32, caller: u32, type: u32, start: u64, end: u64): i32 {
  if (start > end) return -EINVAL;
  IoreqLock.acquire(d);
  const set = rangesOf(d, id, caller, type);
  let rc = set;
  if (set >= 0) rc = Rangeset.overlaps(set, start, end) ? -EEXIST : Rangeset.add(set, start, end);
  IoreqLock.release(d);
  return rc;
}

/** @returns OK; -EINVAL, -EPERM as above, -ENOENT (server, or not wholly claimed), -ENOMEM (a split beyond the limit). */
export function ioreqRangeUnmap(d: Domain, id: u32, caller: u32, type: u32, start: u64, end: u64): i32 {
  if (start > end) return -EINVAL;
  IoreqLock.acquire(d);
  const set = rangesOf(d, id, caller, type);
  let rc = set;
  if (set >= 0) rc = Rangeset.contains(set, start, end) ? Rangeset.remove(set, start, end) : -ENOENT;
  IoreqLock.release(d);
  return rc;
}

function rangesOf(d: Domain, id: u32, caller: u32, type: u32): i32 {
  const found = ioreqServerOf(d, id, caller);
  if (found < 0) return found;
  return type > <u32>IO_RANGE_PCI ? -EINVAL : <i32>IoreqServer.at(found).ranges(type);
}
