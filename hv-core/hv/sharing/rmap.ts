/**
 * The reverse map of a shared frame: which <domain, gfn> show it (spec 04 section 4.1). A list at first; with 256 entries it becomes a
 * hash of 256 buckets, and a list again when 64 are left. The distance between the two keeps a page from switching back and forth.
 * A hash that no frame can be had for stays a list. Knob sharing.rmap: auto, or one of the two forms for good.
 *
 * The caller holds the page lock. How many records there are is the frame's type count: raised before a record is added, lowered after
 * one is deleted.
 */
import { CTR_RMAP_STEPS, CTR_RMAP_TO_HASH, CTR_RMAP_TO_LIST } from "../../abi/counters";
import { KNOB_SHARING_RMAP, SHARING_RMAP_AUTO, SHARING_RMAP_HASH, SHARING_RMAP_LIST } from "../../abi/knobs";
import { Count } from "../../base/counters";
import { Knobs } from "../../base/machine";
import { FrameSlab, SLAB_RMAP_BUCKETS, SLAB_RMAP_RECORD } from "../../mem/frame-slab";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { RMAP_HASH, RMAP_LIST, ShareInfo } from "./info";

const BUCKETS: u32 = 256;
const BUCKETS_BYTES: u32 = BUCKETS * 4;
/** A list this long becomes a hash, a hash this short a list. */
export const RMAP_HEAVY: u32 = 256;
export const RMAP_LIGHT: u32 = 64;

@unmanaged
export class RmapRecord {
  next: u32;
  prev: u32;
  gfn: u64;
  domid: u32;
  /** Slot of the domain: it cannot go while it has shared pages. */
  slot: u32;

  @inline static at(address: u32): RmapRecord {
    return changetype<RmapRecord>(<usize>address);
  }

  @inline get address(): u32 {
    return <u32>changetype<usize>(this);
  }

  /** A record for <d, gfn>, counted in the domain's shared pages; 0 when no frame is left for it. */
  static create(d: Domain, gfn: u64): u32 {
    const at = FrameSlab.alloc(SLAB_RMAP_RECORD, <u32>offsetof<RmapRecord>());
    if (at == 0) return 0;
    const record = RmapRecord.at(at);
    record.gfn = gfn;
    record.domid = d.domid;
    record.slot = d.slot;
    d.sharedPages++;
    return at;
  }

  static dispose(d: Domain, at: u32): void {
    d.sharedPages--;
    FrameSlab.free(SLAB_RMAP_RECORD, at);
  }
}

class Buckets {
  /** Address of the word with the first record of the chain that <domid, gfn> belongs to. */
  @inline static chain(buckets: u32, domid: u32, gfn: u64): usize {
    return <usize>buckets + ((<usize>(<u32>gfn + domid) & (BUCKETS - 1)) << 2);
  }
}

/** Address of the word that holds the head of the chain for <domid, gfn>. */
function headOf(info: ShareInfo, domid: u32, gfn: u64): usize {
  if (info.form == RMAP_HASH) return Buckets.chain(info.rmap, domid, gfn);
  return changetype<usize>(info) + offsetof<ShareInfo>("rmap");
}

function insert(head: usize, record: RmapRecord): void {
  const first = load<u32>(head);
  record.next = first;
  record.prev = 0;
  if (first != 0) RmapRecord.at(first).prev = record.address;
  store<u32>(head, record.address);
}

function take(head: usize, record: RmapRecord): void {
  if (record.prev == 0) store<u32>(head, record.next);
  else RmapRecord.at(record.prev).next = record.next;
  if (record.next != 0) RmapRecord.at(record.next).prev = record.prev;
  record.next = 0;
  record.prev = 0;
}

/** A list becomes a hash; without a frame for the buckets nothing happens. */
function toHash(info: ShareInfo): void {
  const buckets = FrameSlab.alloc(SLAB_RMAP_BUCKETS, BUCKETS_BYTES);
  if (buckets == 0) return;
  let at = info.rmap;
  while (at != 0) {
    const record = RmapRecord.at(at);
    at = record.next;
    insert(Buckets.chain(buckets, record.domid, record.gfn), record);
  }
  info.rmap = buckets;
  info.form = RMAP_HASH;
  Count.one(CTR_RMAP_TO_HASH);
}

