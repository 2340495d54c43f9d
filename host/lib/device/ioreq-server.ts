/**
 * The device model's end of an ioreq server: slots READY -> INPROCESS -> RESP_READY, the buffered ring, and the ranges that say
 * which device answers (spec 03). One server serves all small devices of a domain, as QEMU's does.
 *
 * Before: dom0.ts (the event). After: model.ts (the device). The path of one request allocates nothing.
 * Slab: fields below, then ranges of 16 bytes {space, start, end inclusive, actor} from 256 on, then a local port for each vCPU from 2048 on.
 */
import {
  BUFIOREQ_ATOMIC,
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
  IOREQ_VP_EPORT,
  STATE_IOREQ_INPROCESS,
  STATE_IOREQ_READY,
  STATE_IOREQ_RESP_READY,
} from "../../../hv-core/abi/ioreq.ts";
import {
  ACTOR_DOMID,
  ACTOR_IOREQ_SERVER,
  ACTOR_KIND,
  type ActorId,
  allocActor,
  getField,
  setField,
  slabOf,
} from "../actors.ts";
import type { Core } from "../core.ts";
import { allocGfns, bindActor, mappedAddress, sendEvent, unmapGfn } from "../dom0.ts";
import { HvError } from "../errors.ts";
import { DomId, Gfn, Port, ServerId } from "../ids.ts";
import {
  createIoreqServer,
  destroyIoreqServer,
  getIoreqServerBufferedPort,
  type IoRange,
  mapIoRange,
  setIoreqServerState,
} from "../toolstack/dm-op.ts";
import { closePort, evtchnBindInterdomain } from "../toolstack/evtchn.ts";
import { acquireIoreqPage } from "../toolstack/memory.ts";
import type { DeviceContext } from "./context.ts";
import { closeGuestPage, guestByte, setGuestByte } from "./guest-page.ts";
import { modelOf, READ_HIGH } from "./model.ts";

const SERVER_ID = 8;
const SLOTS_AT = 12;
const RING_AT = 16;
const RANGE_COUNT = 20;
const VCPUS = 24;
const BUFFERED_PORT = 28;
/** dom0's gfns of the two pages: the ring, then the slots. */
const GFN = 32;
/** Upper half of the last readDevice: the hot path allocates no pair. */
const RESULT_HIGH = 56;
const RANGES = 256;
const RANGE_BYTES = 16;
const MAX_RANGES = 64;
const PORTS = 2048;
/** `data` of the buffered ring's port, where a vCPU number stands otherwise. */
const BUFFERED = 255;

/** Creates an ioreq server for a domain, maps its pages into dom0 and listens to its ports. Not enabled before it has its ranges. */
export function createServer(context: DeviceContext, domid: DomId, vcpus: number): ActorId {
  const { dom0 } = context;
  const actor = allocActor(dom0.core, ACTOR_IOREQ_SERVER, domid);
  const slab = slabOf(actor);
  const server = createIoreqServer(dom0, domid, BUFIOREQ_ATOMIC);
  const gfn = allocGfns(dom0, 2);
  acquireIoreqPage(dom0, domid, server, 0, gfn);
  acquireIoreqPage(dom0, domid, server, 1, (gfn + 1) as typeof gfn);
  setField(dom0.core, slab, SERVER_ID, server);
  setField(dom0.core, slab, RING_AT, mappedAddress(dom0, gfn));
  setField(dom0.core, slab, SLOTS_AT, mappedAddress(dom0, (gfn + 1) as typeof gfn));
  setField(dom0.core, slab, VCPUS, vcpus);
  setField(dom0.core, slab, GFN, gfn);
  return actor;
}

/** Lets the device in slab `device` answer a range. */
export function addRange(context: DeviceContext, actor: ActorId, range: IoRange, device: ActorId): void {
  const { dom0 } = context;
  const slab = slabOf(actor);
  const count = getField(dom0.core, slab, RANGE_COUNT);
  if (count >= MAX_RANGES)
    throw new HvError("ENOSPC", "addRange", { hint: `one server has at most ${MAX_RANGES} ranges` });
  mapIoRange(
    dom0,
    DomId(getField(dom0.core, slab, ACTOR_DOMID)),
    ServerId(getField(dom0.core, slab, SERVER_ID)),
    range,
  );
  const at = slab + RANGES + count * RANGE_BYTES;
  setField(dom0.core, at, 0, range.space);
  setField(dom0.core, at, 4, range.start);
  setField(dom0.core, at, 8, range.end);
  setField(dom0.core, at, 12, device);
  setField(dom0.core, slab, RANGE_COUNT, count + 1);
}

/** Enables the server, which gives every slot its port, and binds the ports. */
export function enableServer(context: DeviceContext, actor: ActorId): void {
  const { dom0 } = context;
  const slab = slabOf(actor);
  const domid = DomId(getField(dom0.core, slab, ACTOR_DOMID));
  const server = ServerId(getField(dom0.core, slab, SERVER_ID));
  setIoreqServerState(dom0, domid, server, true);
  const vcpus = getField(dom0.core, slab, VCPUS);
  for (let vcpu = 0; vcpu < vcpus; vcpu++) {
    const remote = getField(dom0.core, getField(dom0.core, slab, SLOTS_AT) + vcpu * IOREQ_SIZE, IOREQ_VP_EPORT);
    const port = evtchnBindInterdomain(dom0, domid, Port(remote));
    setField(dom0.core, slab, PORTS + vcpu * 4, port);
    bindActor(dom0, port, actor, vcpu);
  }
  const buffered = evtchnBindInterdomain(dom0, domid, getIoreqServerBufferedPort(dom0, domid, server));
  setField(dom0.core, slab, BUFFERED_PORT, buffered);
  bindActor(dom0, buffered, actor, BUFFERED);
}

/** Takes the server away: ports, pages, the server itself. The slab is freed by the caller. */
export function closeServer({ dom0 }: DeviceContext, actor: ActorId): void {
  const slab = slabOf(actor);
  closeGuestPage(dom0, slab);
  const vcpus = getField(dom0.core, slab, VCPUS);
  for (let vcpu = 0; vcpu < vcpus; vcpu++) closePort(dom0, Port(getField(dom0.core, slab, PORTS + vcpu * 4)));
  closePort(dom0, Port(getField(dom0.core, slab, BUFFERED_PORT)));
  const gfn = getField(dom0.core, slab, GFN);
  unmapGfn(dom0, Gfn(gfn));
  unmapGfn(dom0, Gfn(gfn + 1));
  destroyIoreqServer(
    dom0,
    DomId(getField(dom0.core, slab, ACTOR_DOMID)),
    ServerId(getField(dom0.core, slab, SERVER_ID)),
  );
}

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
  const count = getField(core, slab, RANGE_COUNT);
  let at = slab + RANGES;
  for (let i = 0; i < count; i++, at += RANGE_BYTES) {
    const word = at >> 2;
    if (core.u32[word] === space && addr >= core.u32[word + 1]! && addr <= core.u32[word + 2]!) return at;
  }
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
  if (range === 0) return;
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
