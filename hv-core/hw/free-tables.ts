/**
 * Guest page tables that the walk of a replayed instruction may use although the EPT forbids it: the hypervisor's own walk, which
 * Xen's emulator makes, is not bound by the EPT. hv is asked for each once (an EPT violation in the replay) and answers with a frame,
 * or with none: then there is no such table, and the walk ends in #PF.
 *
 * Eight words in the processor: page number + 1 in bits 39:0, machine frame in 59:40. Empty outside an emulation.
 */
import { PAGE_SHIFT } from "../abi/layout";
import { Cpu } from "./cpu";

const PLACES: u32 = 8;
const FRAME_SHIFT: u64 = 40;
const PAGE_MASK: u64 = ((<u64>1) << FRAME_SHIFT) - 1;

export class FreeTables {
  @inline private static place(c: Cpu, i: u32): usize {
    return changetype<usize>(c) + offsetof<Cpu>("freeTable0") + ((<usize>i) << 3);
  }

  /** Word of the table page that holds `gpa`, 0 = hv has not been asked. */
  static find(c: Cpu, gpa: u64): u64 {
    const wanted = (gpa >> PAGE_SHIFT) + 1;
    for (let i: u32 = 0; i < PLACES; i++) {
      const word = load<u64>(FreeTables.place(c, i));
      if ((word & PAGE_MASK) == wanted) return word;
    }
    return 0;
  }

  @inline static mfn(word: u64): u32 {
    return <u32>(word >> FRAME_SHIFT);
  }

  /** hv lets the walk through the table page `gfn`, which is in frame `mfn` (0 = there is none). False when there is no place left. */
  static add(c: Cpu, gfn: u64, mfn: u32): bool {
    for (let i: u32 = 0; i < PLACES; i++) {
      if (load<u64>(FreeTables.place(c, i)) != 0) continue;
      store<u64>(FreeTables.place(c, i), (gfn + 1) | ((<u64>mfn) << FRAME_SHIFT));
      return true;
    }
    return false;
  }

  static clear(c: Cpu): void {
    for (let i: u32 = 0; i < PLACES; i++) store<u64>(FreeTables.place(c, i), 0);
  }
}
