/**
 * The DMA engine of a device on the bus: an actor beside the processors, with a translation cache of its own. It reaches memory through
 * the tables of the domain that the device is assigned to (the IOMMU walks them as the processor does), and only until they are taken away
 * from it: a cached translation stays until somebody flushes it, as in a processor's TLB (XSA-442).
 */
import {
  DEV_DMA_ADDR,
  DEV_DMA_DOMAIN,
  DEV_DMA_DONE,
  DEV_DMA_FAULTS,
  DEV_DMA_FRAME,
  DEV_DMA_ROOT,
  DEV_DMA_STATE,
  DEV_DMA_VALUE,
  DEV_IOTLB,
  DEV_IOTLB_ENTRIES,
  DEV_PRESENT,
  MAX_BUS_DEVICES,
} from "../abi/bus";
import { CTR_IOTLB_FILLS, CTR_IOTLB_FLUSHES } from "../abi/counters";
import { PAGE_SHIFT } from "../abi/layout";
import { Count } from "../base/counters";
import { EPTE_MFN_MASK, EPTE_W } from "../base/epte";
import { frameWrite32 } from "../mem/frame-access";
import { Frame } from "../mem/frame-table";
import { deviceAt } from "./bus";
import { EPT_MISCONFIG, Ept } from "./ept-walk";

const IDLE: u32 = 0;
const REQUESTED: u32 = 1;
const TRANSLATED: u32 = 2;

/** The only entry that may hold `page`. */
function entryOf(at: usize, page: u32): usize {
  return at + DEV_IOTLB + <usize>((page % DEV_IOTLB_ENTRIES) << 3);
}

/** Frame behind a device address, 0 when the device may not write there. */
function translate(at: usize, page: u32): u32 {
  const entry = entryOf(at, page);
  if (load<u32>(entry) == page + 1) return load<u32>(entry, 4);
  const root = load<u32>(at, DEV_DMA_ROOT);
  if (root == 0) return 0;
  // Second-level tables of an IOMMU have no memory types: entries that wait for a new one lead on all the same.
  const walked = Ept.peek(root, (<u64>page) << PAGE_SHIFT);
  const mfn = (walked & EPTE_MFN_MASK) >> PAGE_SHIFT;
  if ((walked & EPT_MISCONFIG) != 0 || (walked & EPTE_W) == 0 || !Frame.isValid(mfn)) return 0;
  store<u32>(entry, page + 1);
  store<u32>(entry, <u32>mfn, 4);
  Count.one(CTR_IOTLB_FILLS);
  return <u32>mfn;
}

function bump(at: usize, field: usize): void {
  store<u32>(at + field, load<u32>(at + field) + 1);
}

export class Dma {
  /** One step of the engine: the address is translated, then the data are written. @returns false when there was nothing to do. */
  static step(index: u32): bool {
    if (index >= <u32>MAX_BUS_DEVICES) return false;
    const at = deviceAt(index);
    const state = load<u32>(at, DEV_DMA_STATE);
    if (state == IDLE) return false;
    const address = load<u32>(at, DEV_DMA_ADDR);
    if (state == REQUESTED) {
      const frame = translate(at, address >> PAGE_SHIFT);
      store<u32>(at, frame, DEV_DMA_FRAME);
      store<u32>(at, frame == 0 ? IDLE : TRANSLATED, DEV_DMA_STATE);
      if (frame == 0) bump(at, DEV_DMA_FAULTS);
      return true;
    }
    frameWrite32(load<u32>(at, DEV_DMA_FRAME), address & 0xffc, load<u32>(at, DEV_DMA_VALUE));
    store<u32>(at, IDLE, DEV_DMA_STATE);
    bump(at, DEV_DMA_DONE);
    return true;
  }

  /**
   * Gives the device to a domain whose tables begin at `root`, or to nobody (0). What it had cached goes. A write in flight is drained to
   * nowhere: the invalidation waits for it, as a real IOMMU's does.
   */
  static assign(index: u32, domain: u32, root: u32): void {
    const at = deviceAt(index);
    store<u32>(at, domain, DEV_DMA_DOMAIN);
    store<u32>(at, root, DEV_DMA_ROOT);
    flushDevice(at);
  }

  /** Domain id + 1 of who has the device, 0 = nobody. */
  static owner(index: u32): u32 {
    return load<u32>(deviceAt(index), DEV_DMA_DOMAIN);
  }

  /** Translations of the domain leave every device's cache. */
  static flush(domid: u32): void {
    for (let i: u32 = 0; i < <u32>MAX_BUS_DEVICES; i++) {
      const at = deviceAt(i);
      if (load<u32>(at, DEV_PRESENT) != 0 && load<u32>(at, DEV_DMA_DOMAIN) == domid + 1) flushDevice(at);
    }
  }
}

function flushDevice(at: usize): void {
  memory.fill(at + DEV_IOTLB, 0, DEV_IOTLB_ENTRIES << 3);
  if (load<u32>(at, DEV_DMA_STATE) == TRANSLATED) store<u32>(at, REQUESTED, DEV_DMA_STATE);
  Count.one(CTR_IOTLB_FLUSHES);
}
