/** Wild hypercalls from structure definitions, a few thousand (hypercalls.long.test.ts: a million). */
import { expect, it } from "vitest";
import { DEFECT_STACK_PADDING, DOMCTL_ERA_0A, KNOB_DOMCTL_DEFECTS, KNOB_DOMCTL_ERA } from "../../hv-core/abi/knobs.ts";
import { fuzzHypercalls } from "./hypercalls/fuzz.ts";
import { STRUCTURES } from "./hypercalls/structures.ts";

it("there are definitions for every hypercall that takes a structure", () => {
  expect(STRUCTURES.length).toBeGreaterThan(140);
  expect(new Set(STRUCTURES.map((s) => `${s.nr}:${s.command}`)).size).toBe(STRUCTURES.length);
});

it("a control domain", () => {
  expect(fuzzHypercalls("dom0", 3000, 11)).toBe(3000);
});

it("a device model's domain", () => {
  expect(fuzzHypercalls("stub", 2000, 12)).toBeGreaterThan(1000);
});

it("a stranger", () => {
  expect(fuzzHypercalls("stranger", 2000, 13)).toBeGreaterThan(1000);
});

const ERA = [KNOB_DOMCTL_ERA, DOMCTL_ERA_0A] as const;

it("a control domain, interface of 2014", () => {
  expect(fuzzHypercalls("dom0", 1000, 14, { knobs: [ERA] })).toBe(1000);
});

it("no byte of the hypervisor goes out", () => {
  expect(fuzzHypercalls("dom0", 1000, 15, { isTainted: true })).toBe(1000);
});

it("a byte that does is seen: the padding of gettscinfo in 2014", () => {
  const options = { knobs: [ERA, [KNOB_DOMCTL_DEFECTS, DEFECT_STACK_PADDING]] as const, isTainted: true };
  let seen = "";
  try {
    fuzzHypercalls("dom0", 4000, 16, options);
  } catch (error) {
    seen = String((error as Error).cause);
  }
  expect(seen).toMatch(/gettscinfo.*: 4 bytes of uninitialised memory/);
});
