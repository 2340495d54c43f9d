/**
 * The life of a device model's ioreq server: create it and map its pages, say which device answers a range, enable it and bind
 * its ports, take it away (spec 03 section 3.4). One server serves all small devices of a domain, as QEMU's does.
 *
 * After: ioreq-service.ts (requests), model.ts (the devices).
 */
import { BUFIOREQ_ATOMIC, IOREQ_SIZE, IOREQ_VP_EPORT } from "../../../hv-core/abi/ioreq.ts";
import { ACTOR_DOMID, ACTOR_IOREQ_SERVER, type ActorId, allocActor, getField, setField, slabOf } from "../actors.ts";
import { allocGfns, bindActor, mappedAddress, unmapGfn } from "../dom0.ts";
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
import { closeGuestPage } from "./guest-page.ts";
import {
  BUFFERED,
  BUFFERED_PORT,
  GFN,
  MAX_RANGES,
  PORTS,
  RANGE_BYTES,
  RANGE_COUNT,
  RANGES,
  RING_AT,
  SERVER_ID,
  SLOTS_AT,
  VCPUS,
} from "./ioreq-slab.ts";

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
  const domid = DomId(getField(dom0.core, slab, ACTOR_DOMID));
  try {
    destroyIoreqServer(dom0, domid, ServerId(getField(dom0.core, slab, SERVER_ID)));
  } catch (error) {
    // Another domain may have destroyed this one: its servers are gone with it.
    if (!(error instanceof HvError && (error.code === "ENOENT" || error.code === "ESRCH"))) throw error;
  }
}
