/**
 * The I/O Resource Accountant (spec 06 section 6.3): who holds each frame, port and interrupt line of the machine, and who maps each frame.
 * It stands apart from page tables and processors; hv/iocap/hooks.ts tells it what they do. Holders are numbers: domain slot + 1, or HOLDER_XEN.
 *
 * The default I/O domain (dom0) needs no grant: it may use what nobody else holds or maps. Everybody else may use what was granted, and a
 * grant is exclusive. A right that is withdrawn while a mapping stands (lazy, forced) leaves the unit closed to all others until it is gone.
 * The caller holds the lock of io-state.ts.
 */
import { EBUSY, ENOMEM, EPERM, OK } from "../../../abi/errno";
import {
  IO_UNIT_DEFAULT_IN_USE,
  IO_UNIT_FREE,
  IO_UNIT_GRANTED,
  IO_UNIT_IN_USE,
  IO_UNIT_RESERVED,
  IO_UNIT_REVOKING,
  IO_UNIT_SHARED,
} from "../../../abi/io-units";
import { KNOB_IO_ACCOUNT, KNOB_IO_REVOKE, REVOKE_REFUSE } from "../../../abi/knobs";
import { Knobs } from "../../../base/machine";
import { IO_FRAME, IO_IRQ, IoState } from "../io-state";
import { MapNode, RangeMap } from "../range-map";
import { Counts } from "./counts";
import { HOLDER_XEN, IoRecord } from "./record";

/** dom0 is in slot 0. */
export const DEFAULT_HOLDER: u32 = 1;
/** Flag of a grant of an interrupt line: its holder agrees to share it with others who do. */
export const GRANT_SHARED: u32 = 1;
/** A shared line has no single holder. */
export const HOLDER_SHARED: u32 = 0xfffe;

function value(holder: u32, flags: u32): u32 {
  return (holder << 16) | flags;
}

function holderOf(grant: u32): u32 {
  return grant >> 16;
}

export class Accountant {
  @inline static isOn(): bool {
    return Knobs.get(KNOB_IO_ACCOUNT) != 0;
  }

  /** Boot: the units are the hypervisor's for ever. @returns OK, -EBUSY (somebody holds or maps one), -EPERM (booted), -ENOMEM. */
  static reserve(kind: u32, first: u64, last: u64): i32 {
    if (IoState.get().isSealed != 0) return -EPERM;
    const root = IoState.holders(kind);
    let at = first;
    while (true) {
      const node = RangeMap.from(root, at);
      if (node == 0 || MapNode.at(node).start > last) break;
      if (holderOf(MapNode.at(node).value) != HOLDER_XEN) return -EBUSY;
      if (MapNode.at(node).end >= last) break;
      at = MapNode.at(node).end + 1;
    }
    if (kind == IO_FRAME && Counts.search(first, last, HOLDER_XEN, true) != 0) return -EBUSY;
    return RangeMap.assign(root, first, last, value(HOLDER_XEN, 0));
  }

  /**
   * Whether `holder` could be given first..last: OK; -EPERM for what is reserved; -EBUSY for what another one holds or maps, the default
   * domain included; -ENOMEM when there is no memory to write it down. A shared line may have other holders who share it.
   */
  static checkGrant(kind: u32, holder: u32, first: u64, last: u64, isShared: bool): i32 {
    const root = IoState.holders(kind);
    let rc: i32 = OK;
    let at = first;
    while (true) {
      const node = RangeMap.from(root, at);
      if (node == 0 || MapNode.at(node).start > last) break;
      const grant = MapNode.at(node).value;
      if (holderOf(grant) == HOLDER_XEN) return -EPERM;
      const isSharedToo = isShared && (grant & GRANT_SHARED) != 0;
      if (holderOf(grant) != holder && !isSharedToo) rc = -EBUSY;
      if (MapNode.at(node).end >= last) break;
      at = MapNode.at(node).end + 1;
    }
    if (rc != OK) return rc;
    if (kind == IO_FRAME && Counts.search(first, last, holder, true) != 0) return -EBUSY;
    return RangeMap.hasRoom() ? OK : -ENOMEM;
  }

