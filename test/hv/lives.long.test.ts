/** Ten thousand domains, PVH and HVM, are created, run with FIFO event channels and destroyed: the machine has as many frames afterwards as before. */
import { expect, it } from "vitest";
import {
  DOMCTL_DESTROYDOMAIN,
  EVTCHNOP_EXPAND_ARRAY,
  EVTCHNOP_INIT_CONTROL,
  HC_EVENT_CHANNEL_OP,
} from "../../hv-core/abi/hypercalls.ts";
import { CALLER_DATA, makeCaller } from "./caller.ts";
import { openDoor } from "./door.ts";

const LIVES = 10_000;
const PVH = 1;
const HVM = 0x3ff;
const HC_XEN_VERSION = 17;

it("gives everything back", () => {
  const door = openDoor();
  let frames = 0;
  for (let i = 0; i < LIVES; i++) {
    const guest = makeCaller(door, 0, i % 2 === 0 ? PVH : HVM);
    expect(guest.call(HC_XEN_VERSION, 0)).toBeGreaterThan(0);
    // Its argument page is zero: the control block and the words of the first ports are in its page 0.
    for (const op of [EVTCHNOP_INIT_CONTROL, EVTCHNOP_EXPAND_ARRAY])
      expect(guest.call(HC_EVENT_CHANNEL_OP, op, CALLER_DATA)).toBe(0);
    expect(door.domctl(DOMCTL_DESTROYDOMAIN, guest.domid)).toBe(0);
    guest.release();
    // The first rounds may leave page tables of dom0 for the mappings.
    if (i === 600) frames = door.freeFrames();
  }
  expect(door.freeFrames()).toBe(frames);
}, 600_000);
