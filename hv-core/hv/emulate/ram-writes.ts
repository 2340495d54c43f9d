/**
 * What an emulated instruction writes to RAM. The instruction may read again what it writes, so a write waits until the pass is over in
 * which it was found; and so that it does not go to a page that is another one by then, the p2m lock is held from the look at the page's
 * type until the write is made. Before the instruction asks a device model for anything the writes are made, as in Xen, which writes each
 * as it comes: while the vCPU waits nobody owes the page a write, and it may be watched, evicted or unshared.
 *
 * The lock is held as long as an answer of the list goes TO_RAM: nothing else keeps it. Before: memory.ts. After: emulate.ts.
 */
import { KNOB_EARLY_UNLOCK, KNOB_UNMAP_LOCK, UNMAP_LOCK_EARLY_RELEASE } from "../../abi/knobs";
import { P2M_UNSHARE } from "../../abi/p2m-types";
import { Knobs } from "../../base/machine";
import { Variant } from "../../base/variant";
import { Answer, Answers, TO_NOBODY, TO_RAM } from "../../hw/answers";
import { frameWrite8, frameWrite16, frameWrite32, frameWrite64 } from "../../mem/frame-access";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { logDirtyMark } from "../logdirty/bitmap";
import { P2m } from "../p2m/p2m";

export class RamWrites {
  /**
   * Takes the lock for a write whose page is about to be looked up. With unmap.holdP2mLock=off emulation is done without it: that design
   * has the window, which W_COPY_DECIDED shows.
   * @returns false when it is held already, or not wanted.
   */
  static lock(d: Domain, answers: Answers): bool {
    if (!RamWrites.isLocking || RamWrites.isHeld(answers)) return false;
    P2m.lock(d);
    return true;
  }

  private static get isLocking(): bool {
    return Knobs.get(KNOB_EARLY_UNLOCK) == 0 && !Variant.is(KNOB_UNMAP_LOCK, UNMAP_LOCK_EARLY_RELEASE);
  }

  /** Whether writes wait, and with them the p2m lock. */
  private static isHeld(answers: Answers): bool {
    for (let i: u32 = 0; i < answers.count; i++) {
      if (answers.entry(i).goesTo == TO_RAM) return true;
    }
    return false;
  }

  /** Makes the writes that wait. */
  static commit(d: Domain, answers: Answers): void {
    RamWrites.end(d, answers, true);
  }

  /** The instruction does not retire: what it has not written, it will not write. */
  static drop(d: Domain, answers: Answers): void {
    RamWrites.end(d, answers, false);
  }

  private static end(d: Domain, answers: Answers, isMade: bool): void {
    let isHeld = false;
    for (let i: u32 = 0; i < answers.count; i++) {
      const answer = answers.entry(i);
      if (answer.goesTo != TO_RAM) continue;
      isHeld = true;
      if (isMade) write(d, answer);
      answer.goesTo = TO_NOBODY;
    }
    if (isHeld && RamWrites.isLocking) P2m.unlock(d);
  }
}

/** The page is what it was when the write was found: the lock has been held since. */
function write(d: Domain, answer: Answer): void {
  const gfn = answer.addr >> 12;
  const offset = <u32>answer.addr & 0xfff;
  P2m.lookup(d, gfn, P2M_UNSHARE);
  const mfn = d.lookupMfn;
  if (!Frame.isValid(mfn)) return;
  switch (answer.size) {
    case 1:
      frameWrite8(mfn, offset, <u32>answer.data);
      break;
    case 2:
      frameWrite16(mfn, offset, <u32>answer.data);
      break;
    case 4:
      frameWrite32(mfn, offset, <u32>answer.data);
      break;
    default:
      frameWrite64(mfn, offset, answer.data);
  }
  logDirtyMark(d, gfn);
}
