/**
 * DOMCTL_memory_mapping: direct mappings of device memory (spec 06 section 6.1, rows V499..V530). Rights are looked at here, once; afterwards the
 * guest's accesses run without the hypervisor, whatever becomes of the rights.
 */
import { CRASH_P2M_SPECIAL } from "../../abi/crash";
import { EINVAL, ENOENT, EPERM, OK } from "../../abi/errno";
import {
  IO_ERA_2014,
  IO_RACE_CHECK_THEN_MAP,
  KNOB_DOM0_VCPUS,
  KNOB_IO_ERA,
  KNOB_IO_RACE,
  KNOB_P2M_SUPERPAGES,
  KNOB_PADDR_BITS,
} from "../../abi/knobs";
import { P2M_MMIO_DIRECT } from "../../abi/p2m-types";
import { W_IO_CHECKED } from "../../abi/windows";
import { Knobs } from "../../base/machine";
import { Variant } from "../../base/variant";
import { ACCESS_WRITE, Window } from "../../base/window";
import { Frame, INVALID_M2P } from "../../mem/frame-table";
import { Domain } from "../domain";
import { isPvDomain } from "../domain/find";
import { domainCrash } from "../domain/shutdown";
import { P2M_GFN_LIMIT } from "../p2m/lookup";
import { INVALID_MFN, P2m } from "../p2m/p2m";
import { P2mType } from "../p2m/types";
import { Vcpu } from "../vcpu";
import { Accountant } from "./account/tracker";
import { changeRight } from "./change-right";
import { holderOf } from "./hooks";
import { IO_FRAME, IoState } from "./io-state";
import { Rangeset } from "./rangeset";

/** Pieces of one call (Xen's MAP_MMIO_MAX_ITER). */
const MAX_PIECES: u32 = 64;
const ORDER_2M: u32 = 9;

/** All of a piece was mapped just so before. */
const WAS_THERE: i32 = 1;

/** Order of the next piece: 2 MiB where everything is aligned. */
function pieceOrder(bits: u64, left: u64): u32 {
  return Knobs.get(KNOB_P2M_SUPERPAGES) != 0 && (bits & 511) == 0 && left >= 512 ? ORDER_2M : 0;
}

/**
 * One piece (set_mmio_p2m_entry). RAM that was there stays with its owner and is unmapped; the same mapping again is fine; another special
 * mapping in the way crashes the domain.
 * @returns OK, WAS_THERE or -errno.
 */
function mapPiece(d: Domain, gfn: u64, mfn: u32, order: u32): i32 {
  if (gfn >= P2M_GFN_LIMIT) return -ENOENT;
  const count: u32 = 1 << order;
  let same: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const type = P2m.lookup(d, gfn + i, 0);
    if (P2mType.isSpecial(type)) {
      if (type == <u32>P2M_MMIO_DIRECT && d.lookupMfn == mfn + i) {
        same++;
        continue;
      }
      domainCrash(d, CRASH_P2M_SPECIAL);
      return -EPERM;
    }
    if (P2mType.isRam(type) && Frame.isValid(d.lookupMfn) && Frame.at(d.lookupMfn).owner == d.slot)
      Frame.at(d.lookupMfn).m2p = INVALID_M2P;
  }
  const rc = P2m.set(d, gfn, mfn, order, P2M_MMIO_DIRECT, d.p2mDefaultAccess);
  return rc == OK && same == count ? WAS_THERE : rc;
}

/** What of gfn.. is mapped to something else than device memory cannot be unmapped: -EINVAL. A wrong `mfn` does not matter. */
function unmapPiece(d: Domain, gfn: u64, order: u32): i32 {
  if (P2m.lookup(d, gfn, 0) != <u32>P2M_MMIO_DIRECT || d.lookupMfn == INVALID_MFN) return -EINVAL;
  return P2m.clear(d, gfn, order);
}

/**
 * All or nothing: the first `done` frames that a call has mapped go again, in the pieces they came in, so that no table is
 * needed for it. Bit n of `before`: piece n was there before.
 */
