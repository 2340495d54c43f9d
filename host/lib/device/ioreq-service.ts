/**
 * The device model's end of a request: slots READY -> INPROCESS -> RESP_READY, and the buffered ring (spec 03 section 3.3).
 * The path of one request allocates nothing.
 *
 * Before: dom0.ts (the event). After: model.ts (the device), then the core's hv/ioreq/complete.ts.
 */
import {
  BUFIOREQ_READ_POINTER,
  BUFIOREQ_SLOT_COUNT,
  BUFIOREQ_SLOTS,
  BUFIOREQ_WRITE_POINTER,
  IO_RANGE_MEMORY,
  IO_RANGE_PORT,
  IOREQ_ADDR,
  IOREQ_BITS,
  IOREQ_COUNT,
  IOREQ_DATA,
  IOREQ_READ,
  IOREQ_REQ_SIZE,
  IOREQ_SIZE,
  IOREQ_TYPE,
  IOREQ_TYPE_COPY,
  IOREQ_TYPE_INVALIDATE,
  IOREQ_TYPE_PIO,
  STATE_IOREQ_INPROCESS,
  STATE_IOREQ_READY,
  STATE_IOREQ_RESP_READY,
} from "../../../hv-core/abi/ioreq.ts";
import { ACTOR_KIND, type ActorId, getField, setField, slabOf } from "../actors.ts";
import type { Core } from "../core.ts";
import { sendEvent } from "../dom0.ts";
import { HvError } from "../errors.ts";
import type { DeviceContext } from "./context.ts";
import { closeGuestPage, guestByte, setGuestByte } from "./guest-page.ts";
import {
  BUFFERED,
  PORTS,
  RANGE_BYTES,
  RANGE_COUNT,
  RANGES,
  RESULT_HIGH,
  RING_AT,
  SLOTS_AT,
  TYPE_DEVICE,
} from "./ioreq-slab.ts";
import { READ_HIGH } from "./model.ts";
import { modelOf } from "./models.ts";
import { shadowTableWritten } from "./shadow-table.ts";

/** One event of a server: `data` is the vCPU whose slot to look at, or BUFFERED. */
export function serveEvent(context: DeviceContext, actor: ActorId, data: number): void {
  const slab = slabOf(actor);
  if (data === BUFFERED) drainRing(context, slab);
  else serveSlot(context, slab, data);
}

function serveSlot(context: DeviceContext, slab: number, vcpu: number): void {
  const { dom0 } = context;
  const slot = getField(dom0.core, slab, SLOTS_AT) + vcpu * IOREQ_SIZE;
  const bits = dom0.core.u8[slot + IOREQ_BITS]!;
  if ((bits & 15) !== STATE_IOREQ_READY) return; // an event for a request that is over
  dom0.core.u8[slot + IOREQ_BITS] = (bits & 0xf0) | STATE_IOREQ_INPROCESS;
  // Buffered requests came earlier: they are done first (spec 03 section 3.3).
  const ring = getField(dom0.core, slab, RING_AT);
  if (getField(dom0.core, ring, BUFIOREQ_READ_POINTER) !== getField(dom0.core, ring, BUFIOREQ_WRITE_POINTER))
    drainRing(context, slab);
  serveRequest(context, slab, slot, bits);
  dom0.core.u8[slot + IOREQ_BITS] = (bits & 0xf0) | STATE_IOREQ_RESP_READY;
  sendEvent(dom0, getField(dom0.core, slab, PORTS + vcpu * 4));
}

function serveRequest(context: DeviceContext, slab: number, slot: number, bits: number): void {
  const { core } = context.dom0;
  const type = core.u8[slot + IOREQ_TYPE]!;
  if (type === IOREQ_TYPE_INVALIDATE) {
    closeGuestPage(context.dom0, slab);
    return;
  }
  if (type !== IOREQ_TYPE_PIO && type !== IOREQ_TYPE_COPY) return;
  const space = type === IOREQ_TYPE_PIO ? IO_RANGE_PORT : IO_RANGE_MEMORY;
  const size = getField(core, slot, IOREQ_REQ_SIZE);
  const count = getField(core, slot, IOREQ_COUNT);
  const isRead = ((bits >> 5) & 1) === IOREQ_READ;
  const step = (bits & 64) !== 0 ? -size : size;
  const isPointer = (bits & 16) !== 0;
  // Ranges lie below 4 GiB, so a device never sees the upper half of an address.
  const low = getField(core, slot, IOREQ_ADDR);
  const isHigh = getField(core, slot, IOREQ_ADDR + 4) !== 0;
  for (let i = 0; i < count; i++) {
    const addr = type === IOREQ_TYPE_PIO ? low : (low + i * step) >>> 0;
    if (isPointer) copyOne(context, slab, slot, space, isHigh, addr, size, isRead, i * step);
    else if (isRead) {
      setField(core, slot, IOREQ_DATA, readDevice(context, slab, space, isHigh, addr, size));
      setField(core, slot, IOREQ_DATA + 4, getField(core, slab, RESULT_HIGH));
    } else
      writeDevice(
        context,
        slab,
        space,
        isHigh,
        addr,
        size,
        getField(core, slot, IOREQ_DATA),
        getField(core, slot, IOREQ_DATA + 4),
      );
  }
}

