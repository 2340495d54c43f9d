/**
 * Counts in ranges: frames that follow each other and have the same record are one node of a range map. A framebuffer costs one node; frames
 * mapped one by one with holes between them cost one each.
 */
import { EOVERFLOW, OK } from "../../../abi/errno";
import { IO_STATE_BASE } from "../../../abi/layout";
import { IoState, NODE_BYTES } from "../io-state";
import { MapNode, RangeMap } from "../range-map";
import { IoRecord, MAX_IO_COUNT } from "./record";

function root(): usize {
  return IO_STATE_BASE + offsetof<IoState>("countRoot");
}

/** The record of `mfn`, and in `pieceEnd` how far it holds: to `last` at most. */
class Piece {
  /** Last frame of first..last with the same record as `first`. */
  @inline static end(first: u64, last: u64): u64 {
    const node = RangeMap.from(root(), first);
    if (node == 0) return last;
    const n = MapNode.at(node);
    return n.start > first ? min<u64>(last, n.start - 1) : min<u64>(last, n.end);
  }
}

export class RangeCounts {
  static get(mfn: u64): u32 {
    return RangeMap.value(root(), mfn);
  }

  /**
   * One mapping more of each frame of first..last, or one fewer. Nothing has changed when it fails.
   * @returns OK, -ENOMEM or -EOVERFLOW. With `by` = -1 it cannot fail in an account that adds up, but for a split: the caller asks before.
   */
  static change(first: u64, last: u64, holder: u32, by: i32): i32 {
    let at = first;
    while (true) {
      const end = Piece.end(at, last);
      const record = RangeCounts.get(at);
      const count = IoRecord.count(record);
      const rc =
        by > 0 && count >= MAX_IO_COUNT
          ? -EOVERFLOW
          : RangeMap.assign(root(), at, end, IoRecord.of(holder, count + by));
      if (rc != OK) {
        if (at != first) RangeCounts.change(first, at - 1, holder, -by);
        return rc;
      }
      const io = IoState.get();
      const frames = <u32>(end - at + 1);
      io.countTotal += by * frames;
      if (by > 0 && count == 0) io.countedFrames += frames;
      if (by < 0 && count == 1) io.countedFrames -= frames;
      if (end == last) return OK;
      at = end + 1;
    }
  }

  static search(first: u64, last: u64, holder: u32, isOther: bool): u64 {
    let at = first;
    while (true) {
      const node = RangeMap.from(root(), at);
      if (node == 0) return 0;
      const n = MapNode.at(node);
      if (n.start > last) return 0;
      if (IoRecord.matches(n.value, holder, isOther)) return max<u64>(n.start, at) + 1;
      if (n.end >= last) return 0;
      at = n.end + 1;
    }
  }

  /** Those of the grants are among them: a handful. */
  static bytes(): u32 {
    return IoState.get().nodeCount * NODE_BYTES;
  }
}
