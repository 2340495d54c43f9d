/**
 * The clock chip of an HVM domain (ports 70 and 71), as far as it tells and takes the time: when the guest sets it, the device models
 * hear by how much (a buffered TIMEOFFSET request, spec 03 section 3.5). No alarms and no periodic interrupts: those need the
 * interrupt controllers of an HVM domain, which are not here. A PVH domain has no such chip.
 *
 * Registers beyond the chip's fourteen belong to the device model, as the rest of CMOS memory.
 */
import { IOREQ_TYPE_TIMEOFFSET } from "../../abi/ioreq";
import { Machine } from "../../base/machine";
import { Domain } from "../domain";
import { ioreqBroadcastBuffered } from "../ioreq/broadcast";
import { Vcpu } from "../vcpu";
import { Calendar } from "./calendar";
import { wallClockStart } from "./pvclock";
import { ticksToNs } from "./time";

/** XEN_X86_EMU_RTC in the domain's emulation_flags. */
const EMU_RTC: u32 = 1 << 3;
const INDEX_PORT: u32 = 0x70;

const SECONDS: u32 = 0;
const MINUTES: u32 = 2;
const HOURS: u32 = 4;
const DAY_OF_WEEK: u32 = 6;
const DAY: u32 = 7;
const MONTH: u32 = 8;
const YEAR: u32 = 9;
const REG_A: u32 = 10;
const REG_B: u32 = 11;
const REG_D: u32 = 13;
const REGISTERS: u32 = 14;

/** Register A: 32 kHz base, 1024 Hz rate. */
const REG_A_VALUE: u32 = 0x26;
/** Register D: the battery is good. */
const REG_D_VALUE: u32 = 0x80;
const B_24_HOURS: u32 = 0x02;
const B_BINARY: u32 = 0x04;
const B_SET: u32 = 0x80;
const PM: u32 = 0x80;

const SECONDS_A_DAY: i64 = 86_400;
/** Two digits of the year mean 1970..2069. */
const PIVOT_YEAR: u32 = 70;

export function rtcInit(d: Domain): void {
  d.rtcIndex = 0;
  d.rtcControl = B_24_HOURS;
  d.rtcOffset = 0;
  d.rtcHeld = 0;
}

/** One access to a port. @returns false when it is none of the chip's; otherwise v.ioData has what was read. */
export function rtcAccess(v: Vcpu, port: u32, size: u32, isRead: bool, data: u64): bool {
  const d = v.domain;
  if ((port & ~1) != INDEX_PORT || (d.emulationFlags & EMU_RTC) == 0) return false;
  if (size != 1) {
    if (isRead) v.ioData = 0xffff_ffff_ffff_ffff;
    return true;
  }
  if (port == INDEX_PORT && !isRead) {
    d.rtcIndex = <u32>data & 0x7f;
    return d.rtcIndex < REGISTERS;
  }
  if (d.rtcIndex >= REGISTERS) return false;
  if (isRead) v.ioData = port == INDEX_PORT ? 0xff : <u64>read(d, d.rtcIndex);
  else write(v, d, d.rtcIndex, <u32>data & 0xff);
  return true;
}

/** Seconds since 1970 by the chip; while the guest sets it, those it has set so far. */
function now(d: Domain): i64 {
  if ((d.rtcControl & B_SET) != 0) return d.rtcHeld;
  return <i64>(wallClockStart() + ticksToNs(Machine.get().now) / 1_000_000_000) + d.rtcOffset;
}

function read(d: Domain, index: u32): u32 {
  const time = now(d);
  const days = floorDays(time);
  const date = Calendar.date(days);
  const second = <u32>(time - days * SECONDS_A_DAY);
  switch (index) {
    case SECONDS:
      return encode(d, second % 60);
    case MINUTES:
      return encode(d, (second / 60) % 60);
    case HOURS:
      return hours(d, second / 3600);
    case DAY_OF_WEEK:
      return encode(d, <u32>(((days % 7) + 11) % 7) + 1); // 1970-01-01 was a Thursday
    case DAY:
      return encode(d, <u32>(date & 255));
    case MONTH:
      return encode(d, <u32>((date >> 8) & 255));
    case YEAR:
      return encode(d, <u32>((date >> 16) % 100));
    case REG_A:
      return REG_A_VALUE;
    case REG_B:
      return d.rtcControl;
    case REG_D:
      return REG_D_VALUE;
    default:
      return 0; // alarms, and no interrupt has happened
  }
}

function write(v: Vcpu, d: Domain, index: u32, value: u32): void {
  if (index == REG_B) {
    const wasSet = (d.rtcControl & B_SET) != 0;
    const before = now(d);
    d.rtcHeld = before;
    d.rtcControl = value;
    if (wasSet && (value & B_SET) == 0) moveTo(v, d, before);
    return;
  }
  const isTime = index == SECONDS || index == MINUTES || index == HOURS || (index >= DAY && index <= YEAR);
  if (!isTime) return;
  const time = replaced(d, index, value);
  if ((d.rtcControl & B_SET) != 0) d.rtcHeld = time;
  else moveTo(v, d, time);
}

/** The chip's time with one field set anew. */
function replaced(d: Domain, index: u32, value: u32): i64 {
  const time = now(d);
  const days = floorDays(time);
  const date = Calendar.date(days);
  let second = <u32>(time - days * SECONDS_A_DAY);
  let year = date >> 16;
  let month = (date >> 8) & 255;
  let day = date & 255;
  const number = decode(d, index == HOURS ? value & ~PM : value);
  if (index == SECONDS) second = second - (second % 60) + number;
  else if (index == MINUTES) second = second - ((second / 60) % 60) * 60 + number * 60;
  else if (index == HOURS) second = (second % 3600) + hoursOf(d, number, (value & PM) != 0) * 3600;
  else if (index == DAY) day = number;
  else if (index == MONTH) month = clampMonth(number);
  else year = number < PIVOT_YEAR ? 2000 + number : 1900 + number;
  return Calendar.days(year, month, day) * SECONDS_A_DAY + <i64>second;
}

/** The guest has set its clock: device models that keep it hear how far it has moved. */
function moveTo(v: Vcpu, d: Domain, time: i64): void {
  const moved = time - now(d);
  if (moved == 0) return;
  d.rtcOffset += moved;
  ioreqBroadcastBuffered(v, d, IOREQ_TYPE_TIMEOFFSET, 0, <u64>moved, 8);
}

function floorDays(time: i64): i64 {
  return (time >= 0 ? time : time - (SECONDS_A_DAY - 1)) / SECONDS_A_DAY;
}

/** A number as the guest reads it: BCD unless it asked for binary. */
function encode(d: Domain, n: u32): u32 {
  return (d.rtcControl & B_BINARY) != 0 ? n : ((n / 10) << 4) | (n % 10);
}

function decode(d: Domain, n: u32): u32 {
  return (d.rtcControl & B_BINARY) != 0 ? n : (n >> 4) * 10 + (n & 15);
}

function hours(d: Domain, n: u32): u32 {
  if ((d.rtcControl & B_24_HOURS) != 0) return encode(d, n);
  return encode(d, n % 12 == 0 ? 12 : n % 12) | (n >= 12 ? PM : 0);
}

function hoursOf(d: Domain, n: u32, isPm: bool): u32 {
  if ((d.rtcControl & B_24_HOURS) != 0) return n;
  return (n % 12) + (isPm ? 12 : 0);
}

function clampMonth(n: u32): i64 {
  if (n < 1) return 1;
  return n > 12 ? 12 : <i64>n;
}