/** One element of a request whose data lies in guest memory at IOREQ_DATA + `offset`. */
function copyOne(
  context: DeviceContext,
  slab: number,
  slot: number,
  space: number,
  isHigh: boolean,
  addr: number,
  size: number,
  isRead: boolean,
  offset: number,
): void {
  const { dom0 } = context;
  const gpa = getField(dom0.core, slot, IOREQ_DATA) + getField(dom0.core, slot, IOREQ_DATA + 4) * 2 ** 32 + offset;
  if (isRead) {
    const low = readDevice(context, slab, space, isHigh, addr, size);
    const high = getField(dom0.core, slab, RESULT_HIGH);
    for (let i = 0; i < size; i++)
      setGuestByte(dom0, slab, gpa + i, (i < 4 ? low >>> (i * 8) : high >>> (i * 8 - 32)) & 255);
    return;
  }
  let low = 0;
  let high = 0;
  for (let i = 0; i < size; i++) {
    if (i < 4) low |= guestByte(dom0, slab, gpa + i) << (i * 8);
    else high |= guestByte(dom0, slab, gpa + i) << (i * 8 - 32);
  }
  writeDevice(context, slab, space, isHigh, addr, size, low >>> 0, high >>> 0);
}

/** Address of the range record that claims `addr`, 0 when there is none. */
function findRange(core: Core, slab: number, space: number, addr: number): number {
  const { u32 } = core;
  const first = (slab + RANGES) >> 2;
  const end = first + getField(core, slab, RANGE_COUNT) * (RANGE_BYTES >> 2);
  for (let word = first; word < end; word += RANGE_BYTES >> 2)
    if (u32[word] === space && addr >= u32[word + 1]! && addr <= u32[word + 2]!) return word << 2;
  return 0;
}

/** The server's ranges may have changed since the request was sent: an address nobody claims reads all ones. */
function readDevice(
  context: DeviceContext,
  slab: number,
  space: number,
  isHigh: boolean,
  addr: number,
  size: number,
): number {
  const { core } = context.dom0;
  const range = isHigh ? 0 : findRange(core, slab, space, addr);
  setField(core, slab, RESULT_HIGH, size === 8 ? 0xffff_ffff : 0);
  const ones = size >= 4 ? 0xffff_ffff : 2 ** (size * 8) - 1;
  if (range === 0) return ones;
  const device = slabOf(getField(core, range, 12));
  const model = modelOf(getField(core, device, ACTOR_KIND));
  if (!model) return ones;
  setField(core, device, READ_HIGH, 0);
  const low = model.read(context, device, addr - getField(core, range, 4), size);
  setField(core, slab, RESULT_HIGH, getField(core, device, READ_HIGH));
  return low;
}

function writeDevice(
  context: DeviceContext,
  slab: number,
  space: number,
  isHigh: boolean,
  addr: number,
  size: number,
  low: number,
  high: number,
): void {
  const { core } = context.dom0;
  const range = isHigh ? 0 : findRange(core, slab, space, addr);
  if (range === 0) {
    const typed = getField(core, slab, TYPE_DEVICE);
    if (typed !== 0 && space === IO_RANGE_MEMORY && !isHigh)
      shadowTableWritten(context, slabOf(typed - 1), slab, addr, size, low, high);
    return;
  }
  const device = slabOf(getField(core, range, 12));
  modelOf(getField(core, device, ACTOR_KIND))?.write(context, device, addr - getField(core, range, 4), size, low, high);
}

/** Takes every request out of the buffered ring. A ring that claims more than it holds is emptied: Xen wrote it, so that is a bug of ours. */
function drainRing(context: DeviceContext, slab: number): void {
  const { core } = context.dom0;
  const ring = getField(core, slab, RING_AT);
  for (;;) {
    const read = getField(core, ring, BUFIOREQ_READ_POINTER);
    const pending = (getField(core, ring, BUFIOREQ_WRITE_POINTER) - read) >>> 0;
    if (pending === 0) return;
    if (pending > BUFIOREQ_SLOT_COUNT)
      throw new HvError("EOVERFLOW", "buffered ioreq ring", {
        hint: "the ring's pointers are inconsistent: a bug of the core",
      });
    const at = ring + BUFIOREQ_SLOTS + (read % BUFIOREQ_SLOT_COUNT) * 8;
    const header = getField(core, at, 0);
    const size = 1 << ((header >> 10) & 3);
    const low = getField(core, at, 4);
    const high = size === 8 ? getField(core, ring + BUFIOREQ_SLOTS + ((read + 1) % BUFIOREQ_SLOT_COUNT) * 8, 4) : 0;
    const type = header & 255;
    if (type === IOREQ_TYPE_PIO || type === IOREQ_TYPE_COPY)
      writeDevice(
        context,
        slab,
        type === IOREQ_TYPE_PIO ? IO_RANGE_PORT : IO_RANGE_MEMORY,
        false,
        header >>> 12,
        size,
        low,
        high,
      );
    // The write pointer may be canonicalised by Xen meanwhile only together with ours, so ours is read again each time.
    setField(core, ring, BUFIOREQ_READ_POINTER, getField(core, ring, BUFIOREQ_READ_POINTER) + (size === 8 ? 2 : 1));
  }
}
