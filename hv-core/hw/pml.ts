/**
 * Page-modification logging (SDM 3C, 28.3.5 and 28.3.6), with the accessed and dirty flags of the EPT. Where it is on, the first write to a
 * page whose EPT leaf is not dirty sets the dirty flag and appends the page's address to a log of 512 entries, from the last one down; when
 * the log is full, the write does not happen and the guest is left (exit 62). The processor's own reads of guest page tables count as writes.
 *
 * Callers: hw/translate.ts, hw/guest-walk.ts. The hypervisor's side: hv/logdirty/pml.ts. Accessed flags are set in advance by software.
 */
import { EXIT_PML_FULL } from "../abi/exits";
import { FRAMES_BASE, PAGE_SHIFT } from "../abi/layout";
import { EPTE_D, EPTE_LEAF } from "../base/epte";
import { Cpu } from "./cpu";
import { Fault } from "./exceptions";

/** Entries of a log; the index counts down and is out of range when there is no room. */
export const PML_ENTRIES: u32 = 512;

export class Pml {
  @inline static isOn(c: Cpu): bool {
    return c.pmlMfn != 0;
  }

  /** Where the leaf that maps `gpa` stands; a walk has just found it legal. */
  private static leafOf(c: Cpu, gpa: u64): usize {
    let table: usize = (<usize>c.eptRoot) << PAGE_SHIFT;
    let shift: u64 = 39;
    while (true) {
      const at = FRAMES_BASE + table + <usize>((gpa >> (shift - 3)) & 0xff8);
      const e = load<u64>(at);
      if (shift == 12 || (e & EPTE_LEAF) != 0) return at;
      table = <usize>(<u32>e & 0xffff_f000);
      shift -= 9;
    }
  }

  static isDirty(c: Cpu, gpa: u64): bool {
    return (load<u64>(Pml.leafOf(c, gpa)) & EPTE_D) != 0;
  }

  /** A write to `gpa` is about to be made. @returns false when the log is full: nothing has changed, the exit is queued. */
  static write(c: Cpu, gpa: u64): bool {
    const leaf = Pml.leafOf(c, gpa);
    const e = load<u64>(leaf);
    if ((e & EPTE_D) != 0) return true;
    if (c.pmlIndex >= PML_ENTRIES) {
      Fault.exit(c, EXIT_PML_FULL, 0);
      return false;
    }
    store<u64>(leaf, e | EPTE_D);
    store<u64>(
      FRAMES_BASE + ((<usize>c.pmlMfn) << PAGE_SHIFT) + ((<usize>c.pmlIndex) << 3),
      (gpa >> PAGE_SHIFT) << PAGE_SHIFT,
    );
    c.pmlIndex = (c.pmlIndex - 1) & 0xffff;
    return true;
  }
}
