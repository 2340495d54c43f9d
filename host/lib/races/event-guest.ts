/** What races of vm_event, access and paging start from: a guest with a ring (or several) whose page is dom0's. */
import { HC_MEMORY_OP, HVM_PARAM_PAGING_RING_PFN } from "../../../hv-core/abi/hypercalls.ts";
import { KNOB_MEM_PAGING } from "../../../hv-core/abi/knobs.ts";
import { VCPU_SIZE, VCPUS_BASE } from "../../../hv-core/abi/layout.ts";
import {
  PAGING_EVICT,
  PAGING_NOMINATE,
  RING_REQ_PROD,
  RING_RSP_PROD,
  XENMEM_PAGING_OP,
} from "../../../hv-core/abi/vm-event.ts";
import { allocGfns, mappedAddress } from "../dom0.ts";
import { word } from "../explore/actors.ts";
import { type Instruction, type Program, program } from "../explore/code.ts";
import { CONTENTS_PAGE, type RingEnd } from "../explore/listener-actor.ts";
import { heldLocks, lockName } from "../explore/locks.ts";
import { pageTypeOf } from "../explore/state-text.ts";
import type { HypercallStep } from "../explore/toolstack-actor.ts";
import { createWorld, type World } from "../explore/world.ts";
import { evtchnBindInterdomain } from "../toolstack/evtchn.ts";
import { hvmSetParam } from "../toolstack/hvm.ts";
import { mapForeign } from "../toolstack/memory.ts";
import { decreaseReservation, pagingEvict, pagingNominate, vmEventEnable } from "../toolstack/vm-event.ts";

export const CODE = 0x1000;
/** The page that the race is about, and what stands in it. */
export const DATA = 0x4000;
export const DATA_GFN = DATA / 4096;
export const CONTENTS = 0x600d;
/** Ring pages: this gfn plus the mode. */
const RING_GFN = 8;
const PAGES = 12;

export interface EventGuest {
  readonly world: World;
  readonly programs: readonly Program[];
  describeState(): string;
}

/** A ring that is enabled, its page taken out of the guest's sight. The guest stands still, so nobody can come in between. */
export function openRing(world: World, mode: number): RingEnd {
  const { dom0, domid } = world;
  const gfn = RING_GFN + mode;
  hvmSetParam(dom0, domid, HVM_PARAM_PAGING_RING_PFN + mode - 1, gfn);
  const remote = vmEventEnable(dom0, domid, mode);
  const at = allocGfns(dom0, 1);
  mapForeign(dom0, domid, gfn, at, 1);
  decreaseReservation(dom0, domid, gfn);
  return { page: mappedAddress(dom0, at), port: evtchnBindInterdomain(dom0, domid, remote) };
}

/** One program for each vCPU; the first word of DATA holds CONTENTS. */
export function eventGuest(
  module: WebAssembly.Module,
  knobs: readonly (readonly [index: number, value: number])[],
  bodies: readonly (readonly Instruction[])[],
): EventGuest {
  const programs = bodies.map((body, vcpu) => program(CODE + vcpu * 0x1000, body));
  const world = createWorld(module, { pages: PAGES, programs, knobs: [[KNOB_MEM_PAGING, 1], ...knobs] });
  world.core.u32[world.guestAddress(DATA) >> 2] = CONTENTS;
  return {
    world,
    programs,
    describeState() {
      const held = heldLocks(world.core, world.domainAt).map((at) =>
        lockName(world.core, at).replace(/ lock of.*/, ""),
      );
      return `page ${pageTypeOf(world, DATA)}${held.length > 0 ? `, held: ${held.join(", ")}` : ""}`;
    },
  };
}

/** Puts DATA away, or only nominates it, as the end of the set-up of a race; dom0 has its contents for prep. */
export function pageOut(world: World, isEvicted: boolean): void {
  pagingNominate(world.dom0, world.domid, DATA_GFN);
  if (isEvicted) pagingEvict(world.dom0, world.domid, DATA_GFN);
  // Last, because the set-up uses this memory for its calls.
  world.core.u32[(world.dom0.ramAt + CONTENTS_PAGE * 4096) >> 2] = CONTENTS;
}

/** A step of a toolstack: nominate or evict DATA. */
export const pagingStep = (op: number, mayFail: readonly number[] = []): HypercallStep => ({
  text: op === PAGING_NOMINATE ? "nominates the page" : op === PAGING_EVICT ? "evicts the page" : "a paging call",
  mayFail,
  prepare(world, at, gpa) {
    const { view } = world.core;
    view.setUint8(at, op);
    view.setUint16(at + 2, world.domid, true);
    view.setUint32(at + 16, DATA_GFN, true);
    return [HC_MEMORY_OP, XENMEM_PAGING_OP, gpa];
  },
});

/** A general register of a vCPU. */
export const registerOf = (world: World, vcpu: number, index: number): number =>
  word(world, VCPUS_BASE + world.vcpus[vcpu]! * VCPU_SIZE + index * 8);

/** Whether vCPU `vcpu` has retired instruction `index` of its program. */
export const hasRetired = (guest: EventGuest, vcpu: number, index: number): boolean =>
  guest.world.rip(vcpu) >= guest.programs[vcpu]!.retiredAt[index]!;

/** Requests and answers on a ring, for reports. */
export const ringText = (world: World, ring: RingEnd): string =>
  `ring ${word(world, ring.page + RING_REQ_PROD)} asked, ${word(world, ring.page + RING_RSP_PROD)} answered`;
