/** Many domains at once: each is found by its id, all come in the order of their ids, and what goes is found no more. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { EEXIST, ESRCH } from "../../hv-core/abi/errno.ts";
import {
  DOMCTL_CREATEDOMAIN,
  DOMCTL_DESTROYDOMAIN,
  DOMCTL_GETDOMAININFO,
  DOMCTL_MAX_MEM,
} from "../../hv-core/abi/hypercalls.ts";
import { ARG, creation, type Door, openDoor } from "./door.ts";

const create = (door: Door, domid: number): number => door.domctl(DOMCTL_CREATEDOMAIN, domid, creation({}));

/** Ids of all domains, as a toolstack would list them: ask for the next one until there is none. */
function listDomains(door: Door): number[] {
  const ids: number[] = [];
  for (let next = 0; door.domctl(DOMCTL_GETDOMAININFO, next) === 0; next = ids.at(-1)! + 1) ids.push(door.u16(ARG + 8));
  return ids;
}

it("domains come and go in any order", () => {
  const door = openDoor();
  const known = new Set([0]);
  const id = fc.oneof(fc.constantFrom(1, 2, 257, 258, 513, 0x7fef), fc.integer({ min: 1, max: 0x7fef }));
  fc.assert(
    fc.property(id, fc.boolean(), (domid, isCreated) => {
      const wasThere = known.has(domid);
      if (isCreated) {
        expect(create(door, domid)).toBe(wasThere ? -EEXIST : 0);
        known.add(domid);
      } else {
        expect(door.domctl(DOMCTL_DESTROYDOMAIN, domid)).toBe(wasThere ? 0 : -ESRCH);
        known.delete(domid);
      }
      expect(door.domctl(DOMCTL_MAX_MEM, domid)).toBe(known.has(domid) ? 0 : -ESRCH);
      expect(listDomains(door)).toEqual([...known].sort((a, b) => a - b));
    }),
    { seed: 5, numRuns: 400 },
  );
});

it("two thousand at once, and the frames come back", () => {
  const door = openDoor(8192);
  const frames = door.freeFrames();
  const ids = Array.from({ length: 2000 }, () => {
    expect(create(door, 0)).toBe(0);
    return door.u16(ARG + 8);
  });
  expect(new Set(ids).size).toBe(2000);
  expect(listDomains(door)).toEqual([0, ...ids]);
  for (const id of ids) expect(door.domctl(DOMCTL_DESTROYDOMAIN, id)).toBe(0);
  expect(listDomains(door)).toEqual([0]);
  expect(door.freeFrames()).toBe(frames);
});
