/**
 * The counter device: one page of MMIO that makes its accesses visible. Registers: abi/devices.ts.
 * A register read shows the state before that read; then the read is counted.
 * Slab: value u64@64, reads u64@72, writes u64@80, last u32@88, scratch bytes from 2048 on.
 */
import {
  COUNTER_LAST,
  COUNTER_READS,
  COUNTER_SCRATCH,
  COUNTER_SIZE,
  COUNTER_VALUE,
  COUNTER_WRITES,
} from "../../../hv-core/abi/devices.ts";
import { IOREQ_READ, IOREQ_WRITE } from "../../../hv-core/abi/ioreq.ts";
import { getField, setField } from "../actors.ts";
import type { Core } from "../core.ts";
import { type DeviceModel, READ_HIGH } from "./model.ts";

const VALUE = 64;
const READS = 72;
const WRITES = 80;
const LAST = 88;
const SCRATCH = 2048;

/** Byte of the register file at `offset`, -1 where nothing is kept. */
function byteAddress(slab: number, offset: number): number {
  if (offset >= COUNTER_SCRATCH && offset < COUNTER_SIZE) return slab + SCRATCH + (offset - COUNTER_SCRATCH);
  if (offset >= COUNTER_VALUE && offset < COUNTER_VALUE + 8) return slab + VALUE + (offset - COUNTER_VALUE);
  if (offset >= COUNTER_READS && offset < COUNTER_READS + 8) return slab + READS + (offset - COUNTER_READS);
  if (offset >= COUNTER_WRITES && offset < COUNTER_WRITES + 8) return slab + WRITES + (offset - COUNTER_WRITES);
  if (offset >= COUNTER_LAST && offset < COUNTER_LAST + 4) return slab + LAST + (offset - COUNTER_LAST);
  return -1;
}

/** Four bytes from `offset` on, those beyond `size` zero. */
function readBytes(core: Core, slab: number, offset: number, size: number): number {
  let value = 0;
  for (let i = 0; i < 4 && i < size; i++) {
    const at = byteAddress(slab, offset + i);
    if (at >= 0) value |= core.u8[at]! << (i * 8);
  }
  return value >>> 0;
}

/** Bytes of the read-only registers are dropped. */
function writeBytes(core: Core, slab: number, offset: number, size: number, low: number, high: number): void {
  for (let i = 0; i < size; i++) {
    const isKept = offset + i < COUNTER_VALUE + 8 || offset + i >= COUNTER_SCRATCH;
    const at = isKept ? byteAddress(slab, offset + i) : -1;
    if (at >= 0) core.u8[at] = (i < 4 ? low >>> (i * 8) : high >>> ((i - 4) * 8)) & 255;
  }
}

function count(core: Core, slab: number, field: number, offset: number, size: number, dir: number): void {
  const low = (getField(core, slab, field) + 1) >>> 0;
  setField(core, slab, field, low);
  if (low === 0) setField(core, slab, field + 4, getField(core, slab, field + 4) + 1);
  setField(core, slab, LAST, offset | (size << 16) | (dir << 24));
}

export const counter: DeviceModel = {
  read: ({ dom0: { core } }, slab, offset, size) => {
    const low = readBytes(core, slab, offset, size);
    if (size === 8) setField(core, slab, READ_HIGH, readBytes(core, slab, offset + 4, 4));
    count(core, slab, READS, offset, size, IOREQ_READ);
    return low;
  },
  write: ({ dom0: { core } }, slab, offset, size, low, high) => {
    if (offset === COUNTER_VALUE && size === 4) setField(core, slab, VALUE, low);
    else writeBytes(core, slab, offset, size, low, high);
    count(core, slab, WRITES, offset, size, IOREQ_WRITE);
  },
};
