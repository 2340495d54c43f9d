/** The counter device (abi/devices.ts): a page of MMIO that makes its own accesses visible. */
import { COUNTER_LAST, COUNTER_SCRATCH, COUNTER_SIZE, COUNTER_VALUE } from "../abi/devices";
import { DeviceState } from "./state";

const VALUE_END: u32 = COUNTER_VALUE + 8;
const REGISTERS_END: u32 = COUNTER_LAST + 8;
const SCRATCH: u32 = COUNTER_SCRATCH;
const SIZE: u32 = COUNTER_SIZE;

/** One access at byte `offset` of the page, of 1, 2, 4 or 8 bytes. @returns what was read (before it was counted), or `data`. */
export function counterAccess(slot: u32, offset: u32, size: u32, isRead: bool, data: u64): u64 {
  const s = DeviceState.of(slot);
  let result = data;
  if (isRead) {
    result = read(s, offset, size);
    s.reads++;
  } else {
    write(s, offset, size, data);
    s.writes++;
  }
  s.last = <u64>(offset | (size << 16) | ((<u32>isRead) << 24));
  return result;
}

function read(s: DeviceState, offset: u32, size: u32): u64 {
  if (offset < REGISTERS_END || (offset >= SCRATCH && offset + size <= SIZE))
    return loadSized(s.counterAddress(offset), size);
  let result: u64 = 0;
  for (let i: u32 = 0; i < size; i++) {
    if (isScratch(offset + i)) result |= (<u64>load<u8>(s.counterAddress(offset + i))) << ((<u64>i) << 3);
  }
  return result;
}

function write(s: DeviceState, offset: u32, size: u32, data: u64): void {
  const isWhole = offset + size <= VALUE_END || (offset >= SCRATCH && offset + size <= SIZE);
  if (isWhole) {
    storeSized(s.counterAddress(offset), size, data);
    return;
  }
  for (let i: u32 = 0; i < size; i++) {
    const at = offset + i;
    if (at < VALUE_END || isScratch(at)) store<u8>(s.counterAddress(at), <u8>(data >> ((<u64>i) << 3)));
  }
}

function isScratch(offset: u32): bool {
  return offset >= SCRATCH && offset < SIZE;
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
