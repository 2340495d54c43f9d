/**
 * Which pages a guest wrote: log-dirty mode (DOMCTL_shadow_op) as a live migration uses it, and dirty video memory
 * (XEN_DMOP_track_dirty_vram) as a display device does (spec 01 section 1.9).
 */
import {
  DMOP_MODIFIED_MEMORY,
  DMOP_TRACK_DIRTY_VRAM,
  DOMCTL_SHADOW_OP,
  HC_DM_OP,
  SHADOW_OP_CLEAN,
  SHADOW_OP_ENABLE_LOGDIRTY,
  SHADOW_OP_OFF,
  SHADOW_OP_PEEK,
} from "../../../hv-core/abi/hypercalls.ts";
import { type Buffer, type Dom0, hypercall, withBuffer } from "../dom0.ts";
import { check } from "../errors.ts";
import type { DomId } from "../ids.ts";
import { domctl } from "./domctl-call.ts";

/** One bit for each page, page 0 is bit 0 of byte 0. */
export type PageBitmap = Uint8Array;

export const isPageSet = (bitmap: PageBitmap, page: number): boolean => ((bitmap[page >> 3]! >> (page & 7)) & 1) !== 0;

function shadowOp(dom0: Dom0, domid: DomId, name: string, op: number, pages = 0): PageBitmap {
  const bytes = (pages + 7) >> 3;
  return withBuffer(dom0, bytes, (bitmap) => {
    domctl(
      dom0,
      `XEN_DOMCTL_shadow_op(${name})`,
      DOMCTL_SHADOW_OP,
      domid,
      (view, at) => {
        view.setUint32(at, op, true);
        view.setUint32(at + 16, bitmap.gpa, true);
        view.setUint32(at + 24, pages, true);
      },
      () => {},
    );
    return dom0.core.u8.slice(bitmap.at, bitmap.at + bytes);
  });
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

/** A dm_op with a second buffer: fills struct dm_op at `at`, answers with what stands in the second buffer afterwards. */
function withSecondBuffer(
  dom0: Dom0,
  domid: DomId,
  name: string,
  bytes: number,
  fill: (view: DataView, at: number, second: Buffer) => void,
): Uint8Array {
  return withBuffer(dom0, bytes, (second) =>
    withBuffer(dom0, 64, ({ gpa, at }) => {
      const { view } = dom0.core;
      view.setUint32(at, gpa + 32, true);
      view.setUint32(at + 8, 32, true);
      view.setUint32(at + 16, second.gpa, true);
      view.setUint32(at + 24, bytes, true);
      fill(view, at + 32, second);
      check(hypercall(dom0, HC_DM_OP, domid, 2, gpa), name);
      return dom0.core.u8.slice(second.at, second.at + bytes);
    }),
  );
}

/**
 * Pages of [first, first + count) written since the last call for the same range; all of them the first time.
 * A `count` of 0 ends the tracking.
 */
export function trackDirtyVram(dom0: Dom0, domid: DomId, first: number, count: number): PageBitmap {
  return withSecondBuffer(dom0, domid, "XEN_DMOP_track_dirty_vram", (count + 7) >> 3, (view, at) => {
    view.setUint32(at, DMOP_TRACK_DIRTY_VRAM, true);
    view.setUint32(at + 8, count, true);
    view.setUint32(at + 16, first, true);
  });
}

/** The device model wrote these pages itself, through a mapping that no type protects. */
export function modifiedMemory(dom0: Dom0, domid: DomId, first: number, count: number): void {
  withSecondBuffer(dom0, domid, "XEN_DMOP_modified_memory", 16, (view, at, extent) => {
    view.setUint32(at, DMOP_MODIFIED_MEMORY, true);
    view.setUint32(at + 8, 1, true);
    view.setUint32(extent.at, count, true);
    view.setUint32(extent.at + 8, first, true);
  });
}
