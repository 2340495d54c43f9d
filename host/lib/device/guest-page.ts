/**
 * One page of guest memory that a device model has mapped, for requests whose data is a pointer.
 * Kept in the ioreq server's slab: window gfn u32@40 (0 = none yet), mapped guest gfn + 1 u32@44, linear address u32@48, mfn u32@52.
 */
import { ACTOR_DOMID, getField, setField } from "../actors.ts";
import { frameAddress } from "../core.ts";
import { allocGfns, type Dom0, unmapGfn } from "../dom0.ts";
import { HvError } from "../errors.ts";
import { DomId, Gfn } from "../ids.ts";
import { mapForeign } from "../toolstack/memory.ts";

const WINDOW = 40;
const MAPPED = 44;
const PAGE_AT = 48;
const PAGE_MFN = 52;

/** Linear address of guest-physical `gpa`, mapping its page when needed; 0 when there is no RAM. */
function addressOf(dom0: Dom0, slab: number, gpa: number): number {
  const gfn = Math.floor(gpa / 4096);
  if (getField(dom0.core, slab, MAPPED) !== gfn + 1) {
    closeGuestPage(dom0, slab);
    if (getField(dom0.core, slab, WINDOW) === 0) setField(dom0.core, slab, WINDOW, allocGfns(dom0, 1));
    const window = Gfn(getField(dom0.core, slab, WINDOW));
    try {
      mapForeign(dom0, DomId(getField(dom0.core, slab, ACTOR_DOMID)), gfn, window, 1);
    } catch (error) {
      if (error instanceof HvError) return 0;
      throw error;
    }
    const mfn = dom0.core.exports.dom0Mfn(window) >>> 0;
    setField(dom0.core, slab, MAPPED, gfn + 1);
    setField(dom0.core, slab, PAGE_MFN, mfn);
    setField(dom0.core, slab, PAGE_AT, frameAddress(mfn));
  }
  return getField(dom0.core, slab, PAGE_AT) + (gpa % 4096);
}

/** A byte of guest memory; all ones where there is no RAM. */
export function guestByte(dom0: Dom0, slab: number, gpa: number): number {
  const at = addressOf(dom0, slab, gpa);
  return at === 0 ? 0xff : dom0.core.u8[at]!;
}

export function setGuestByte(dom0: Dom0, slab: number, gpa: number, byte: number): void {
  const at = addressOf(dom0, slab, gpa);
  if (at === 0) return;
  dom0.core.u8[at] = byte;
  dom0.core.exports.frameWritten(getField(dom0.core, slab, PAGE_MFN));
}

/** Drops the mapping: Xen says that the guest's memory changed (IOREQ_TYPE_INVALIDATE), or another page is needed. */
export function closeGuestPage(dom0: Dom0, slab: number): void {
  if (getField(dom0.core, slab, MAPPED) === 0) return;
  setField(dom0.core, slab, MAPPED, 0);
  unmapGfn(dom0, Gfn(getField(dom0.core, slab, WINDOW)));
}
