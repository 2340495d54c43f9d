/** The counter device (abi/devices.ts): a page of MMIO that makes its own accesses visible. */
import {
  COUNTER_LAST,
  COUNTER_READS,
  COUNTER_SCRATCH,
  COUNTER_SIZE,
  COUNTER_VALUE,
  COUNTER_WRITES,
} from "../abi/devices";
import { DeviceState } from "./state";

/** One access at byte `offset` of the page, of 1, 2, 4 or 8 bytes. @returns what was read, or `data`. */
export function counterAccess(slot: u32, offset: u32, size: u32, isRead: bool, data: u64): u64 {
  const s = DeviceState.of(slot);
  let result = data;
  if (isRead) result = read(s, offset, size);
  else write(s, offset, size, data);
  if (isRead) s.reads++;
  else s.writes++;
  s.last = <u64>(offset | (size << 16) | ((<u32>isRead) << 24));
  return result;
}

function read(s: DeviceState, offset: u32, size: u32): u64 {
  if (offset >= <u32>COUNTER_SCRATCH)
    return offset + size > <u32>COUNTER_SIZE ? 0 : loadSized(s.scratchAddress(offset), size);
  let register: u64;
  switch (offset >> 3) {
    case COUNTER_VALUE >> 3:
      register = s.value;
      break;
    case COUNTER_READS >> 3:
      register = s.reads;
      break;
    case COUNTER_WRITES >> 3:
      register = s.writes;
      break;
    case COUNTER_LAST >> 3:
      register = s.last;
      break;
    default:
      return 0;
  }
  return (register >> ((<u64>(offset & 7)) << 3)) & mask(size);
}

function write(s: DeviceState, offset: u32, size: u32, data: u64): void {
  if (offset >= <u32>COUNTER_SCRATCH) {
    if (offset + size <= <u32>COUNTER_SIZE) storeSized(s.scratchAddress(offset), size, data);
  } else if (offset < 8) {
    const shift = (<u64>offset) << 3;
    const field = mask(size) << shift;
    s.value = (s.value & ~field) | ((data << shift) & field);
  }
}

function mask(size: u32): u64 {
  return 0xffff_ffff_ffff_ffff >> (64 - ((<u64>size) << 3));
}

function loadSized(at: usize, size: u32): u64 {
  if (size == 4) return load<u32>(at);
  if (size == 8) return load<u64>(at);
  return size == 2 ? <u64>load<u16>(at) : <u64>load<u8>(at);
}

function storeSized(at: usize, size: u32, data: u64): void {
  if (size == 4) store<u32>(at, <u32>data);
  else if (size == 8) store<u64>(at, data);
  else if (size == 2) store<u16>(at, <u16>data);
  else store<u8>(at, <u8>data);
}
