/** The debug operations: how many references a shared page has, by gfn or by machine frame (spec 04 section 4.2). */
import { EINVAL } from "../../abi/errno";
import { Hv } from "../../base/assert";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { p2mLookup } from "../p2m/lookup";
import { P2m } from "../p2m/p2m";
import { PageLock } from "./page-lock";

const SITE_NO_INFO: u32 = 66;

/** References of a shared frame, one or more; -EINVAL when it is not shared. Takes the page lock only. */
export function debugMfn(mfn: u64): i32 {
  if (mfn > 0xffff_ffff || !Frame.isValid(mfn) || !PageLock.acquire(<u32>mfn)) return -EINVAL;
  const frame = Frame.at(<u32>mfn);
  Hv.assertAlways(frame.sharing != 0, SITE_NO_INFO);
  const count = frame.typeCount;
  PageLock.release(<u32>mfn);
  return <i32>count;
}

export function debugGfn(d: Domain, gfn: u64): i32 {
  P2m.lock(d);
  p2mLookup(d, gfn);
  const result = debugMfn(d.lookupMfn);
  P2m.unlock(d);
  return result;
}
