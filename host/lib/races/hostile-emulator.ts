/** Parts of a hostile device model: it writes the state of its slot as it likes, and notifies when it likes. */
import { EVTCHNOP_SEND, HC_EVENT_CHANNEL_OP } from "../../../hv-core/abi/hypercalls.ts";
import { type IoreqEnd, setSlotState, slotState } from "../explore/device-actor.ts";
import type { HypercallStep } from "../explore/toolstack-actor.ts";
import type { WriteStep } from "../explore/writer-actor.ts";

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
