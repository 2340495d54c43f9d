/** XENMEM_acquire_resource for the pages of an ioreq server (spec 03 section 3.3). Frame 0 = buffered ring, 1 = slots. */
import { EINVAL, ENOENT, OK } from "../../abi/errno";
import { BUFIOREQ_OFF } from "../../abi/ioreq";
import { Domain } from "../domain";
import { IoreqLock } from "./lock";
import { ioreqPagesAlloc } from "./pages";
import { IoreqServer, ioreqServerOf } from "./server";

const FRAME_BUFFERED: u64 = 0;
const FRAME_SYNC: u64 = 1;

/** Frames a query of the resource's size reports: the ring and one frame for 128 vCPUs. */
export const IOREQ_RESOURCE_FRAMES: u32 = 2;

/**
 * @param caller id of the domain that asks.
 * @returns the machine frame; -ENOENT (no server, or no buffered ring), -EPERM (not the creator, or gfn mode), -ENOMEM,
 * -EINVAL (no such frame).
 */
export function ioreqResourceMfn(d: Domain, caller: u32, id: u32, frame: u64): i64 {
  IoreqLock.acquire(d);
  const rc = find(d, caller, id, frame);
  IoreqLock.release(d);
  return rc;
}

function find(d: Domain, caller: u32, id: u32, frame: u64): i64 {
  const found = ioreqServerOf(d, id, caller);
  if (found < 0) return found;
  const s = IoreqServer.at(found);
  const rc = ioreqPagesAlloc(s);
  if (rc != OK) return rc;
  if (frame == FRAME_SYNC) return s.syncMfn;
  if (frame != FRAME_BUFFERED) return -EINVAL;
  return s.bufHandling == <u32>BUFIOREQ_OFF ? -ENOENT : <i64>s.bufMfn;
}
