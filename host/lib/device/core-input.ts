/**
 * Input for the UART inside the core (knob device.at = core): its queue is short, so what was typed waits in this actor's slab.
 * Slab: ring from 64 on.
 */
import { ACTOR_CORE_INPUT, ACTOR_DOMID, type ActorId, actorsOfKind, allocActor, getField, slabOf } from "../actors.ts";
import type { Core } from "../core.ts";
import { domainSlot } from "../domains.ts";
import { DomId } from "../ids.ts";
import { fifoDrop, fifoFirst, fifoPut } from "./fifo.ts";

const INPUT = 64;

export function createCoreInput(core: Core, domid: DomId): ActorId {
  return allocActor(core, ACTOR_CORE_INPUT, domid);
}

/** @returns false when the ring is full. */
export function coreInputReceive(core: Core, slab: number, byte: number): boolean {
  return fifoPut(core, slab + INPUT, byte);
}

/** Hands over what the UARTs in the core have room for. */
export function feedCoreUarts(core: Core): void {
  for (const actor of actorsOfKind(core, ACTOR_CORE_INPUT)) {
    const slab = slabOf(actor);
    const slot = domainSlot(core, DomId(getField(core, slab, ACTOR_DOMID)));
    for (let byte = fifoFirst(core, slab + INPUT); byte >= 0; byte = fifoFirst(core, slab + INPUT)) {
      if (core.exports.deviceInput(slot, byte) === 0) break;
      fifoDrop(core, slab + INPUT);
    }
  }
}

/** Whether anything waits for a UART in the core to have room. */
export function isCoreInputWaiting(core: Core): boolean {
  return actorsOfKind(core, ACTOR_CORE_INPUT).some((actor) => fifoFirst(core, slabOf(actor) + INPUT) >= 0);
}
