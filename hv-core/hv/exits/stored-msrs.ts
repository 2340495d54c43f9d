/**
 * MTRRs: registers that keep what is written and have no effect, because all memory is write-back here. Slots of 8 bytes at
 * VCPU_MSRS_OFFSET: 16 variable ones, then 11 fixed ones.
 */
import { VCPU_MSRS_OFFSET } from "../../abi/layout";
import { Vcpu } from "../vcpu";

const MTRR_VARIABLE_FIRST: u32 = 0x200;
const MTRR_VARIABLE_LAST: u32 = 0x20f;
const FIXED_SLOT: u32 = 16;

/** Address of the stored value of MSR `index`, 0 when it is not one of these. */
export function storedMsr(v: Vcpu, index: u32): usize {
  const base = changetype<usize>(v.cpu) + VCPU_MSRS_OFFSET;
  if (index >= MTRR_VARIABLE_FIRST && index <= MTRR_VARIABLE_LAST) {
    return base + ((<usize>(index - MTRR_VARIABLE_FIRST)) << 3);
  }
  const fixed = fixedSlot(index);
  return fixed < 0 ? 0 : base + ((<usize>(FIXED_SLOT + fixed)) << 3);
}

/** 250, 258, 259, 268..26f -> 0..10. */
function fixedSlot(index: u32): i32 {
  if (index == 0x250) return 0;
  if (index == 0x258 || index == 0x259) return <i32>index - 0x257;
  if (index >= 0x268 && index <= 0x26f) return <i32>index - 0x265;
  return -1;
}
