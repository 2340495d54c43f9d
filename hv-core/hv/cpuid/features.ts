/**
 * Which CPUID bits a toolstack may give to a domain: those whose feature this processor executes. What is asked beyond them is
 * dropped without a word, as Xen drops what its hardware lacks.
 */
import { KNOB_PADDR_BITS } from "../../abi/knobs";
import { Knobs } from "../../base/machine";
import { LEAF_EXT1_ECX, LEAF_EXT1_EDX, LEAF1_ECX, LEAF1_EDX } from "../exits/cpuid-leaves";

const PADDR_MASK: u32 = 0xff;

function clearFeatures(row: usize): void {
  store<u64>(row, 0);
  store<u64>(row, 0, 8);
}

/** Takes from the four words at `row` what cannot be given. Leaves of numbers and names stay as they are. */
export function maskFeatures(leaf: u32, row: usize): void {
  switch (leaf) {
    case 1:
      store<u32>(row, load<u32>(row, 8) & LEAF1_ECX, 8);
      store<u32>(row, load<u32>(row, 12) & LEAF1_EDX, 12);
      return;
    case 0x8000_0001:
      store<u32>(row, load<u32>(row, 8) & LEAF_EXT1_ECX, 8);
      store<u32>(row, load<u32>(row, 12) & LEAF_EXT1_EDX, 12);
      return;
    case 0x8000_0008: {
      const bits = load<u32>(row) & PADDR_MASK;
      const most = Knobs.get(KNOB_PADDR_BITS);
      store<u32>(row, (load<u32>(row) & ~PADDR_MASK) | (bits < most ? bits : most));
      store<u32>(row, 0, 4);
      return;
    }
    case 6:
    case 7:
    case 0xa:
    case 0xd:
    case 0x8000_0007:
    case 0x8000_000a:
      clearFeatures(row); // nothing of them is executed
      return;
    default:
      return;
  }
}
