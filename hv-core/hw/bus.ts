/**
 * The machine's bus: what answers behind frames and ports that are not RAM (layout: abi/bus.ts). Without a device there, reads float to all
 * ones and writes vanish.
 *
 * Before: hw/access-slow.ts for frames that the EPT maps, hw/system-io.ts for ports that the VMCS lets through, hv/iocap/ports.ts for those
 * that the hypervisor passes on. A device writes down who touched it: that is what scenarios and invariants look at.
 */
import {
  BUS_DATA,
  BUS_DMA_ADDR,
  BUS_DMA_GO,
  BUS_DMA_VALUE,
  BUS_FIRST_FRAME,
  BUS_FIRST_PORT,
  BUS_FRAMES,
  BUS_INDEX,
  BUS_PORT_STEP,
  BUS_PORTS,
  BUS_REGISTERS,
  BUS_STATUS,
  DEV_CACHE,
  DEV_CACHED,
  DEV_DMA_ADDR,
  DEV_DMA_STATE,
  DEV_DMA_VALUE,
  DEV_INDEX,
  DEV_INDEX_BY,
  DEV_LOG,
  DEV_LOG_CACHED,
  DEV_LOG_NEXT,
  DEV_LOG_PORT,
  DEV_LOG_READ,
  DEV_LOG_RECORD,
  DEV_LOG_RECORDS,
  DEV_MIXED,
  DEV_PRESENT,
  DEV_TORN,
  DEV_VALUES,
  MAX_BUS_DEVICES,
} from "../abi/bus";
import { CTR_BUS_ACCESSES } from "../abi/counters";
import { EMT_WB } from "../abi/ept";
import { IO_DEVICE_SIZE, IO_DEVICES_BASE, PAGE_SHIFT } from "../abi/layout";
import { TRC_BUS } from "../abi/trace-events";
import { Count } from "../base/counters";
import { Trace } from "../base/trace";

/** What Translate.resolve answers for a page of the bus: this, plus the offset in the window of all devices. Below every frame's address. */
export const HOST_BUS: u32 = 0x0100_0000;
export const HOST_BUS_END: u32 = HOST_BUS + ((MAX_BUS_DEVICES * BUS_FRAMES) << PAGE_SHIFT);

const ALL_ONES: u32 = 0xffff_ffff;

/** Linear address of a device's state. */
export function deviceAt(index: u32): usize {
  return IO_DEVICES_BASE + <usize>index * IO_DEVICE_SIZE;
}

/** Writes an access into the device's log. */
function log(at: usize, by: u32, flags: u32, size: u32, offset: u32, value: u32): void {
  const next = load<u32>(at, DEV_LOG_NEXT);
  const record = at + DEV_LOG + <usize>(next % DEV_LOG_RECORDS) * DEV_LOG_RECORD;
  store<u32>(record, by | (flags << 16) | (size << 24));
  store<u32>(record, offset, 4);
  store<u32>(record, value, 8);
  store<u32>(record, next, 12);
  store<u32>(at, next + 1, DEV_LOG_NEXT);
  Count.one(CTR_BUS_ACCESSES);
  Trace.event(TRC_BUS, by - 1, flags | (size << 8), offset, value);
}

/** DATA belongs to the INDEX before it: by another processor it is torn. */
function dataRegister(at: usize, by: u32): usize {
  if (load<u32>(at, DEV_INDEX_BY) != by) store<u32>(at, load<u32>(at, DEV_TORN) + 1, DEV_TORN);
  return at + DEV_VALUES + ((<usize>load<u32>(at, DEV_INDEX)) << 2);
}

function status(at: usize): u32 {
  return (load<u32>(at, DEV_TORN) != 0 ? 1 : 0) | (load<u32>(at, DEV_DMA_STATE) != 0 ? 4 : 0);
}

function readRegister(at: usize, by: u32, offset: u32): u32 {
  switch (offset) {
    case BUS_INDEX:
      return load<u32>(at, DEV_INDEX);
    case BUS_DATA:
      return load<u32>(dataRegister(at, by));
    case BUS_STATUS:
      return status(at);
    case BUS_DMA_ADDR:
      return load<u32>(at, DEV_DMA_ADDR);
    case BUS_DMA_VALUE:
      return load<u32>(at, DEV_DMA_VALUE);
    default:
      return ALL_ONES;
  }
}

function writeRegister(at: usize, by: u32, offset: u32, value: u32): void {
  switch (offset) {
    case BUS_INDEX:
      store<u32>(at, value & (BUS_REGISTERS - 1), DEV_INDEX);
      store<u32>(at, by, DEV_INDEX_BY);
      break;
    case BUS_DATA:
      store<u32>(dataRegister(at, by), value);
      break;
    case BUS_DMA_ADDR:
      store<u32>(at, value, DEV_DMA_ADDR);
      break;
    case BUS_DMA_VALUE:
      store<u32>(at, value, DEV_DMA_VALUE);
      break;
    case BUS_DMA_GO:
      if (load<u32>(at, DEV_DMA_STATE) == 0) store<u32>(at, 1, DEV_DMA_STATE);
      break;
    default:
      break;
  }
}

