/**
 * GNTTABOP_copy (spec 08 section 8.6): up to a page of bytes from one frame to another, without mapping either. Each side is named by a
 * grant reference of any domain, or by a gfn of the caller's own.
 */
import { CTR_GRANT_COPIES, CTR_GRANT_COPY_BYTES } from "../../abi/counters";
import {
  GNTCOPY_DEST_GREF,
  GNTCOPY_SOURCE_GREF,
  GNTST_BAD_COPY_ARG,
  GNTST_BAD_DOMAIN,
  GNTST_GENERAL_ERROR,
  GNTST_OKAY,
  GNTST_PERMISSION_DENIED,
} from "../../abi/grant";
import { DOMID_SELF } from "../../abi/hypercalls";
import { GRANT_RACE_NO_REFERENCE, GRANT_RACE_PUT_FIRST, KNOB_GRANT_RACE } from "../../abi/knobs";
import { PAGE_SIZE } from "../../abi/layout";
import { TRC_GRANT_COPY } from "../../abi/trace-events";
import { W_GRANT_COPY_FOUND, W_GRANT_PUT } from "../../abi/windows";
import { Count } from "../../base/counters";
import { Trace } from "../../base/trace";
import { Variant } from "../../base/variant";
import { ACCESS_WRITE, Window } from "../../base/window";
import { putPage } from "../../mem/allocator";
import { frameWritten } from "../../mem/frame-access";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { findDomain } from "../domain/find";
import { Vcpu } from "../vcpu";
import { CopySide, copyAcquire, copyRelease } from "./copy-acquire";
import { GrantFrame } from "./frame";

/** One side as the caller names it: 16 bytes. */
@unmanaged
export class CopyPtr {
  /** Reference (low 32 bits) or gfn. */
  name: u64;
  domid: u16;
  offset: u16;
  private _pad: u32;
}

/** struct gnttab_copy of a 64-bit caller, 40 bytes; a 32-bit one is widened (op.ts). */
@unmanaged
export class CopyOp {
  length: u16;
  flags: u16;
  status: i16;
  private _pad: u16;

  /** The part at the end of the structure, which begins at `at`. */
  @inline static at(at: usize): CopyOp {
    return changetype<CopyOp>(at + 32);
  }

  @inline get source(): CopyPtr {
    return changetype<CopyPtr>(changetype<usize>(this) - 32);
  }

  @inline get dest(): CopyPtr {
    return changetype<CopyPtr>(changetype<usize>(this) - 16);
  }
}

if (offsetof<CopyPtr>() != 16 || offsetof<CopyOp>() != 8) ERROR("the structure of copy");

/** Only one's own memory can be named by gfn. */
function mayName(ptr: CopyPtr, isRef: bool): bool {
  return isRef || ptr.domid == <u16>DOMID_SELF;
}

/** Variant C-45, before 3c42e2fcfa: a page named by gfn is looked up and not held. */
function isUnheld(isRef: bool): bool {
  return !isRef && Variant.is(KNOB_GRANT_RACE, GRANT_RACE_NO_REFERENCE);
}

/** The frame of one side, held. */
function claim(v: Vcpu, d: Domain, ptr: CopyPtr, isRef: bool, isReadOnly: bool, side: CopySide): i32 {
  if (isRef) {
    const status = copyAcquire(d, <u32>ptr.name, v.domid, isReadOnly, true, side);
    if (status != GNTST_OKAY) return status;
  } else {
    const status = GrantFrame.get(d, ptr.name, isReadOnly);
    if (status != GNTST_OKAY) return status;
    side.mfn = d.lookupMfn;
    side.held = side.mfn;
    side.start = 0;
    side.length = PAGE_SIZE;
  }
  if (!isReadOnly && !isUnheld(isRef) && !GrantFrame.getWritable(side.held)) {
    release(d, ptr, isRef, isReadOnly, side, false);
    return GNTST_GENERAL_ERROR;
  }
  if (isUnheld(isRef)) putPage(side.held);
  return GNTST_OKAY;
}

/** Pin before reference; variant C-43, before e008f7619d, the other way round. */
function release(d: Domain, ptr: CopyPtr, isRef: bool, isReadOnly: bool, side: CopySide, isTyped: bool): void {
  if (isUnheld(isRef)) return;
  if (isTyped) GrantFrame.putWritable(side.held);
  if (Variant.is(KNOB_GRANT_RACE, GRANT_RACE_PUT_FIRST)) {
    putPage(side.held);
    Window.at(W_GRANT_PUT, changetype<usize>(Frame.at(side.held)), ACCESS_WRITE);
    if (isRef) copyRelease(d, <u32>ptr.name, isReadOnly);
    return;
  }
  if (isRef) copyRelease(d, <u32>ptr.name, isReadOnly);
  putPage(side.held);
}

function isInside(offset: u32, length: u32, side: CopySide): bool {
  return offset >= side.start && offset + length <= side.start + side.length;
}

function move(op: CopyOp, source: CopySide, dest: CopySide, to: Domain): i32 {
  const length: u32 = op.length;
  const from: u32 = op.source.offset;
  const at: u32 = op.dest.offset;
  if (from + length > <u32>PAGE_SIZE || at + length > <u32>PAGE_SIZE) return GNTST_BAD_COPY_ARG;
  if (!isInside(from, length, source) || !isInside(at, length, dest)) return GNTST_GENERAL_ERROR;
  Window.at(W_GRANT_COPY_FOUND, Frame.host(dest.mfn), ACCESS_WRITE);
  memory.copy(Frame.host(dest.mfn) + at, Frame.host(source.mfn) + from, length);
  frameWritten(dest.mfn);
  GrantFrame.markDirty(to, dest.mfn);
  Count.one(CTR_GRANT_COPIES);
  Count.add(CTR_GRANT_COPY_BYTES, length);
  return GNTST_OKAY;
}

/** @param work room for the two sides. @returns GNTST_*, or COPY_RESTART: make it again. */
export function grantCopy(v: Vcpu, op: CopyOp, work: usize): i32 {
  const isSourceRef = (op.flags & GNTCOPY_SOURCE_GREF) != 0;
  const isDestRef = (op.flags & GNTCOPY_DEST_GREF) != 0;
  if (!mayName(op.source, isSourceRef)) return GNTST_PERMISSION_DENIED;
  const from = findDomain(v, op.source.domid);
  if (from == 0) return GNTST_BAD_DOMAIN;
  if (!mayName(op.dest, isDestRef)) return GNTST_PERMISSION_DENIED;
  const to = findDomain(v, op.dest.domid);
  if (to == 0) return GNTST_BAD_DOMAIN;

  const sourceDomain = changetype<Domain>(from);
  const destDomain = changetype<Domain>(to);
  const source = changetype<CopySide>(work);
  const dest = changetype<CopySide>(work + offsetof<CopySide>());
  let status = claim(v, sourceDomain, op.source, isSourceRef, true, source);
  if (status != GNTST_OKAY) return status;
  status = claim(v, destDomain, op.dest, isDestRef, false, dest);
  if (status == GNTST_OKAY) {
    status = move(op, source, dest, destDomain);
    release(destDomain, op.dest, isDestRef, false, dest, true);
  }
  release(sourceDomain, op.source, isSourceRef, true, source, false);
  if (status == GNTST_OKAY)
    Trace.event(TRC_GRANT_COPY, v.slot, sourceDomain.domid | (destDomain.domid << 16), op.source.name, op.dest.name);
  return status;
}
