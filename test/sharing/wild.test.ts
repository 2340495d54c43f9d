/** XENMEM_sharing_op with nonsense in it: dom0 survives its own, the books stay right, and a stranger gets refusals. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { EPERM, ERESTART, ESRCH } from "../../hv-core/abi/errno.ts";
import { DOMCTL_DESTROYDOMAIN, HC_MEMORY_OP, XENMEM_SHARING_OP } from "../../hv-core/abi/hypercalls.ts";
import { AS_FIXED, KNOB_SHARING_THIRD } from "../../hv-core/abi/knobs.ts";
import { makeCaller, mapGuestPage } from "../hv/caller.ts";
import { type Field, openDoor } from "../hv/door.ts";
import { openSharing } from "./support.ts";

const EDGES = [0n, 1n, 2n, 3n, 7n, 0x1ffn, 1n << 36n, 1n << 40n, 1n << 62n, (1n << 62n) | 1n, (1n << 64n) - 1n];
const gfn = fc.oneof({ weight: 3, arbitrary: fc.bigInt({ min: 0n, max: 8n }) }, fc.constantFrom(...EDGES));
const handle = fc.oneof(fc.bigInt({ min: 0n, max: 40n }), fc.constantFrom(...EDGES));
const op = fc.oneof({ weight: 8, arbitrary: fc.nat({ max: 10 }) }, fc.nat({ max: 255 }));
const call = fc.record({
  op,
  target: fc.nat({ max: 4 }),
  client: fc.nat({ max: 4 }),
  gfn,
  handle,
  gfn2: gfn,
  handle2: handle,
});

it("dom0: every answer is a number, the books stay right, and everything comes back", () => {
  const door = openDoor(4096, [[KNOB_SHARING_THIRD, AS_FIXED]]);
  const s = openSharing(door);
  door.domctl(DOMCTL_DESTROYDOMAIN, door.createDomain());
  const frames = door.freeFrames();
  fc.assert(
    fc.property(fc.array(call, { minLength: 1, maxLength: 60 }), (calls) => {
      const ids = [1, 1, 2].map((vcpus) => door.createDomain({ vcpus, pages: 64 }));
      for (const id of ids) {
        s.control(id, true);
        door.populate(id, [0, 1, 2, 3, 4, 5]);
      }
      const names = [...ids, 0, 0x7000];
      for (const c of calls) {
        // A fork's flags and pad overlap a gfn: its parent is named where others have one.
        const parent: readonly Field[] = c.op === 9 ? [[0, 8, names[c.client]!]] : [[0, 8, c.gfn]];
        const rc = s.op(c.op, names[c.target]!, [
          ...parent,
          [8, 8, c.op === 8 ? c.gfn2 : c.handle],
          [16, 8, c.op === 8 ? 0n : c.gfn2],
          ...(c.op === 8
            ? [[24, 2, names[c.client]!] as const]
            : [[24, 8, c.handle2] as const, [32, 2, names[c.client]!] as const]),
        ]);
        expect(rc).toBeGreaterThan(-111);
        expect(rc).not.toBe(-ERESTART);
      }
      expect(s.audit()).toBe(0);
      for (const id of ids) expect(door.core.p2mInvariants(id)).toBe(0);
      for (const id of ids) door.domctl(DOMCTL_DESTROYDOMAIN, id);
      expect([s.freed() >= 0, s.used(), door.freeFrames()]).toEqual([true, 0, frames]);
    }),
    { seed: 63, numRuns: 120 },
  );
});

it("a domain without privilege: refused, and nothing is shared", () => {
  const door = openDoor();
  const s = openSharing(door);
  const stranger = makeCaller(door);
  const victim = door.createDomain({ pages: 64 });
  door.populate(victim, [0, 1, 2, 3]);
  const at = mapGuestPage(door, stranger.domid, 2);
  fc.assert(
    fc.property(call, fc.constantFrom(victim, stranger.domid, 0, 0x7000), (c, target) => {
      fc.pre(c.op !== 7); // the audit asks for no domain
      door.view.setUint8(at, c.op);
      door.view.setUint16(at + 2, target, true);
      door.view.setBigUint64(at + 8, c.gfn, true);
      expect([-EPERM, -ESRCH]).toContain(stranger.call(HC_MEMORY_OP, XENMEM_SHARING_OP, 0x2000));
    }),
    { seed: 64, numRuns: 60 },
  );
  expect([s.used(), s.shared(victim)]).toEqual([0, 0]);
});