/**
 * An access through a cacheable mapping goes to a cache line, and the device sees none of it until the line is written back; an uncached
 * access that meets such a line is the mixture that real processors may answer with a machine check.
 *
 * @returns whether the cache has answered.
 */
function isCached(at: usize, offset: u32, memoryType: u32): bool {
  const register = offset >> 2;
  if (register >= <u32>BUS_REGISTERS) return false;
  const isLine = ((load<u32>(at, DEV_CACHED) >> register) & 1) != 0;
  if (memoryType == <u32>EMT_WB) return true;
  if (isLine) store<u32>(at, load<u32>(at, DEV_MIXED) + 1, DEV_MIXED);
  return false;
}

function readCached(at: usize, by: u32, offset: u32): u32 {
  const line = at + DEV_CACHE + <usize>offset;
  const bit: u32 = 1 << (offset >> 2);
  if ((load<u32>(at, DEV_CACHED) & bit) == 0) {
    store<u32>(line, readRegister(at, by, offset));
    store<u32>(at, load<u32>(at, DEV_CACHED) | bit, DEV_CACHED);
  }
  return load<u32>(line);
}

function writeCached(at: usize, offset: u32, value: u32): void {
  store<u32>(at + DEV_CACHE + <usize>offset, value);
  store<u32>(at, load<u32>(at, DEV_CACHED) | (1 << (offset >> 2)), DEV_CACHED);
}

/** Bits that an access of `size` (1, 2, 4) bytes carries. */
function mask(size: u32): u32 {
  return size >= 4 ? ALL_ONES : (1 << (size << 3)) - 1;
}

export class Bus {
  /** Pseudo host address of a frame on the bus, 0 when no device is there. */
  static host(mfn: u64): u32 {
    const frame = mfn - BUS_FIRST_FRAME;
    if (frame >= <u64>(MAX_BUS_DEVICES * BUS_FRAMES)) return 0;
    if (load<u32>(deviceAt(<u32>frame / BUS_FRAMES), DEV_PRESENT) == 0) return 0;
    return HOST_BUS + ((<u32>frame) << PAGE_SHIFT);
  }

  @inline static isHost(host: u32): bool {
    return host >= HOST_BUS && host < HOST_BUS_END;
  }

  /** A load of 1 to 8 bytes. `by` = vCPU slot + 1, `memoryType` = EMT_* of the mapping. */
  static read(host: u32, by: u32, size: u32, memoryType: u32): u64 {
    const at = deviceAt((host - HOST_BUS) / (BUS_FRAMES << PAGE_SHIFT));
    const offset = (host - HOST_BUS) & ((BUS_FRAMES << PAGE_SHIFT) - 1);
    let value: u64 = 0;
    for (let done: u32 = 0; done < size; done += 4) {
      const piece = min<u32>(4, size - done);
      const place = offset + done;
      const cached = isCached(at, place, memoryType);
      const data = mask(piece) & (cached ? readCached(at, by, place) : readRegister(at, by, place));
      log(at, by, DEV_LOG_READ | (cached ? DEV_LOG_CACHED : 0), piece, place, data);
      value |= (<u64>data) << (done << 3);
    }
    return value;
  }

  static write(host: u32, by: u32, size: u32, value: u64, memoryType: u32): void {
    const at = deviceAt((host - HOST_BUS) / (BUS_FRAMES << PAGE_SHIFT));
    const offset = (host - HOST_BUS) & ((BUS_FRAMES << PAGE_SHIFT) - 1);
    for (let done: u32 = 0; done < size; done += 4) {
      const piece = min<u32>(4, size - done);
      const data = <u32>(value >> (done << 3)) & mask(piece);
      const place = offset + done;
      const cached = isCached(at, place, memoryType);
      log(at, by, cached ? DEV_LOG_CACHED : 0, piece, place, data);
      if (cached) writeCached(at, place, data);
      else writeRegister(at, by, place, data);
    }
  }

  /** One access to a port of the machine: what was read, or 0. Nobody there: all ones. */
  static port(port: u32, by: u32, size: u32, isRead: bool, value: u32): u32 {
    const place = port - BUS_FIRST_PORT;
    const device = place / BUS_PORT_STEP;
    const offset = place % BUS_PORT_STEP;
    if (device >= <u32>MAX_BUS_DEVICES || offset + size > <u32>BUS_PORTS) return isRead ? mask(size) : 0;
    const at = deviceAt(device);
    if (load<u32>(at, DEV_PRESENT) == 0) return isRead ? mask(size) : 0;
    if (isRead) {
      const data = readRegister(at, by, offset) & mask(size);
      log(at, by, DEV_LOG_READ | DEV_LOG_PORT, size, offset, data);
      return data;
    }
    log(at, by, DEV_LOG_PORT, size, offset, value & mask(size));
    writeRegister(at, by, offset, value & mask(size));
    return 0;
  }
}
