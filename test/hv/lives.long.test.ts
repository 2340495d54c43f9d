/** Ten thousand domains are created, run and destroyed: the machine has as many frames afterwards as before. */
import { expect, it } from "vitest";
import { DOMCTL_DESTROYDOMAIN } from "../../hv-core/abi/hypercalls.ts";
import { makeCaller } from "./caller.ts";
import { openDoor } from "./door.ts";

const LIVES = 10_000;
const HC_XEN_VERSION = 17;

it("gives everything back", () => {
  const door = openDoor();
  let frames = 0;
  for (let i = 0; i < LIVES; i++) {
    const guest = makeCaller(door);
    expect(guest.call(HC_XEN_VERSION, 0)).toBeGreaterThan(0);
    expect(door.domctl(DOMCTL_DESTROYDOMAIN, guest.domid)).toBe(0);
    guest.release();
    // The first rounds may leave page tables of dom0 for the mappings.
    if (i === 600) frames = door.freeFrames();
  }
  expect(door.freeFrames()).toBe(frames);
}, 600_000);
