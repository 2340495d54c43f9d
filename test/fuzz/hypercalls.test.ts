/** Wild hypercalls from structure definitions, a few thousand (hypercalls.long.test.ts: a million). */
import { expect, it } from "vitest";
import { DOMCTL_GETTSCINFO, DOMCTL_SENDTRIGGER } from "../../hv-core/abi/domctl.ts";
import { DOMCTL_GETDOMAININFO, DOMCTL_MAX_MEM, DOMCTL_PAUSEDOMAIN } from "../../hv-core/abi/hypercalls.ts";
import {
  DEFECT_STACK_PADDING,
  DOMCTL_ERA_0A,
  KNOB_DOMCTL_DEFECTS,
  KNOB_DOMCTL_ERA,
  KNOB_XSM,
  XSM_POLICY,
} from "../../hv-core/abi/knobs.ts";
import { fuzzHypercalls, fuzzTwins } from "./hypercalls/fuzz.ts";
import { createWildMachine } from "./hypercalls/machine.ts";
import { STRUCTURES } from "./hypercalls/structures.ts";
import { remember } from "./hypercalls/unchanged.ts";

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

it.each(["stub", "stranger"] as const)("nor to a domain without privilege: %s", (role) => {
  expect(fuzzHypercalls(role, 600, 17, { isTainted: true })).toBeGreaterThan(300);
});

it.each(["stub", "stranger"] as const)("nor anything that was computed from a third domain's state: %s", (role) => {
  expect(fuzzTwins(role, 1000, 18)).toBe(5);
});

/** What the search says that it finds, with options under which there is something to find. */
function found(search: () => unknown): string {
  try {
    search();
  } catch (error) {
    return String((error as Error).cause);
  }
  return "";
}

it("a byte that does is seen: the padding of gettscinfo in 2014", () => {
  const knobs = [ERA, [KNOB_DOMCTL_DEFECTS, DEFECT_STACK_PADDING]] as const;
  const leak = /gettscinfo.*: 4 bytes of uninitialised memory/;
  expect(found(() => fuzzHypercalls("dom0", 4000, 16, { knobs, isTainted: true }))).toMatch(leak);
  const policy = [...knobs, [KNOB_XSM, XSM_POLICY]] as const;
  const options = { knobs: policy, isTainted: true, allowed: [DOMCTL_GETTSCINFO] };
  expect(found(() => fuzzHypercalls("stranger", 40_000, 16, options))).toMatch(leak);
});

it("a value that was computed is seen: getdomaininfo by a policy", () => {
  const seen = found(() => fuzzTwins("stranger", 20_000, 19, [DOMCTL_GETDOMAININFO]));
  expect(seen).toMatch(/getdomaininfo\(domain 1.* left different bytes in frame/);
});

it("a change is seen: records, accounts and memory", () => {
  const { door, ids } = createWildMachine();
  const change = (make: () => unknown): string | undefined => {
    const before = remember(door, [], [1, 2]);
    make();
    return before.difference();
  };
  expect(change(() => door.domctl(DOMCTL_MAX_MEM, ids[0]!, [[0, 8, 1n << 50n]]))).toMatch(/^domain 1 at byte/);
  expect(change(() => door.domctl(DOMCTL_SENDTRIGGER, ids[0]!))).toMatch(/^vCPU/);
  expect(change(() => door.populate(ids[0]!, [60]))).toMatch(/account|memory|domain/);
  expect(change(() => door.domctl(DOMCTL_PAUSEDOMAIN, 0x7000))).toBeUndefined();
});
