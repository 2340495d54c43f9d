/** Characters between the in-core devices and the outside: the output ring (abi/devices.ts) and the UART's receive queue. */
import {
  DEVICE_CONSOLE_DATA,
  DEVICE_CONSOLE_ENTRIES,
  DEVICE_CONSOLE_HEAD,
  DEVICE_CONSOLE_LOST,
  DEVICE_CONSOLE_TAIL,
} from "../abi/devices";
import { DEVICE_CONSOLE_BASE, DEVICE_CONSOLE_SIZE } from "../abi/layout";
import { ATTENTION_OUTPUT, Machine } from "../base/machine";
import { DeviceState, MAX_DEVICE_DOMAINS, UART_QUEUE } from "./state";

if (DEVICE_CONSOLE_DATA + DEVICE_CONSOLE_ENTRIES * 2 > DEVICE_CONSOLE_SIZE) ERROR("the device console does not fit");

/** From this fill level on, run() returns so that the outside can drain the ring. */
const DRAIN_LEVEL: u32 = (DEVICE_CONSOLE_ENTRIES / 4) * 3;

/** One character out. A full ring drops it and counts the loss. */
export function deviceOutput(source: u32, character: u32): void {
  const head = load<u32>(DEVICE_CONSOLE_BASE, DEVICE_CONSOLE_HEAD);
  const level = head - load<u32>(DEVICE_CONSOLE_BASE, DEVICE_CONSOLE_TAIL);
  if (level >= <u32>DEVICE_CONSOLE_ENTRIES) {
    store<u32>(DEVICE_CONSOLE_BASE, load<u32>(DEVICE_CONSOLE_BASE, DEVICE_CONSOLE_LOST) + 1, DEVICE_CONSOLE_LOST);
    return;
  }
  const at: usize = DEVICE_CONSOLE_BASE + DEVICE_CONSOLE_DATA + (head % <u32>DEVICE_CONSOLE_ENTRIES) * 2;
  store<u16>(at, <u16>((character & 255) | (source << 8)));
  store<u32>(DEVICE_CONSOLE_BASE, head + 1, DEVICE_CONSOLE_HEAD);
  if (level + 1 >= DRAIN_LEVEL) Machine.get().hostAttention |= ATTENTION_OUTPUT;
}

/** One character into the UART of the domain in this slot. @returns false when its queue is full: try again later. */
export function deviceInput(slot: u32, character: u32): bool {
  if (slot >= MAX_DEVICE_DOMAINS) return false;
  const s = DeviceState.of(slot);
  if (s.rxCount >= UART_QUEUE) return false;
  store<u8>(s.rxAddress(s.rxFirst + s.rxCount), <u8>character);
  s.rxCount++;
  return true;
}
