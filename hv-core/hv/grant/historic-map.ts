/**
 * Variants of add_to_physmap for frames of a grant table (catalogue C-40): each is how Xen once did it, and what it did not hold. Builds
 * without variants never come here; how it is done is p2m/add-to-physmap.ts.
 */
import { OK } from "../../abi/errno";
import {
  GRANT_RACE_EARLY_REMOVE,
  GRANT_RACE_STATUS_DROPPED,
  GRANT_RACE_STATUS_REF,
  GRANT_RACE_STATUS_UNLOCKED,
  KNOB_GRANT_RACE,
} from "../../abi/knobs";
import { W_GRANT_FRAME_FOUND, W_GRANT_OLD_GFN } from "../../abi/windows";
import { Variant } from "../../base/variant";
import { ACCESS_READ, Window } from "../../base/window";
import { getPage, putPage } from "../../mem/allocator";
import { Frame, INVALID_M2P } from "../../mem/frame-table";
import { Domain } from "../domain";
import { P2m } from "../p2m/p2m";
import { physmapAdd, physmapRemove } from "../p2m/physmap";
import { GrantMapFrame } from "./physmap-frame";
import { Grants } from "./table";

export function isHistoricGrantMap(): bool {
  return (
    Variant.is(KNOB_GRANT_RACE, GRANT_RACE_STATUS_UNLOCKED) ||
    Variant.is(KNOB_GRANT_RACE, GRANT_RACE_STATUS_DROPPED) ||
    Variant.is(KNOB_GRANT_RACE, GRANT_RACE_STATUS_REF) ||
    Variant.is(KNOB_GRANT_RACE, GRANT_RACE_EARLY_REMOVE)
  );
}

/** Takes the frame out of the p2m without asking whether it is where it was said to be, and forgets where it is. */
function removeUnchecked(d: Domain, gfn: u64, mfn: u32): void {
  P2m.lock(d);
  P2m.lookup(d, gfn, 0);
  if (d.lookupMfn == mfn) P2m.clear(d, gfn, 0);
  Frame.at(mfn).m2p = INVALID_M2P;
  P2m.unlock(d);
}

/** XSA-379: where the frame was is read before any lock is taken. Two callers may both take it from there, and each puts it somewhere. */
function moveUnlocked(d: Domain, mfn: u32, gfn: u64): i32 {
  const from = Frame.at(mfn).m2p;
  Window.at(W_GRANT_OLD_GFN, changetype<usize>(Frame.at(mfn)), ACCESS_READ);
  if (from != INVALID_M2P) removeUnchecked(d, from, mfn);
  return physmapAdd(d, gfn, mfn, 0);
}

/** Under the p2m lock, as today; the frame may be anybody's by now. */
function moveLocked(d: Domain, mfn: u32, gfn: u64): i32 {
  P2m.lock(d);
  const from = Frame.at(mfn).m2p;
  const removed = from == INVALID_M2P ? OK : physmapRemove(d, from, mfn);
  const result = removed != OK ? removed : physmapAdd(d, gfn, mfn, 0);
  P2m.unlock(d);
  return result;
}

export function historicGrantMap(d: Domain, index: u64, gfn: u64): i32 {
  Grants.lock(d);
  const found = GrantMapFrame.ofIndex(d, index);
  const mfn = <u32>found;
  // Only XSA-384 is about the missing reference: the others have it, so that each shows its own hole.
  const isHeld = found > 0 && !Variant.is(KNOB_GRANT_RACE, GRANT_RACE_STATUS_DROPPED) && getPage(mfn);
  const isRemovedEarly = found > 0 && Variant.is(KNOB_GRANT_RACE, GRANT_RACE_EARLY_REMOVE);
  if (isRemovedEarly && Frame.at(mfn).m2p != INVALID_M2P) removeUnchecked(d, Frame.at(mfn).m2p, mfn);
  Grants.unlock(d);
  if (found < 0) return <i32>found;
  let result: i32;
  if (Variant.is(KNOB_GRANT_RACE, GRANT_RACE_STATUS_UNLOCKED)) {
    result = moveUnlocked(d, mfn, gfn);
  } else {
    Window.at(W_GRANT_FRAME_FOUND, changetype<usize>(Frame.at(mfn)), ACCESS_READ);
    result = moveLocked(d, mfn, gfn);
  }
  if (isHeld) putPage(mfn);
  return result;
}