  /** Writes down what checkGrant has allowed. The default domain needs no entry. */
  static grant(kind: u32, holder: u32, first: u64, last: u64, isShared: bool): i32 {
    if (isShared) return RangeMap.assign(IoState.holders(kind), first, last, value(HOLDER_SHARED, GRANT_SHARED));
    if (holder == DEFAULT_HOLDER) return OK;
    return RangeMap.assign(IoState.holders(kind), first, last, value(holder, 0));
  }

  /** Whether the policy lets `holder` lose first..last now: OK; -EBUSY (refuse, and it maps some of them); -ENOMEM. */
  static checkRevoke(kind: u32, holder: u32, first: u64, last: u64): i32 {
    const isRefusing = Knobs.get(KNOB_IO_REVOKE) == <u32>REVOKE_REFUSE;
    if (kind == IO_FRAME && isRefusing && Counts.search(first, last, holder, false) != 0) return -EBUSY;
    return RangeMap.canClear(IoState.holders(kind), first, last) ? OK : -ENOMEM;
  }

  /** Takes away what checkRevoke has allowed: only units that `holder` holds. */
  static revoke(kind: u32, holder: u32, first: u64, last: u64): void {
    const root = IoState.holders(kind);
    let at = first;
    while (true) {
      const node = RangeMap.from(root, at);
      if (node == 0 || MapNode.at(node).start > last) return;
      const from = max<u64>(MapNode.at(node).start, first);
      const to = min<u64>(MapNode.at(node).end, last);
      if (holderOf(MapNode.at(node).value) == holder) RangeMap.assign(root, from, to, 0);
      if (to == last) return;
      at = to + 1;
    }
  }

  /** Whether `holder` may use all of first..last now. */
  static mayUse(kind: u32, holder: u32, first: u64, last: u64): bool {
    const root = IoState.holders(kind);
    if (holder == DEFAULT_HOLDER) {
      const node = RangeMap.from(root, first);
      if (node != 0 && MapNode.at(node).start <= last && holderOf(MapNode.at(node).value) != HOLDER_SHARED)
        return false;
    } else {
      const node = RangeMap.floor(root, first);
      if (node == 0 || MapNode.at(node).end < last) return false;
      const by = holderOf(MapNode.at(node).value);
      if (by != holder && by != HOLDER_SHARED) return false;
    }
    return kind != IO_FRAME || Counts.search(first, last, holder, true) == 0;
  }

  /** Counts a mapping of frames first..last. The check and the count are one step. @returns OK, -EPERM, -ENOMEM or -EOVERFLOW. */
  static map(holder: u32, first: u64, last: u64): i32 {
    if (!Accountant.mayUse(IO_FRAME, holder, first, last)) return -EPERM;
    return Counts.add(first, last, holder);
  }

  /** The mapping is gone, from every translation cache too. */
  @inline static unmap(holder: u32, first: u64, last: u64): void {
    Counts.drop(first, last, holder);
  }

  /** A domain dies: it holds nothing any more. What it still maps stays counted until its tables are gone. */
  static forget(holder: u32): void {
    for (let kind = IO_FRAME; kind <= IO_IRQ; kind++) Accountant.revoke(kind, holder, 0, 0xffff_ffff_ffff_ffff);
  }

  /** IO_UNIT_* of one unit | holder << 8; the holder is who it was granted to, or who maps it. */
  static state(kind: u32, unit: u64): u32 {
    const holder = holderOf(RangeMap.value(IoState.holders(kind), unit));
    const record = kind == IO_FRAME ? Counts.get(unit) : 0;
    const mapper = IoRecord.holder(record);
    if (holder == HOLDER_XEN) return IO_UNIT_RESERVED | (HOLDER_XEN << 8);
    if (holder == HOLDER_SHARED) return IO_UNIT_SHARED | (HOLDER_SHARED << 8);
    if (mapper == DEFAULT_HOLDER) return IO_UNIT_DEFAULT_IN_USE | (mapper << 8);
    if (mapper != 0) return (holder == mapper ? IO_UNIT_IN_USE : IO_UNIT_REVOKING) | (mapper << 8);
    return holder == 0 ? IO_UNIT_FREE : IO_UNIT_GRANTED | (holder << 8);
  }
}
