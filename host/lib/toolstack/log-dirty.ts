/**
 * Which pages a guest wrote: log-dirty mode (DOMCTL_shadow_op) as a live migration uses it, and dirty video memory
 * (XEN_DMOP_track_dirty_vram) as a display device does (spec 01 section 1.9).
 */
import {
  DMOP_MODIFIED_MEMORY,
  DMOP_TRACK_DIRTY_VRAM,
  DOMCTL_SHADOW_OP,
  SHADOW_OP_CLEAN,
  SHADOW_OP_ENABLE_LOGDIRTY,
  SHADOW_OP_OFF,
  SHADOW_OP_PEEK,
} from "../../../hv-core/abi/hypercalls.ts";
import { setHandle } from "../buffers/call.ts";
import { U8 } from "../buffers/element.ts";
import { allocSafe } from "../buffers/safe.ts";
import type { Dom0 } from "../dom0.ts";
import type { DomId } from "../ids.ts";
import { dmOp } from "./dm-op.ts";
import { type DomctlStruct, domctl, domctlHandle, nothing } from "./domctl-call.ts";

/** One bit for each page, page 0 is bit 0 of byte 0. */
export type PageBitmap = Uint8Array;

export const isPageSet = (bitmap: PageBitmap, page: number): boolean => ((bitmap[page >> 3]! >> (page & 7)) & 1) !== 0;

const DIRTY_BITMAP = domctlHandle(16, U8, "out");

function shadowOp(dom0: Dom0, domid: DomId, name: string, op: number, pages = 0): PageBitmap {
  const bytes = (pages + 7) >> 3;
  using bitmap = allocSafe(dom0.arena, U8, "out", Math.max(1, bytes), "dirty bitmap");
  const fill = (view: DataView, at: number, structure: DomctlStruct): void => {
    view.setUint32(at, op, true);
    setHandle(structure, DIRTY_BITMAP, bitmap, bytes);
    view.setUint32(at + 24, pages, true);
  };
  domctl(dom0, `XEN_DOMCTL_shadow_op(${name})`, DOMCTL_SHADOW_OP, domid, fill, nothing, { pages });
  return bitmap.bytes().subarray(0, bytes);
}

/** From now on the first write to each page is noted. @throws HvError EINVAL (on already), EBUSY (ioreq_server pages exist). */
export function logDirtyEnable(dom0: Dom0, domid: DomId): void {
  shadowOp(dom0, domid, "ENABLE_LOGDIRTY", SHADOW_OP_ENABLE_LOGDIRTY);
}

export function logDirtyOff(dom0: Dom0, domid: DomId): void {
  shadowOp(dom0, domid, "OFF", SHADOW_OP_OFF);
}

/** Pages written since the last clean, among the first `pages`; they count as clean again. @throws HvError ENOMEM when some were lost. */
export function logDirtyClean(dom0: Dom0, domid: DomId, pages: number): PageBitmap {
  return shadowOp(dom0, domid, "CLEAN", SHADOW_OP_CLEAN, pages);
}

/** The same without making them clean. */
export function logDirtyPeek(dom0: Dom0, domid: DomId, pages: number): PageBitmap {
  return shadowOp(dom0, domid, "PEEK", SHADOW_OP_PEEK, pages);
}

/**
 * Pages of [first, first + count) written since the last call for the same range; all of them the first time.
 * A `count` of 0 ends the tracking.
 */
export function trackDirtyVram(dom0: Dom0, domid: DomId, first: number, count: number): PageBitmap {
  const bytes = (count + 7) >> 3;
  using bitmap = allocSafe(dom0.arena, U8, "inout", Math.max(1, bytes), "dirty bitmap");
  const fill = (view: DataView, at: number): void => {
    view.setUint32(at, count, true);
    view.setUint32(at + 8, first, true);
  };
  const args = { first, count };
  dmOp(dom0, domid, "XEN_DMOP_track_dirty_vram", DMOP_TRACK_DIRTY_VRAM, fill, nothing, { buffer: bitmap, bytes }, args);
  return bitmap.bytes().subarray(0, bytes);
}

/** The device model wrote these pages itself, through a mapping that no type protects. */
export function modifiedMemory(dom0: Dom0, domid: DomId, first: number, count: number): void {
  using extent = allocSafe(dom0.arena, U8, "inout", 16, "extents");
  const record = new DataView(new ArrayBuffer(16));
  record.setUint32(0, count, true);
  record.setBigUint64(8, BigInt(first), true);
  extent.setBytes(new Uint8Array(record.buffer));
  const fill = (view: DataView, at: number): void => view.setUint32(at, 1, true);
  const second = { buffer: extent, bytes: 16 };
  dmOp(dom0, domid, "XEN_DMOP_modified_memory", DMOP_MODIFIED_MEMORY, fill, nothing, second, { first, count });
}
