/**
 * MMIO of the hardware domain is mapped at its first touch (Xen's hwdom_fixup_p2m): where dom0's map has a hole, the address is no RAM, and dom0
 * holds the right, gfn and mfn become the same. The right is looked at here and the entry is made later: no lock of permissions is held in
 * between (R-1).
 */
import { CTR_IO_CHECKS, CTR_IO_FIXUPS } from "../../abi/counters";
import { OK } from "../../abi/errno";
import { KNOB_DOM0_VCPUS, KNOB_PADDR_BITS } from "../../abi/knobs";
import { P2M_MMIO_DIRECT } from "../../abi/p2m-types";
import { W_IO_CHECKED } from "../../abi/windows";
import { Count } from "../../base/counters";
import { Knobs } from "../../base/machine";
import { ACCESS_WRITE, Window } from "../../base/window";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { P2m } from "../p2m/p2m";
import { Rangeset } from "./rangeset";

/** A touch of a hole of dom0's map; its p2m lock is held. @returns whether the page is mapped now. */
export function hwdomFixup(d: Domain, gfn: u64): bool {
  if (d.slot != 0 || Knobs.get(KNOB_DOM0_VCPUS) == 0) return false;
  if (gfn >> (Knobs.get(KNOB_PADDR_BITS) - 12) != 0 || Frame.isValid(gfn)) return false;
  Count.one(CTR_IO_CHECKS);
  if (!Rangeset.contains(d.iomemCaps, gfn, gfn)) return false;
  Window.at(W_IO_CHECKED, changetype<usize>(d), ACCESS_WRITE);
  if (P2m.set(d, gfn, <u32>gfn, 0, P2M_MMIO_DIRECT, d.p2mDefaultAccess) != OK) return false;
  Count.one(CTR_IO_FIXUPS);
  return true;
}