function toList(info: ShareInfo): void {
  const buckets = info.rmap;
  info.form = RMAP_LIST;
  info.rmap = 0;
  const head = headOf(info, 0, 0);
  for (let i: u32 = 0; i < BUCKETS; i++) {
    let at = load<u32>(<usize>buckets + ((<usize>i) << 2));
    while (at != 0) {
      const record = RmapRecord.at(at);
      at = record.next;
      insert(head, record);
    }
  }
  FrameSlab.free(SLAB_RMAP_BUCKETS, buckets);
  Count.one(CTR_RMAP_TO_LIST);
}

export class Rmap {
  /** Adds a record to the map of `mfn`; its type reference is taken already. */
  static add(mfn: u32, at: u32): void {
    const info = ShareInfo.of(mfn);
    const form = Knobs.get(KNOB_SHARING_RMAP);
    const isDue =
      form == <u32>SHARING_RMAP_HASH || (form == <u32>SHARING_RMAP_AUTO && Frame.at(mfn).typeCount >= RMAP_HEAVY);
    if (info.form == RMAP_LIST && isDue) toHash(info);
    const record = RmapRecord.at(at);
    insert(headOf(info, record.domid, record.gfn), record);
  }

  /** Takes a record out. `mayConvert`: a hash that became short may turn into a list (not while its records are being walked). */
  static remove(mfn: u32, at: u32, mayConvert: bool): void {
    const info = ShareInfo.of(mfn);
    const form = Knobs.get(KNOB_SHARING_RMAP);
    const isShort =
      form == <u32>SHARING_RMAP_LIST || (form == <u32>SHARING_RMAP_AUTO && Frame.at(mfn).typeCount <= RMAP_LIGHT);
    if (mayConvert && info.form == RMAP_HASH && isShort) toList(info);
    const record = RmapRecord.at(at);
    take(headOf(info, record.domid, record.gfn), record);
  }

  /** The record of <domid, gfn>, 0 = none. */
  static find(mfn: u32, domid: u32, gfn: u64): u32 {
    let at = load<u32>(headOf(ShareInfo.of(mfn), domid, gfn));
    let steps: u64 = 0;
    while (at != 0) {
      const record = RmapRecord.at(at);
      steps++;
      if (record.domid == domid && record.gfn == gfn) break;
      at = record.next;
    }
    Count.add(CTR_RMAP_STEPS, steps);
    return at;
  }

  /** The first record, 0 = none. */
  static first(mfn: u32): u32 {
    const info = ShareInfo.of(mfn);
    return info.form == RMAP_LIST ? info.rmap : fromBucket(info.rmap, 0);
  }

  /** The record after `at`; it must still be in the map. */
  static after(mfn: u32, at: u32): u32 {
    const record = RmapRecord.at(at);
    if (record.next != 0) return record.next;
    const info = ShareInfo.of(mfn);
    return info.form == RMAP_LIST ? 0 : fromBucket(info.rmap, ((<u32>record.gfn + record.domid) & (BUCKETS - 1)) + 1);
  }

  /** The map's own memory goes: it has no records any more. */
  static dispose(mfn: u32): void {
    const info = ShareInfo.of(mfn);
    if (info.form == RMAP_HASH) FrameSlab.free(SLAB_RMAP_BUCKETS, info.rmap);
    info.rmap = 0;
    info.form = RMAP_LIST;
  }
}

function fromBucket(buckets: u32, index: u32): u32 {
  for (let i = index; i < BUCKETS; i++) {
    const at = load<u32>(<usize>buckets + ((<usize>i) << 2));
    if (at != 0) return at;
  }
  return 0;
}

if (offsetof<RmapRecord>() != 24) ERROR("RmapRecord is 24 bytes");
