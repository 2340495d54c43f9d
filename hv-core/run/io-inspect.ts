/** Looking at I/O resources from outside, and the two things that only the board can do: a device raises its line, its DMA engine takes a step. */
import { IO_KIND_FRAME } from "../abi/io-units";
import { MAILBOX_BASE } from "../abi/layout";
import { Counts } from "../hv/iocap/account/counts";
import { IoRecord } from "../hv/iocap/account/record";
import { Accountant } from "../hv/iocap/account/tracker";
import { bootGrant as grantAtBoot, deviceLine } from "../hv/iocap/boot";
import { ioCheck } from "../hv/iocap/check";
import { lineRaise } from "../hv/iocap/lines";
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
  return Accountant.state(kind, unit);
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
