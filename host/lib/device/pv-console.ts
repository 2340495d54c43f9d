/**
 * Back end of the PV console: the ring page of a domain, mapped into dom0 (spec 08 section 8.8; page and port are HVM parameters 17, 18).
 * Slab: local port u32@8, linear address of the page u32@12, its gfn in dom0 u32@16, input ring from 64 on.
 */
import { ACTOR_PV_CONSOLE, type ActorId, allocActor, getField, setField, slabOf } from "../actors.ts";
import type { Core } from "../core.ts";
import { allocGfns, bindActor, mappedAddress, sendEvent, unmapGfn } from "../dom0.ts";
import { type DomId, Gfn, Port } from "../ids.ts";
import { closePort, evtchnBindInterdomain } from "../toolstack/evtchn.ts";
import { mapForeign } from "../toolstack/memory.ts";
import { type DeviceContext, putConsole } from "./context.ts";
import { fifoLength, fifoPut, fifoTake } from "./fifo.ts";
import { type RingLayout, ringPending, ringPut, ringReset, ringTake } from "./pv-ring.ts";

const LOCAL_PORT = 8;
const PAGE = 12;
const GFN = 16;
const INPUT = 64;

export const CONSOLE_IN: RingLayout = { data: 0, size: 1024, cons: 3072, prod: 3076 };
export const CONSOLE_OUT: RingLayout = { data: 1024, size: 2048, cons: 3080, prod: 3084 };

export function createPvConsole(context: DeviceContext, domid: DomId, gfn: number, remotePort: Port): ActorId {
  const { dom0 } = context;
  const actor = allocActor(dom0.core, ACTOR_PV_CONSOLE, domid);
  const window = allocGfns(dom0, 1);
  mapForeign(dom0, domid, gfn, window, 1);
  const port = evtchnBindInterdomain(dom0, domid, remotePort);
  setField(dom0.core, slabOf(actor), LOCAL_PORT, port);
  setField(dom0.core, slabOf(actor), PAGE, mappedAddress(dom0, window));
  setField(dom0.core, slabOf(actor), GFN, window);
  bindActor(dom0, port, actor);
  return actor;
}

/** A byte typed on the terminal; it reaches the ring at the next service. */
export function pvConsoleReceive(core: Core, slab: number, byte: number): boolean {
  return fifoPut(core, slab + INPUT, byte);
}

/** Drains the guest's output, delivers input as far as there is room, and notifies the guest if anything moved. */
export function servePvConsole(context: DeviceContext, slab: number): void {
  const { core } = context.dom0;
  const page = getField(core, slab, PAGE);
  const taken = ringTake(core, page, CONSOLE_OUT, CONSOLE_OUT.size, (byte) => putConsole(context, byte));
  if (taken < 0) ringReset(core, page, CONSOLE_OUT);
  let given = 0;
  while (fifoLength(core, slab + INPUT) > 0) {
    const pending = ringPending(core, page, CONSOLE_IN);
    if (pending < 0 || pending === CONSOLE_IN.size) break;
    ringPut(core, page, CONSOLE_IN, fifoTake(core, slab + INPUT));
    given++;
  }
  if (taken !== 0 || given > 0) sendEvent(context.dom0, getField(core, slab, LOCAL_PORT));
}

/** Gives back the port and the mapping; the slab is freed by the caller. */
export function closePvConsole({ dom0 }: DeviceContext, slab: number): void {
  closePort(dom0, Port(getField(dom0.core, slab, LOCAL_PORT)));
  unmapGfn(dom0, Gfn(getField(dom0.core, slab, GFN)));
}