function takeBack(d: Domain, gfn: u64, mfn: u64, nr: u64, done: u64, before: u64): void {
  for (let i: u64 = 0, piece: u64 = 0; i < done; piece++) {
    const order = pieceOrder((gfn + i) | (mfn + i), nr - i);
    if (((before >> piece) & 1) == 0) P2m.clear(d, gfn + i, order);
    i += (<u64>1) << order;
  }
}

/** At most 64 pieces. @returns OK when all is done, otherwise how many frames are; an error only when none is. */
function operate(d: Domain, gfn: u64, mfn: u64, nr: u64, isAdd: bool): i32 {
  let done: u64 = 0;
  let before: u64 = 0;
  let rc: i32 = OK;
  for (let piece: u32 = 0; done < nr && piece < MAX_PIECES; piece++) {
    let order = pieceOrder((gfn + done) | (mfn + done), nr - done);
    if (!isAdd && order != 0) {
      P2m.lookup(d, gfn + done, 0);
      if (d.lookupOrder < order) order = 0;
    }
    rc = isAdd ? mapPiece(d, gfn + done, <u32>(mfn + done), order) : unmapPiece(d, gfn + done, order);
    if (rc == WAS_THERE) {
      before |= (<u64>1) << piece;
      rc = OK;
    }
    if (rc != OK) break;
    done += (<u64>1) << order;
  }
  if (done == nr) return OK;
  if (Accountant.isOn() && isAdd && rc != OK) {
    takeBack(d, gfn, mfn, nr, done, before);
    return rc;
  }
  return done != 0 ? <i32>done : rc;
}

function isHeld(d: Domain, first: u64, last: u64): bool {
  return Rangeset.contains(d.iomemCaps, first, last);
}

/** The accountant looks at the whole range before the first page of it is mapped. */
function isAllowed(d: Domain, first: u64, last: u64): bool {
  if (!Accountant.isOn()) return true;
  IoState.acquire();
  const yes = Accountant.mayUse(IO_FRAME, holderOf(d), first, last);
  IoState.release();
  return yes;
}

/** The rights as the era has them: in 2014 a mapping is a grant, and goes with its removal. */
function checkRights(v: Vcpu, d: Domain, first: u64, last: u64, isAdd: bool): i32 {
  if (!isHeld(v.domain, first, last)) return -EPERM;
  if (!isAdd && Accountant.isOn()) return OK; // what is being revoked must be able to go
  if (Knobs.get(KNOB_IO_ERA) == <u32>IO_ERA_2014)
    return isAdd ? changeRight(d, IO_FRAME, first, last, true, false) : OK;
  return isHeld(d, first, last) ? OK : -EPERM;
}

/** {first_gfn u64, first_mfn u64, nr_mfns u64, add u32}. */
export function memoryMapping(v: Vcpu, d: Domain, u: usize): i32 {
  const gfn = load<u64>(u);
  const mfn = load<u64>(u, 8);
  const nr = load<u64>(u, 16);
  const isAdd = load<u32>(u, 24) != 0;
  const last = mfn + nr - 1;
  const width: u64 = Knobs.get(KNOB_PADDR_BITS) - 12;
  if (last < mfn || (mfn | last) >> width != 0 || gfn + nr - 1 < gfn) return -EINVAL;
  // A paravirtualised domain maps for itself. Ours is one to others unless it runs processors of its own.
  if (isPvDomain(d) && Knobs.get(KNOB_DOM0_VCPUS) == 0) return OK;
  const rc = checkRights(v, d, mfn, last, isAdd);
  if (rc != OK) return rc;
  if (isAdd && Frame.isValid(mfn)) return -EPERM; // RAM of this machine is nobody's device
  if (isAdd && !isAllowed(d, mfn, last)) return -EPERM;
  if (Variant.is(KNOB_IO_RACE, IO_RACE_CHECK_THEN_MAP)) Window.at(W_IO_CHECKED, changetype<usize>(d), ACCESS_WRITE);
  const result = operate(d, gfn, mfn, nr, isAdd);
  if (Knobs.get(KNOB_IO_ERA) == <u32>IO_ERA_2014 && (isAdd ? result < 0 : result == OK))
    changeRight(d, IO_FRAME, mfn, last, false, false);
  return result;
}
