/**
 * State of the small in-core devices of one domain: 4 KiB each at DEVICES_BASE, index = domain slot. Semantic memory. Domains in
 * slots from MAX_DEVICE_DOMAINS on have none: nobody answers there.
 * Written by: the vCPUs of the domain; the receive queue also by the outside (dev/console.ts).
 */
import { COUNTER_LAST, COUNTER_READS, COUNTER_SCRATCH, COUNTER_SIZE } from "../abi/devices";
import { DEVICES_BASE, DEVICES_SIZE } from "../abi/layout";

export const DEVICE_STATE_SIZE: u32 = 0x1000;
export const MAX_DEVICE_DOMAINS: u32 = 256;
export const UART_QUEUE: u32 = 16;

@unmanaged
export class DeviceState {
  // Counter device: the register file at its own offsets, then eight bytes that are always 0 (a wide read may reach them).
  value: u64;
  reads: u64;
  writes: u64;
  last: u64;
  private _zero: u64;
  // UART: registers that keep what was written.
  divisor: u16;
  ier: u8;
  fcr: u8;
  lcr: u8;
  mcr: u8;
  scratch: u8;
  /** POST port: the last byte. */
  post: u8;
  /** Receive queue: first entry and number of entries. */
  rxFirst: u32;
  rxCount: u32;
  rx0: u64; // sixteen bytes: use rxByte()
  rx1: u64;

  @inline static of(slot: u32): DeviceState {
    return changetype<DeviceState>(DEVICES_BASE + <usize>slot * DEVICE_STATE_SIZE);
  }

  @inline rxAddress(index: u32): usize {
    return changetype<usize>(this) + offsetof<DeviceState>("rx0") + (index % UART_QUEUE);
  }

  /** Where byte `offset` of the counter device is kept: registers and scratch bytes are at their own offsets. */
  @inline counterAddress(offset: u32): usize {
    return changetype<usize>(this) + offset;
  }
}

if (offsetof<DeviceState>() > <usize>COUNTER_SCRATCH) ERROR("DeviceState runs into the scratch bytes");
if (offsetof<DeviceState>("last") != COUNTER_LAST || offsetof<DeviceState>("reads") != COUNTER_READS)
  ERROR("counter registers moved");
if (COUNTER_SIZE > 0x1000 || MAX_DEVICE_DOMAINS * 0x1000 > <u32>DEVICES_SIZE) ERROR("devices do not fit");

/** A new domain in this slot finds its devices as after power-on. */
export function devicesReset(slot: u32): void {
  if (slot >= MAX_DEVICE_DOMAINS) return;
  memory.fill(DEVICES_BASE + <usize>slot * DEVICE_STATE_SIZE, 0, DEVICE_STATE_SIZE);
}
