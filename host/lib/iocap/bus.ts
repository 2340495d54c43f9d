/** Devices of the machine's bus as they stand in linear memory (hv-core/abi/bus.ts): their registers, and who touched them. Read only. */
import {
  BUS_REGISTERS,
  DEV_DMA_DONE,
  DEV_DMA_FAULTS,
  DEV_INDEX,
  DEV_LOG,
  DEV_LOG_CACHED,
  DEV_LOG_NEXT,
  DEV_LOG_PORT,
  DEV_LOG_READ,
  DEV_LOG_RECORD,
  DEV_LOG_RECORDS,
  DEV_MIXED,
  DEV_TORN,
  DEV_VALUES,
} from "../../../hv-core/abi/bus.ts";
import { VCPU_DOMID } from "../../../hv-core/abi/domain.ts";
import { IO_DEVICE_SIZE, IO_DEVICES_BASE, VCPU_HV_OFFSET, VCPU_SIZE, VCPUS_BASE } from "../../../hv-core/abi/layout.ts";
import type { Core } from "../core.ts";

export interface BusAccess {
  /** Domain whose processor made it. */
  readonly domid: number;
  readonly isRead: boolean;
  readonly isPort: boolean;
  /** It went to a cache line, not to the device. */
  readonly isCached: boolean;
  readonly offset: number;
  readonly value: number;
}

export interface BusDevice {
  /** Accesses ever made. */
  readonly accesses: number;
  /** The last ones, oldest first. */
  readonly log: readonly BusAccess[];
  readonly index: number;
  readonly values: readonly number[];
  /** DATA accesses that another processor's INDEX had come before. */
  readonly torn: number;
  readonly mixed: number;
  readonly dmaDone: number;
  readonly dmaFaults: number;
}

export function readDevice(core: Core, device: number): BusDevice {
  const at = IO_DEVICES_BASE + device * IO_DEVICE_SIZE;
  const word = (offset: number): number => core.u32[(at + offset) >> 2]!;
  const accesses = word(DEV_LOG_NEXT);
  const log: BusAccess[] = [];
  for (let n = Math.max(0, accesses - DEV_LOG_RECORDS); n < accesses; n++) {
    const record = DEV_LOG + (n % DEV_LOG_RECORDS) * DEV_LOG_RECORD;
    const head = word(record);
    const flags = (head >>> 16) & 255;
    log.push({
      domid: core.u32[(VCPUS_BASE + ((head & 0xffff) - 1) * VCPU_SIZE + VCPU_HV_OFFSET + VCPU_DOMID) >> 2]!,
      isRead: (flags & DEV_LOG_READ) !== 0,
      isPort: (flags & DEV_LOG_PORT) !== 0,
      isCached: (flags & DEV_LOG_CACHED) !== 0,
      offset: word(record + 4),
      value: word(record + 8),
    });
  }
  return {
    accesses,
    log,
    index: word(DEV_INDEX),
    values: Array.from({ length: BUS_REGISTERS }, (_, i) => word(DEV_VALUES + i * 4)),
    torn: word(DEV_TORN),
    mixed: word(DEV_MIXED),
    dmaDone: word(DEV_DMA_DONE),
    dmaFaults: word(DEV_DMA_FAULTS),
  };
}
