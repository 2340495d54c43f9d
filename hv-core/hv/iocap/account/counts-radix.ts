/**
 * Counts in a radix tree: four levels of frames with 1024 words each, ten bits of the frame number a level. A leaf holds records, the others
 * frame numbers of their children. How many words of a table are in use stands in its frame's typeCount; an empty one goes.
 */
import { CTR_IO_COUNT_STEPS } from "../../../abi/counters";
import { ENOMEM, OK } from "../../../abi/errno";
import { PAGE_SIZE } from "../../../abi/layout";
import { Count } from "../../../base/counters";
import { allocFrame, freeFrame } from "../../../mem/allocator";
import { FRAME_XEN_HEAP, Frame, OWNER_XEN } from "../../../mem/frame-table";
import { IoState } from "../io-state";
import { IoRecord } from "./record";

const TOP: u32 = 3;
const BITS: u32 = 10;
const WORDS: u64 = 1 << 10;

function word(table: u32, mfn: u64, level: u32): usize {
  return Frame.host(table) + <usize>(((mfn >> (level * BITS)) & (WORDS - 1)) << 2);
}

function newTable(): u32 {
  const mfn = allocFrame(OWNER_XEN, FRAME_XEN_HEAP);
  if (mfn != 0) IoState.get().countBuckets++;
  return mfn;
}

function freeTable(mfn: u32): void {
  IoState.get().countBuckets--;
  freeFrame(mfn);
}

/** Sets the record below `table`. @returns whether the table is empty now, or -ENOMEM. */
function clear(table: u32, mfn: u64, level: u32): bool {
  Count.one(CTR_IO_COUNT_STEPS);
  const at = word(table, mfn, level);
  const child = load<u32>(at);
  if (child == 0) return false;
  if (level != 0) {
    if (!clear(child, mfn, level - 1)) return false;
    freeTable(child);
  }
  store<u32>(at, 0);
  const frame = Frame.at(table);
  frame.typeCount--;
  return frame.typeCount == 0;
}

/** Takes away the empty tables on the path that a failed insertion has made. */
function prune(table: u32, mfn: u64, level: u32): bool {
  const at = word(table, mfn, level);
  if (level != 0 && load<u32>(at) != 0 && prune(load<u32>(at), mfn, level - 1)) {
    freeTable(load<u32>(at));
    store<u32>(at, 0);
    Frame.at(table).typeCount--;
  }
  return Frame.at(table).typeCount == 0;
}

function pruneRoot(mfn: u64): void {
  const io = IoState.get();
  if (io.countRoot == 0 || !prune(io.countRoot, mfn, TOP)) return;
  freeTable(io.countRoot);
  io.countRoot = 0;
}

/** Some frame below `table` that matches, as number + 1; `base` is the first one it stands for. */
function searchTable(table: u32, level: u32, base: u64, first: u64, last: u64, holder: u32, isOther: bool): u64 {
  const span = (<u64>1) << (level * BITS);
  const from = first > base ? (first - base) / span : 0;
  for (let i = from; i < WORDS; i++) {
    const start = base + i * span;
    if (start > last) break;
    Count.one(CTR_IO_COUNT_STEPS);
    const child = load<u32>(Frame.host(table) + <usize>(i << 2));
    if (child == 0) continue;
    if (level == 0) {
      if (IoRecord.matches(child, holder, isOther)) return start + 1;
      continue;
    }
    const found = searchTable(child, level - 1, start, first, last, holder, isOther);
    if (found != 0) return found;
  }
  return 0;
}

export class RadixCounts {
  static get(mfn: u64): u32 {
    let table = IoState.get().countRoot;
    for (let level = TOP; level != 0 && table != 0; level--) {
      Count.one(CTR_IO_COUNT_STEPS);
      table = load<u32>(word(table, mfn, level));
    }
    if (table == 0) return 0;
    Count.one(CTR_IO_COUNT_STEPS);
    return load<u32>(word(table, mfn, 0));
  }

  static set(mfn: u64, record: u32): i32 {
    const io = IoState.get();
    if (record == 0) {
      if (io.countRoot != 0 && clear(io.countRoot, mfn, TOP)) {
        freeTable(io.countRoot);
        io.countRoot = 0;
      }
      return OK;
    }
    if (io.countRoot == 0) io.countRoot = newTable();
    if (io.countRoot == 0) return -ENOMEM;
    let table = io.countRoot;
    for (let level = TOP; level != 0; level--) {
      Count.one(CTR_IO_COUNT_STEPS);
      const at = word(table, mfn, level);
      if (load<u32>(at) == 0) {
        const child = newTable();
        if (child == 0) {
          pruneRoot(mfn);
          return -ENOMEM;
        }
        store<u32>(at, child);
        Frame.at(table).typeCount++;
      }
      table = load<u32>(at);
    }
    const leaf = word(table, mfn, 0);
    if (load<u32>(leaf) == 0) Frame.at(table).typeCount++;
    store<u32>(leaf, record);
    return OK;
  }

  static search(first: u64, last: u64, holder: u32, isOther: bool): u64 {
    const root = IoState.get().countRoot;
    return root == 0 ? 0 : searchTable(root, TOP, 0, first, last, holder, isOther);
  }

  static bytes(): u32 {
    return IoState.get().countBuckets * <u32>PAGE_SIZE;
  }
}
