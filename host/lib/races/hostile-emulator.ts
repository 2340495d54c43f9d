/** Hostile device models: they write the state of their slot as they like, and notify when they like. */
import { EVTCHNOP_SEND, HC_EVENT_CHANNEL_OP } from "../../../hv-core/abi/hypercalls.ts";
import { store32 } from "../explore/code.ts";
import { type IoreqEnd, setSlotState, slotState } from "../explore/device-actor.ts";
import type { RaceSetup } from "../explore/race.ts";
import { type HypercallStep, toolstackActor } from "../explore/toolstack-actor.ts";
import { vcpuActor } from "../explore/vcpu-actor.ts";
import { type WriteStep, writerActor } from "../explore/writer-actor.ts";
import { MMIO, mmioGuest } from "./mmio-guest.ts";
import type { Settings } from "./watched-guest.ts";

const SLOT_NAMES = ["NONE", "READY", "INPROCESS", "RESP_READY"];

/** Sets the state of vCPU 0's slot, once a request has come. */
export const writeState = (end: IoreqEnd, state: number): WriteStep => ({
  text: `writes ${SLOT_NAMES[state] ?? `the impossible state ${state}`} into the slot`,
  when: (world) => slotState(world, end, 0) !== 0,
  run: (world) => setSlotState(world, end.slotsAt, state),
});

export const notifyStep = (end: IoreqEnd): HypercallStep => ({
  text: "notifies the hypervisor",
  prepare(world, at, gpa) {
    world.core.view.setUint32(at, end.ports[0]!, true);
    return [HC_EVENT_CHANNEL_OP, EVTCHNOP_SEND, gpa];
  },
});

/**
 * A guest that waits for the answer to one write, somebody who notifies the hypervisor once, and a hostile device model.
 * @param actor name of the device model; its program of slot states is written in order, for ever if it loops.
 */
export function hostileSetup(
  module: WebAssembly.Module,
  knobs: Settings,
  hostile: { readonly actor: string; readonly states: readonly number[]; readonly loops: boolean },
): RaceSetup {
  const guest = mmioGuest(module, knobs, [store32(MMIO, 1)]);
  const { world, end, programs } = guest;
  return {
    ...guest,
    hasHostileSlots: true,
    mayCrash: true,
    mayWaitForEver: true,
    actors: [
      vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
      toolstackActor(world, { name: "notifier", index: 1, program: [notifyStep(end)] }),
      writerActor(world, {
        name: hostile.actor,
        index: 2,
        loops: hostile.loops,
        program: hostile.states.map((state) => writeState(end, state)),
      }),
    ],
    invariants: [],
  };
}
