/**
 * Where page tables tell the accountant what they do: every entry of type mmio_direct that appears or goes (p2m/set.ts, p2m/tables.ts). With
 * the accountant off nothing happens here.
 */
import { EPERM, OK } from "../../abi/errno";
import { IO_RACE_CHECK_THEN_MAP, IO_RACE_LOST_COUNT, IO_RACE_TEARDOWN, KNOB_IO_RACE } from "../../abi/knobs";
import { Variant } from "../../base/variant";
import { Domain } from "../domain";
import { Counts } from "./account/counts";
import { Accountant } from "./account/tracker";
import { IoState } from "./io-state";
import { Rangeset } from "./rangeset";

/** Domain slot + 1. */
export function holderOf(d: Domain): u32 {
  return d.slot + 1;
}

/** The right itself, too: whoever looked at it before may have looked too early. */
function mapChecked(d: Domain, first: u64, last: u64): i32 {
  if (!Rangeset.contains(d.iomemCaps, first, last)) return -EPERM;
  return Accountant.map(holderOf(d), first, last);
}

/**
 * An entry for 2^order frames from `mfn` on is about to be made. The right is looked at here, under the lock, whoever asks for the entry.
 * @returns OK, -EPERM, -ENOMEM or -EOVERFLOW.
 */
export function ioMapping(d: Domain, mfn: u32, order: u32): i32 {
  if (!Accountant.isOn()) return OK;
  const first = <u64>mfn;
  const last = first + ((<u64>1) << order) - 1;
  IoState.acquire();
  // Variants: whoever asked has looked before, and only the count is left to do.
  const isTrusting = Variant.is(KNOB_IO_RACE, IO_RACE_CHECK_THEN_MAP) || Variant.is(KNOB_IO_RACE, IO_RACE_TEARDOWN);
  const rc = isTrusting ? Counts.add(first, last, holderOf(d)) : mapChecked(d, first, last);
  IoState.release();
  return rc;
}

/** Such an entry is gone, and no translation cache holds it any more. */
export function ioUnmapped(d: Domain, mfn: u32, order: u32): void {
  if (!Accountant.isOn()) return;
  const isUnlocked = Variant.is(KNOB_IO_RACE, IO_RACE_LOST_COUNT);
  if (!isUnlocked) IoState.acquire();
  Accountant.unmap(holderOf(d), mfn, <u64>mfn + ((<u64>1) << order) - 1);
  if (!isUnlocked) IoState.release();
}
