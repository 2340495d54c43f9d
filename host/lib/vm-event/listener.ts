/**
 * The consumer's end of a vm_event ring (spec 04 section 4.6). A response takes the place of its request, and requests are answered in
 * order; so the ring itself says how far the listener has got (rsp_prod), and one that dies in the middle of a request finds it again.
 *
 * What it must remember beside that is in an actor slab: port @8, gfn of the ring page in dom0 @12, mode @16.
 * Before: toolstack/vm-event.ts. After: pager/pager.ts, monitor/monitor.ts.
 */
import { HVM_PARAM_PAGING_RING_PFN } from "../../../hv-core/abi/hypercalls.ts";
import {
  EV_FLAGS,
  EV_GFN,
  EV_REASON,
  EV_VCPU_ID,
  EV_VERSION,
  RING_ENTRIES,
  RING_REQ_PROD,
  RING_RSP_PROD,
  RING_SLOTS,
  VM_EVENT_SIZE,
  VM_EVENT_VERSION,
} from "../../../hv-core/abi/vm-event.ts";
import { ACTOR_VM_EVENT, type ActorId, actorsOf, allocActor, getField, setField, slabOf } from "../actors.ts";
import { allocGfns, bindActor, type Dom0, mappedAddress, sendEvent, unmapGfn } from "../dom0.ts";
import { type DomId, type Gfn, Port } from "../ids.ts";
import { domainPause, domainUnpause } from "../toolstack/domctl.ts";
import { closePort, evtchnBindInterdomain } from "../toolstack/evtchn.ts";
import { hvmGetParam } from "../toolstack/hvm.ts";
import { mapForeign } from "../toolstack/memory.ts";
import { decreaseReservation, vmEventDisable, vmEventEnable } from "../toolstack/vm-event.ts";

const PORT = 8;
const RING_GFN = 12;
const MODE = 16;

/** A request at linear address `at`: read its fields before the response takes its place. */
export interface Request {
  readonly at: number;
  readonly flags: number;
  readonly reason: number;
  readonly vcpu: number;
  readonly gfn: number;
}

export interface Listener {
  readonly dom0: Dom0;
  readonly domid: DomId;
  readonly mode: number;
  readonly actor: ActorId;
  /** The oldest request without an answer, undefined = none. */
  next(): Request | undefined;
  /** Puts the answer to `request` on the ring: its fields, with other flags; `fill` may write more of the entry. Tell with `notify`. */
  respond(request: Request, flags: number, fill?: (view: DataView, at: number) => void): void;
  /** Tells the hypervisor that there are answers. */
  notify(): void;
  /** Stops listening, for good. @throws HvError EBUSY while vCPUs wait for a slot. */
  close(): void;
}

function listenerOf(dom0: Dom0, domid: DomId, actor: ActorId): Listener {
  const { core } = dom0;
  const slab = slabOf(actor);
  const mode = getField(core, slab, MODE);
  const page = (): number => mappedAddress(dom0, getField(core, slab, RING_GFN) as Gfn);
  const entry = (index: number): number => page() + RING_ENTRIES + (index % RING_SLOTS) * VM_EVENT_SIZE;
  return {
    dom0,
    domid,
    mode,
    actor,
    next() {
      const answered = getField(core, page(), RING_RSP_PROD);
      if (answered === getField(core, page(), RING_REQ_PROD)) return undefined;
      const at = entry(answered);
      return {
        at,
        flags: getField(core, at, EV_FLAGS),
        reason: getField(core, at, EV_REASON),
        vcpu: getField(core, at, EV_VCPU_ID),
        gfn: getField(core, at, EV_GFN) + getField(core, at, EV_GFN + 4) * 2 ** 32,
      };
    },
    respond(request, flags, fill) {
      const { view } = core;
      view.setUint32(request.at + EV_VERSION, VM_EVENT_VERSION, true);
      view.setUint32(request.at + EV_FLAGS, flags, true);
      fill?.(view, request.at);
      setField(core, page(), RING_RSP_PROD, getField(core, page(), RING_RSP_PROD) + 1);
    },
    notify: () => void sendEvent(dom0, getField(core, slab, PORT)),
    close() {
      vmEventDisable(dom0, domid, mode);
      closePort(dom0, Port(getField(core, slab, PORT)));
      unmapGfn(dom0, getField(core, slab, RING_GFN) as Gfn);
      core.u8.fill(0, slab, slab + 64);
    },
  };
}

/**
 * Listens on a ring of `domid`. The order matters (XSA-99): the guest stands still until the page is ours and out of its sight.
 * @throws HvError what enabling answers.
 */
export function openListener(dom0: Dom0, domid: DomId, mode: number): Listener {
  const gfn = hvmGetParam(dom0, domid, HVM_PARAM_PAGING_RING_PFN + mode - 1);
  domainPause(dom0, domid);
  try {
    const port = vmEventEnable(dom0, domid, mode);
    const at = allocGfns(dom0, 1);
    mapForeign(dom0, domid, gfn, at, 1);
    dom0.core.u8.fill(0, mappedAddress(dom0, at), mappedAddress(dom0, at) + RING_ENTRIES);
    decreaseReservation(dom0, domid, gfn);
    const actor = allocActor(dom0.core, ACTOR_VM_EVENT, domid);
    const local = evtchnBindInterdomain(dom0, domid, port);
    setField(dom0.core, slabOf(actor), PORT, local);
    setField(dom0.core, slabOf(actor), RING_GFN, at);
    setField(dom0.core, slabOf(actor), MODE, mode);
    bindActor(dom0, local, actor);
    return listenerOf(dom0, domid, actor);
  } finally {
    domainUnpause(dom0, domid);
  }
}

/** A ring that somebody listened on before who is gone; undefined when nobody did. Requests that wait are found by `next`. */
export function takeOverListener(dom0: Dom0, domid: DomId, mode: number): Listener | undefined {
  for (const actor of actorsOf(dom0.core, domid, ACTOR_VM_EVENT)) {
    if (getField(dom0.core, slabOf(actor), MODE) !== mode) continue;
    const listener = listenerOf(dom0, domid, actor);
    listener.notify(); // the one before may have died between an answer and its event
    return listener;
  }
  return undefined;
}

/** The domain goes: what dom0 has of its rings goes too. @returns the actors that listened. */
export function forgetListeners(dom0: Dom0, domid: DomId): readonly ActorId[] {
  const actors = actorsOf(dom0.core, domid, ACTOR_VM_EVENT);
  for (const actor of actors) {
    closePort(dom0, Port(getField(dom0.core, slabOf(actor), PORT)));
    unmapGfn(dom0, getField(dom0.core, slabOf(actor), RING_GFN) as Gfn);
    dom0.core.u8.fill(0, slabOf(actor), slabOf(actor) + 64);
  }
  return actors;
}
