/**
 * Counts in small objects: one for each mapped frame, found through a hash. The hash grows by linear hashing, one bucket for each new object
 * once there are more objects than buckets, so no single mapping pays for all of it.
 *
 * Object, 16 bytes: mfn u64, next object u32, record u32. The directory is one frame that names up to 1024 frames of 1024 bucket heads.
 */
import { CTR_IO_COUNT_STEPS } from "../../../abi/counters";
import { ENOMEM, OK } from "../../../abi/errno";
import { PAGE_SIZE } from "../../../abi/layout";
import { Count } from "../../../base/counters";
import { allocFrame } from "../../../mem/allocator";
import { FrameSlab, SLAB_IO_RECORD } from "../../../mem/frame-slab";
import { FRAME_XEN_HEAP, Frame, OWNER_XEN } from "../../../mem/frame-table";
import { IoState } from "../io-state";
import { IoRecord } from "./record";

const BYTES: u32 = 16;
const NEXT: usize = 8;
const RECORD: usize = 12;
const HEADS: u32 = 1024;

/** Frame of heads number `index`, made when it is missing; 0 = no memory. */
function headsFrame(index: u32): u32 {
  const io = IoState.get();
  if (io.countRoot == 0) io.countRoot = allocFrame(OWNER_XEN, FRAME_XEN_HEAP);
  if (io.countRoot == 0) return 0;
  const slot = Frame.host(io.countRoot) + ((<usize>index) << 2);
  if (load<u32>(slot) == 0) store<u32>(slot, allocFrame(OWNER_XEN, FRAME_XEN_HEAP));
  return load<u32>(slot);
}

function head(bucket: u32): usize {
  const directory = Frame.host(IoState.get().countRoot);
  return Frame.host(load<u32>(directory + ((<usize>(bucket / HEADS)) << 2))) + ((<usize>(bucket % HEADS)) << 2);
}

class Hash {
  @inline static of(mfn: u64): u32 {
    return <u32>((mfn * 0x9e3779b97f4a7c15) >> 40);
  }
}

/** Bucket of a hash among `count` of them (linear hashing: those below the split already use one more bit). */
function bucketOf(hash: u32, count: u32): u32 {
  const power: u32 = 1 << (31 - clz<u32>(count));
  const bucket = hash & ((power << 1) - 1);
  return bucket < count ? bucket : hash & (power - 1);
}

function find(mfn: u64): u32 {
  const count = IoState.get().countBuckets;
  if (count == 0) return 0;
  let object = load<u32>(head(bucketOf(Hash.of(mfn), count)));
  while (object != 0 && load<u64>(object) != mfn) {
    Count.one(CTR_IO_COUNT_STEPS);
    object = load<u32>(object, NEXT);
  }
  return object;
}

/** One bucket more: the objects of the bucket that it splits off are shared out. Without memory the chains only get longer. */
function splitBucket(): void {
  const io = IoState.get();
  const added = io.countBuckets;
  if (added == HEADS * HEADS || headsFrame(added / HEADS) == 0) return;
  const power: u32 = 1 << (31 - clz<u32>(added));
  const from = added & (power - 1);
  io.countBuckets = added + 1;
  let object = load<u32>(head(from));
  store<u32>(head(from), 0);
  store<u32>(head(added), 0);
  while (object != 0) {
    Count.one(CTR_IO_COUNT_STEPS);
    const next = load<u32>(object, NEXT);
    const place = head(bucketOf(Hash.of(load<u64>(object)), added + 1));
    store<u32>(object, load<u32>(place), NEXT);
    store<u32>(place, object);
    object = next;
  }
}

function add(mfn: u64, record: u32): i32 {
  const io = IoState.get();
  if (io.countBuckets == 0) {
    if (headsFrame(0) == 0) return -ENOMEM;
    io.countBuckets = HEADS;
  }
  const object = FrameSlab.alloc(SLAB_IO_RECORD, BYTES);
  if (object == 0) return -ENOMEM;
  if (FrameSlab.objects(SLAB_IO_RECORD) > io.countBuckets) splitBucket();
  const place = head(bucketOf(Hash.of(mfn), io.countBuckets));
  store<u64>(object, mfn);
  store<u32>(object, load<u32>(place), NEXT);
  store<u32>(object, record, RECORD);
  store<u32>(place, object);
  return OK;
}

function remove(mfn: u64, object: u32): void {
  let place = head(bucketOf(Hash.of(mfn), IoState.get().countBuckets));
  while (load<u32>(place) != object) place = <usize>load<u32>(place) + NEXT;
  store<u32>(place, load<u32>(object, NEXT));
  FrameSlab.free(SLAB_IO_RECORD, object);
}

export class SlabCounts {
  static get(mfn: u64): u32 {
    Count.one(CTR_IO_COUNT_STEPS);
    const object = find(mfn);
    return object == 0 ? 0 : load<u32>(object, RECORD);
  }

  static set(mfn: u64, record: u32): i32 {
    Count.one(CTR_IO_COUNT_STEPS);
    const object = find(mfn);
    if (object == 0) return record == 0 ? OK : add(mfn, record);
    if (record == 0) remove(mfn, object);
    else store<u32>(object, record, RECORD);
    return OK;
  }

  /** Some frame of first..last that matches, as number + 1; 0 = none. A hash knows no order: a long range means a look at every object. */
  static search(first: u64, last: u64, holder: u32, isOther: bool): u64 {
    const count = IoState.get().countBuckets;
    if (FrameSlab.objects(SLAB_IO_RECORD) == 0) return 0;
    if (last - first < <u64>count) {
      for (let mfn = first; ; mfn++) {
        if (IoRecord.matches(SlabCounts.get(mfn), holder, isOther)) return mfn + 1;
        if (mfn == last) return 0;
      }
    }
    for (let bucket: u32 = 0; bucket < count; bucket++) {
      for (let object = load<u32>(head(bucket)); object != 0; object = load<u32>(object, NEXT)) {
        Count.one(CTR_IO_COUNT_STEPS);
        const mfn = load<u64>(object);
        if (mfn >= first && mfn <= last && IoRecord.matches(load<u32>(object, RECORD), holder, isOther)) return mfn + 1;
      }
    }
    return 0;
  }

  static bytes(): u32 {
    const io = IoState.get();
    const tables = io.countRoot == 0 ? 0 : 1 + (io.countBuckets + HEADS - 1) / HEADS;
    return (FrameSlab.frames(SLAB_IO_RECORD) + tables) * <u32>PAGE_SIZE;
  }
}
