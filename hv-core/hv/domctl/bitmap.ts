/**
 * struct xenctl_bitmap {handle u64, nr_bits u32}: bitmaps between a caller and the hypervisor, both at most 64 bits wide in here.
 *
 * The hypervisor's width and the caller's differ. What the caller has beyond the hypervisor's width is cleared one byte at a time,
 * for as many bytes as the caller says: a loop that the caller bounds, under the domctl lock (finding F-3 of spec 05; confirmed on
 * the recorded Xen, rows V231 and V232; with the knob domctl.bitmap = fixed those bytes are left alone). The number of bytes is computed in 32 bits and wraps for the largest sizes (V229).
 */
import { CTR_LOOP_STEPS } from "../../abi/counters";
import { EFAULT, OK } from "../../abi/errno";
import { AS_FIXED, KNOB_DOMCTL_BITMAP } from "../../abi/knobs";
import { Count } from "../../base/counters";
import { Knobs } from "../../base/machine";
import { copyFromGuest, copyToGuest, Scratch } from "../hypercall/guest-copy";
import { Vcpu } from "../vcpu";

/** struct xenctl_bitmap in a structure. */
export const BITMAP_SIZE: usize = 16;
/** Where the bits pass through. */
const BITS: usize = 0x800;

function bytesFor(bits: u32): u32 {
  return (bits + 7) / 8;
}

function least(a: u32, b: u32): u32 {
  return a < b ? a : b;
}

/** Writes `width` bits to the caller's bitmap described at `map`. OK or -EFAULT. */
export function bitmapToGuest(v: Vcpu, map: usize, bits: u64, width: u32): i32 {
  const to = load<u64>(map);
  const theirs = bytesFor(load<u32>(map, 8));
  const ours = least(theirs, bytesFor(width));
  store<u64>(Scratch.at + BITS, bits);
  if (ours != 0 && copyToGuest(v, to, Scratch.at + BITS, ours) != 0) return -EFAULT;
  if (Knobs.get(KNOB_DOMCTL_BITMAP) == <u32>AS_FIXED) return OK;
  store<u8>(Scratch.at + BITS, 0);
  for (let i = ours; i < theirs; i++) {
    Count.one(CTR_LOOP_STEPS);
    if (copyToGuest(v, to + i, Scratch.at + BITS, 1) != 0) return -EFAULT;
  }
  return OK;
}

/** Reads at most `width` bits of the caller's bitmap; false on a fault. The answer is `bitmapBits()`. */
export function bitmapFromGuest(v: Vcpu, map: usize, width: u32): bool {
  const bits = load<u32>(map, 8);
  const theirs = bytesFor(bits);
  const bytes = least(theirs, bytesFor(width));
  store<u64>(Scratch.at + BITS, 0);
  if (bytes != 0 && copyFromGuest(v, Scratch.at + BITS, load<u64>(map), bytes) != 0) return false;
  if (theirs == bytes && (bits & 7) != 0) {
    const last = Scratch.at + BITS + bytes - 1;
    const mask: u32 = (1 << (bits & 7)) - 1;
    store<u8>(last, load<u8>(last) & <u8>mask);
  }
  return true;
}

/** What `bitmapFromGuest` read. */
export function bitmapBits(): u64 {
  return load<u64>(Scratch.at + BITS);
}
