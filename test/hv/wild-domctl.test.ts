/** Domctls with nonsense in them: dom0 survives its own, and a domain without privilege gets nothing but refusals and changes nothing. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { EACCES, EFAULT, EPERM } from "../../hv-core/abi/errno.ts";
import { DOMCTL_DESTROYDOMAIN } from "../../hv-core/abi/hypercalls.ts";
import { DOMAIN_SIZE, DOMAINS_BASE } from "../../hv-core/abi/layout.ts";
import { makeCaller } from "./caller.ts";
import { type Field, openDoor } from "./door.ts";

const EDGES = [0n, 1n, 2n, 63n, 64n, 1023n, 1024n, 4095n, 4096n, 0x2000n, 0x7ff0n, 0x7fffffffn, 0xffffffffn, 1n << 63n];
const word = fc.oneof(fc.constantFrom(...EDGES), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }));
const command = fc.oneof(fc.integer({ min: 0, max: 92 }), fc.constantFrom(1001, 1002, 1003, 0x7fffffff));
const union = fc.array(word, { minLength: 16, maxLength: 16 });
const fieldsOf = (words: readonly bigint[]): Field[] => words.map((value, i): Field => [i * 8, 8, value]);

it("dom0: every answer is a number, and everything comes back", () => {
  const door = openDoor();
  const spare = door.createDomain();
  door.domctl(DOMCTL_DESTROYDOMAIN, spare);
  const frames = door.freeFrames();
  fc.assert(
    fc.property(fc.array(fc.tuple(command, union, fc.nat({ max: 3 })), { minLength: 1, maxLength: 30 }), (calls) => {
      const ids = [door.createDomain({ vcpus: 2, pages: 64 }), door.createDomain({ pages: 64 })];
      for (const id of ids) door.populate(id, [0, 1, 2, 3]);
      for (const [cmd, words, target] of calls) {
        if (cmd === 1) continue; // createdomain: its domains would have to be found again
        const result = door.domctl(cmd, ids[target] ?? 0x7000 + target, fieldsOf(words));
        expect(result).toBeGreaterThan(-111);
        expect(result).not.toBe(-85);
      }
      for (const id of ids) door.domctl(DOMCTL_DESTROYDOMAIN, id);
      expect(door.freeFrames()).toBe(frames);
    }),
    { seed: 61, numRuns: 150 },
  );
});

it("a domain without privilege: refused, and nobody's record changes", () => {
  const door = openDoor();
  const stranger = makeCaller(door);
  const victim = door.createDomain({ vcpus: 2, pages: 64 });
  const record = (): Uint8Array =>
    new Uint8Array(door.view.buffer.slice(DOMAINS_BASE + 2 * DOMAIN_SIZE, DOMAINS_BASE + 3 * DOMAIN_SIZE));
  const before = record();
  fc.assert(
    fc.property(command, union, fc.constantFrom(victim, stranger.domid, 0, 0x7000, 0x7ff0), (cmd, words, target) => {
      expect([-EPERM, -EFAULT, -EACCES]).toContain(stranger.domctl(cmd, target, fieldsOf(words)));
      expect(record()).toEqual(before);
    }),
    { seed: 62, numRuns: 600 },
  );
});
