/**
 * Breakpoints in decoded code: a block ends before the instruction at one, and a block that begins there is one record that stops the processor
 * (OP_RAISE with RAISE_WATCH). So code without breakpoints runs as ever. Decoded code is derived: what is cut here is decoded again when the list
 * of watches changes.
 */
import { FRAMES_BASE, PAGE_SHIFT } from "../abi/layout";
import { WATCH_HIT_EXECUTE, WATCH_IS_P2M, WATCH_IS_PHYSICAL } from "../abi/watch";
import { Watch, WatchEntry } from "../base/watch";
import { BLOCK_HEADER_SIZE, Block, RECORD_SIZE } from "../mem/block";
import { Frame } from "../mem/frame-table";
import { ACCESS_FETCH } from "./access-kind";
import { Cpu } from "./cpu";
import { Quiet } from "./decode-quiet";
import { OP_END, OP_RAISE } from "./ops";
import { Rec } from "./record";

/** Rec.d of OP_RAISE: not an exception. */
export const RAISE_WATCH: u8 = 2;

export class WatchCode {
  /** Whether a watch of execution is about the instruction at `lin`, whose first byte is at `host`. */
  private static covers(w: WatchEntry, lin: u64, host: u32): bool {
    if ((w.access & ACCESS_FETCH) == 0 || (w.access & WATCH_IS_P2M) != 0) return false;
    if ((w.access & WATCH_IS_PHYSICAL) == 0) return w.first <= lin && lin <= w.last;
    const frame = Frame.at((host - <u32>FRAMES_BASE) >> PAGE_SHIFT);
    const gpa = (frame.m2p << PAGE_SHIFT) | (host & 0xfff);
    return frame.owner == Frame.at(w.who).owner && w.first <= gpa && gpa <= w.last;
  }

  private static isWatched(lin: u64, host: u32): bool {
    for (let i: u32 = 0; i < Watch.active(); i++) if (WatchCode.covers(WatchEntry.at(i), lin, host)) return true;
    return false;
  }

  /** Notes the breakpoints of this processor at `lin`. @returns whether there was one. */
  static note(c: Cpu, lin: u64, host: u32): bool {
    let isFound = false;
    for (let i: u32 = 0; i < Watch.active(); i++) {
      const w = WatchEntry.at(i);
      if (!WatchCode.covers(w, lin, host)) continue;
      const isPhysical = (w.access & WATCH_IS_PHYSICAL) != 0;
      if (isPhysical ? w.who != c.eptRoot : w.who != 0 && w.who != c.slot + 1) continue;
      Watch.hit(WATCH_HIT_EXECUTE, w.id, c.slot, 1, lin, 0xffff_ffff_ffff_ffff);
      isFound = true;
    }
    return isFound;
  }

  /** Ends a freshly decoded block at its first breakpoint. @returns the address behind its last record. */
  static cut(address: u32, end: u32): u32 {
    const block = Block.at(address);
    const first = Block.firstRecord(address);
    let r = first;
    for (let i: u32 = 0; i < <u32>block.records; i++, r += RECORD_SIZE) {
      const rec = Rec.at(r);
      if (<i32>rec.op == OP_END || !WatchCode.isWatched(block.lin + rec.off, block.host + <u32>rec.off)) continue;
      if (rec.ord == 0) {
        rec.op = <u16>OP_RAISE;
        rec.d = RAISE_WATCH;
        block.insns = 1;
        block.records = 1;
        return <u32>first + RECORD_SIZE;
      }
      // What the instructions left out would have made superfluous is needed now.
      for (let before = first; before < r; before += RECORD_SIZE) Rec.at(before).op = Quiet.full(Rec.at(before));
      const off = rec.off;
      memory.fill(r, 0, RECORD_SIZE);
      rec.op = <u16>OP_END;
      rec.off = off;
      block.insns = <u16>(<u32>Rec.at(r - RECORD_SIZE).ord + 1);
      block.records = <u16>(i + 1);
      return <u32>r + RECORD_SIZE;
    }
    return end;
  }
}

if (BLOCK_HEADER_SIZE % 16 != 0 || RECORD_SIZE % 16 != 0) ERROR("the end of a block must be a multiple of 16");
