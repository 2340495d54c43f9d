/**
 * Actor slabs: 4 KiB of linear memory for each party outside the hypervisor (docs/architecture.md section 5, "actors are data").
 * A device model or back end keeps all its state here; its code is a function of the slab and nothing else, so that
 * snapshot, step, restore, step again gives the same bytes.
 *
 * Common header, 64 bytes: kind u32@0 (0 = free), domid u32@4 (the domain it serves), then fields of the kind.
 */
import { ACTOR_MARK, ACTOR_SIZE, ACTORS_BASE, MAX_ACTORS } from "../../hv-core/abi/layout.ts";
import type { Core } from "./core.ts";
import { HvError } from "./errors.ts";

export const ACTOR_FREE = 0;
/** dom0's kernel: port table and mappings (dom0.ts). Always actor 0. */
export const ACTOR_DOM0 = 1;
/** An ioreq server with its ranges (device/ioreq-server.ts). */
export const ACTOR_IOREQ_SERVER = 2;
export const ACTOR_UART = 3;
export const ACTOR_DEBUG_PORT = 4;
export const ACTOR_POST = 5;
export const ACTOR_TEST_EXIT = 6;
export const ACTOR_COUNTER = 7;
export const ACTOR_PV_CONSOLE = 8;
export const ACTOR_XENSTORE = 9;
/** The part of the toolstack that is told when a domain ends (machine.ts). */
export const ACTOR_TOOLSTACK = 10;
/** In its slab: VIRQ_DOM_EXC has fired since the last look. */
export const TOOLSTACK_DOM_EXC = 8;
/** Input that waits for the UART inside the core (device/core-input.ts). */
export const ACTOR_CORE_INPUT = 11;
/** A device that watches page tables of the guest (device/shadow-table.ts), and its copies of them. */
export const ACTOR_SHADOW_TABLE = 12;
export const ACTOR_SHADOW_PAGES = 13;

/** A listener on a vm_event ring (vm-event/listener.ts). */
export const ACTOR_VM_EVENT = 16;

/** Actors of the explorer (explore/actors.ts): a vCPU, a list of hypercalls, a device model, a list of writes to shared pages. */
export const ACTOR_RACE_VCPU = 12;
export const ACTOR_RACE_TOOLSTACK = 13;
export const ACTOR_RACE_DEVICE = 14;
export const ACTOR_RACE_WRITER = 15;
export const ACTOR_RACE_LISTENER = 17;

export const ACTOR_KIND = 0;
export const ACTOR_DOMID = 4;
export const ACTOR_HEADER = 64;

/** Index of an actor slab. */
export type ActorId = number;

/** Address of an actor's slab in linear memory. */
export const slabOf = (actor: ActorId): number => ACTORS_BASE + actor * ACTOR_SIZE;

export const getField = (core: Core, slab: number, offset: number): number => core.u32[(slab + offset) >> 2]!;
export function setField(core: Core, slab: number, offset: number, value: number): void {
  core.u32[(slab + offset) >> 2] = value;
}

/** A slab that belongs to the actor before it. */
export const ACTOR_CONTINUED = 63;

/** Takes `slabs` consecutive free slabs, cleared. @throws HvError ENOSPC */
export function allocActor(core: Core, kind: number, domid: number, slabs = 1): ActorId {
  let free = 0;
  for (let actor = 0; actor < MAX_ACTORS; actor++) {
    free = getField(core, slabOf(actor), ACTOR_KIND) === ACTOR_FREE ? free + 1 : 0;
    if (free < slabs) continue;
    const first = actor - slabs + 1;
    core.u8.fill(0, slabOf(first), slabOf(first + slabs));
    for (let i = 0; i < slabs; i++) {
      setField(core, slabOf(first + i), ACTOR_KIND, i === 0 ? kind : ACTOR_CONTINUED);
      setField(core, slabOf(first + i), ACTOR_DOMID, domid);
    }
    setField(core, slabOf(0), ACTOR_MARK, Math.max(getField(core, slabOf(0), ACTOR_MARK), actor + 1));
    return first;
  }
  throw new HvError("ENOSPC", "allocActor", {
    hint: `a machine has ${MAX_ACTORS} actor slabs: destroy a domain first`,
  });
}

/** Frees all slabs of the actors that serve `domid`. */
export function freeActorsOf(core: Core, domid: number): void {
  for (let actor = 1; actor < MAX_ACTORS; actor++) {
    const slab = slabOf(actor);
    if (getField(core, slab, ACTOR_KIND) !== ACTOR_FREE && getField(core, slab, ACTOR_DOMID) === domid)
      core.u8.fill(0, slab, slab + ACTOR_SIZE);
  }
}

/** Actors of a kind, whatever domain they serve. */
export function actorsOfKind(core: Core, kind: number): ActorId[] {
  const found: ActorId[] = [];
  for (let actor = 0; actor < MAX_ACTORS; actor++)
    if (getField(core, slabOf(actor), ACTOR_KIND) === kind) found.push(actor);
  return found;
}

/** Actors of a kind that serve `domid`, in slab order. */
export function actorsOf(core: Core, domid: number, kind: number): ActorId[] {
  return actorsOfKind(core, kind).filter((actor) => getField(core, slabOf(actor), ACTOR_DOMID) === domid);
}
