/** A million wild hypercalls: 600,000 of a control domain, 200,000 each of the others; of each some under the taint build, or in twins. */
import { it } from "vitest";
import { DOMCTL_ERA_0A, KNOB_DOMCTL_ERA } from "../../hv-core/abi/knobs.ts";
import { fuzzHypercalls, fuzzTwins } from "./hypercalls/fuzz.ts";

const count = Number(process.env.VMEXIT_HYPERCALL_COUNT ?? 1_000_000);
const seed = Number(process.env.VMEXIT_FUZZ_SEED ?? 1);
const HOUR = 3_600_000;

it("a control domain", () => void fuzzHypercalls("dom0", count * 0.44, seed), HOUR);
it(
  "a control domain, interface of 2014",
  () => fuzzHypercalls("dom0", count * 0.1, seed + 1, { knobs: [[KNOB_DOMCTL_ERA, DOMCTL_ERA_0A]] }),
  HOUR,
);
for (const [i, role] of (["stub", "stranger"] as const).entries()) {
  it(`${role}`, () => void fuzzHypercalls(role, count * 0.16, seed + 2 + i), HOUR);
  it(`${role}: no byte`, () => void fuzzHypercalls(role, count * 0.02, seed + 5 + i, { isTainted: true }), HOUR);
  it(`${role}: nothing computed`, () => void fuzzTwins(role, count * 0.02, seed + 7 + i), HOUR);
}
it(
  "no byte of the hypervisor goes out",
  () => fuzzHypercalls("dom0", count * 0.06, seed + 4, { isTainted: true }),
  HOUR,
);
