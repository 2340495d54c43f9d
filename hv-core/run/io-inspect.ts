/** Looking at I/O resources from outside, and the two things that only the board can do: a device raises its line, its DMA engine takes a step. */
import { IO_KIND_FRAME, IO_KIND_IRQ, IO_UNIT_DEFAULT_IN_USE, IO_UNIT_REVOKING } from "../abi/io-units";
import { MAILBOX_BASE } from "../abi/layout";
import { Domain } from "../hv/domain";
import { Counts } from "../hv/iocap/account/counts";
import { IoRecord } from "../hv/iocap/account/record";
import { Accountant } from "../hv/iocap/account/tracker";
import { deviceLine, bootGrant as grantAtBoot } from "../hv/iocap/boot";
import { setOf } from "../hv/iocap/change-right";
import { ioCheck } from "../hv/iocap/check";
import { IoState } from "../hv/iocap/io-state";
import { lineRaise } from "../hv/iocap/lines";
import { MapNode, RangeMap } from "../hv/iocap/range-map";
import { RangeNode, Rangeset } from "../hv/iocap/rangeset";
import { Dma } from "../hw/dma";

function word(low: u32, high: u32): u64 {
  return <u64>low | ((<u64>high) << 32);
}

/** One step of the DMA engine of device `index`. @returns 1, or 0 when it had nothing to do. */
export function deviceStep(index: u32): u32 {
  return Dma.step(index) ? 1 : 0;
}

/** Device `index` raises its interrupt line. @returns how many domains were told. */
export function deviceRaise(index: u32): u32 {
  return lineRaise(deviceLine(index));
}

/** hv/iocap/boot.ts: before the first domain is made. */
export function bootGrant(kind: u32, firstLow: u32, firstHigh: u32, lastLow: u32, lastHigh: u32, isReserve: u32): i32 {
  return grantAtBoot(kind, word(firstLow, firstHigh), word(lastLow, lastHigh), isReserve != 0);
}

/** State of one unit, IO_UNIT_* | holder << 8 (domain slot + 1); its count is the first word of the mailbox. */
export function ioUnit(kind: u32, low: u32, high: u32): u32 {
  const unit = word(low, high);
  store<u32>(MAILBOX_BASE, kind == <u32>IO_KIND_FRAME ? IoRecord.count(Counts.get(unit)) : 0);
  const state = Accountant.state(kind, unit);
  // The tracker knows no rangesets: what dom0 maps and has no right to any more is on its way out, as with everybody else.
  const isDefault = (state & 255) == <u32>IO_UNIT_DEFAULT_IN_USE;
  if (!isDefault || Rangeset.contains(load<u32>(setOf(Domain.at(0), kind)), unit, unit)) return state;
  return IO_UNIT_REVOKING | (state & 0xffff_ff00);
}

function leaveRange(start: u64, end: u64, value: u32): u32 {
  store<u64>(MAILBOX_BASE, start);
  store<u64>(MAILBOX_BASE, end, 8);
  store<u32>(MAILBOX_BASE, value, 16);
  return 1;
}

/** The first range of a domain's rights that ends at `low`, `high` or behind it: {first u64, last u64} in the mailbox. @returns 1, or 0. */
export function ioRights(domid: u32, kind: u32, low: u32, high: u32): u32 {
  const found = Domain.find(domid);
  const set = found == 0 || kind > <u32>IO_KIND_IRQ ? 0 : load<u32>(setOf(changetype<Domain>(found), kind));
  if (set == 0) return 0;
  let range = Rangeset.floor(set, word(low, high));
  if (range == 0 || RangeNode.at(range).end < word(low, high)) range = Rangeset.ceiling(set, word(low, high));
  return range == 0 ? 0 : leaveRange(RangeNode.at(range).start, RangeNode.at(range).end, 0);
}

/** As ioRights, for what the accountant has given away or reserved: {first u64, last u64, holder u32}. */
export function ioHolders(kind: u32, low: u32, high: u32): u32 {
  const node = kind > <u32>IO_KIND_IRQ ? 0 : RangeMap.from(IoState.holders(kind), word(low, high));
  return node == 0 ? 0 : leaveRange(MapNode.at(node).start, MapNode.at(node).end, MapNode.at(node).value >> 16);
}

/** Bytes of machine memory that the counts of mapped frames take. */
export function ioCountBytes(): u32 {
  return Counts.bytes();
}

/** Broken invariants O-1..O-8 (hv/iocap/check.ts), one bit each; all ones in builds without checks. */
export function ioInvariants(): u32 {
  if (isDefined(DEBUG)) return ioCheck();
  return 0xffff_ffff;
}
