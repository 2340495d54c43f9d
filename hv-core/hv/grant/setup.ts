/**
 * The operations about a table as a whole: setup_table, query_size, get_version, get_status_frames (spec 08 section 8.6). Each takes one
 * structure; a wrong domain is a status in it, or for get_version an errno.
 */
import { EFAULT, EINVAL, EPERM, ESRCH, OK } from "../../abi/errno";
import { GNTST_BAD_DOMAIN, GNTST_GENERAL_ERROR, GNTST_OKAY, GNTST_PERMISSION_DENIED } from "../../abi/grant";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { findDomain } from "../domain/find";
import { copyFromGuest, copyToGuest, Scratch } from "../hypercall/guest-copy";
import { Vcpu } from "../vcpu";
import { xsmTarget } from "../xsm/dummy";
import { Grants, GrantTable } from "./table";

const WORD: usize = 0x180;

/** A table that the caller may ask about: its domain is at `found`, or the status says why not. */
class Subject {
  @inline static get found(): usize {
    return load<u32>(Scratch.at + 0x188);
  }

  static find(v: Vcpu, domid: u32): i32 {
    const found = findDomain(v, domid);
    if (found == 0) return GNTST_BAD_DOMAIN;
    if (xsmTarget(v.domain, changetype<Domain>(found)) != OK) return GNTST_PERMISSION_DENIED;
    store<u32>(Scratch.at + 0x188, <u32>found);
    return GNTST_OKAY;
  }
}

/** Number `i` of a list of the caller's words; false on a fault. */
function putWord(v: Vcpu, list: u64, i: u32, value: u64, bytes: u32): bool {
  store<u64>(Scratch.at + WORD, value);
  return copyToGuest(v, list + <u64>i * bytes, Scratch.at + WORD, bytes) == 0;
}

function growTo(d: Domain, frames: u32): i32 {
  if (frames > d.grantMaxFrames) return GNTST_GENERAL_ERROR;
  Grants.lock(d);
  const table = Grants.table(d);
  const ok = table != 0 && Grants.grow(d, changetype<GrantTable>(table), frames) == OK;
  Grants.unlock(d);
  return ok ? GNTST_OKAY : GNTST_GENERAL_ERROR;
}

/**
 * {dom u16, nr_frames u32, OUT status i16, frame_list}: 24 bytes, 16 from 32-bit code. The gfns of the frames, all ones = not mapped.
 * As recorded, Xen's layer for 32-bit code takes no structure for done, and does not mind a list that it cannot write.
 */
export function grantSetupTable(v: Vcpu, arg: u64, count: u32): i64 {
  const op = Scratch.at;
  const is64 = v.hypercall64 != 0;
  const bytes: u32 = is64 ? 24 : 16;
  if (count == 0 && !is64) return OK;
  if (count != 1) return -EINVAL;
  if (copyFromGuest(v, op, arg, bytes) != 0) return -EFAULT;
  const frames = load<u32>(op, 4);
  const list = is64 ? load<u64>(op, 16) : load<u32>(op, 12);
  let status = Subject.find(v, load<u16>(op));
  if (status == GNTST_OKAY) {
    const d = changetype<Domain>(Subject.found);
    status = growTo(d, frames);
    const word: u32 = is64 ? 8 : 4;
    for (let i: u32 = 0; status == GNTST_OKAY && i < frames; i++) {
      const mfn = GrantTable.at(d.grantMfn).sharedFrame(i);
      if (!putWord(v, list, i, mfn == 0 ? 0 : Frame.at(mfn).m2p, word) && is64) return -EFAULT;
    }
  }
  store<i16>(op, <i16>status, 8);
  return copyToGuest(v, arg, op, bytes) != 0 ? -EFAULT : OK;
}

/** {dom u16, OUT nr_frames u32, OUT max_nr_frames u32, OUT status i16}: 16 bytes. */
export function grantQuerySize(v: Vcpu, arg: u64, count: u32): i64 {
  const op = Scratch.at;
  if (count != 1) return -EINVAL;
  if (copyFromGuest(v, op, arg, 16) != 0) return -EFAULT;
  const status = Subject.find(v, load<u16>(op));
  if (status == GNTST_OKAY) {
    const d = changetype<Domain>(Subject.found);
    store<u32>(op, Grants.frames(d), 4);
    store<u32>(op, d.grantMaxFrames, 8);
  }
  store<i16>(op, <i16>status, 12);
  return copyToGuest(v, arg, op, 16) != 0 ? -EFAULT : OK;
}

/** {dom u16, pad u16, OUT version u32}. -EFAULT, -ESRCH, -EPERM. */
export function grantGetVersion(v: Vcpu, arg: u64): i64 {
  const op = Scratch.at;
  if (copyFromGuest(v, op, arg, 8) != 0) return -EFAULT;
  const status = Subject.find(v, load<u16>(op));
  if (status == GNTST_BAD_DOMAIN) return -ESRCH;
  if (status != GNTST_OKAY) return -EPERM;
  store<u32>(op, Grants.version(changetype<Domain>(Subject.found)), 4);
  return copyToGuest(v, arg, op, 8) != 0 ? -EFAULT : OK;
}

/** {nr_frames u32, dom u16, OUT status i16, frame_list u64}: the gfns of the status frames. Not for HVM guests. */
export function grantStatusFrames(v: Vcpu, arg: u64, count: u32): i64 {
  const op = Scratch.at;
  if (count != 1) return -EINVAL;
  if (copyFromGuest(v, op, arg, 16) != 0) return -EFAULT;
  const frames = load<u32>(op);
  const list = load<u64>(op, 8);
  let status = Subject.find(v, load<u16>(op, 4));
  if (status == GNTST_OKAY) {
    const d = changetype<Domain>(Subject.found);
    const has: u32 = d.grantMfn == 0 ? 0 : GrantTable.at(d.grantMfn).nrStatus;
    if (frames > has) status = GNTST_GENERAL_ERROR;
    for (let i: u32 = 0; status == GNTST_OKAY && i < frames; i++) {
      const mfn = GrantTable.at(d.grantMfn).statusFrame(i);
      if (!putWord(v, list, i, mfn == 0 ? 0 : Frame.at(mfn).m2p, 8)) return -EFAULT;
    }
  }
  store<i16>(op, <i16>status, 6);
  return copyToGuest(v, arg, op, 16) != 0 ? -EFAULT : OK;
}
