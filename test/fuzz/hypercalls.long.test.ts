/** A million wild hypercalls: 600,000 of a control domain, a tenth of them under the taint build; 200,000 each of the others. */
import { it } from "vitest";
import { DOMCTL_ERA_0A, KNOB_DOMCTL_ERA } from "../../hv-core/abi/knobs.ts";
import { fuzzHypercalls } from "./hypercalls/fuzz.ts";

const count = Number(process.env.VMEXIT_HYPERCALL_COUNT ?? 1_000_000);
const seed = Number(process.env.VMEXIT_FUZZ_SEED ?? 1);
const HOUR = 3_600_000;

it("a control domain", () => void fuzzHypercalls("dom0", count * 0.44, seed), HOUR);
it(
  "a control domain, interface of 2014",
  () => fuzzHypercalls("dom0", count * 0.1, seed + 1, { knobs: [[KNOB_DOMCTL_ERA, DOMCTL_ERA_0A]] }),
  HOUR,
);
it("a device model's domain", () => void fuzzHypercalls("stub", count * 0.2, seed + 2), HOUR);
it("a stranger", () => void fuzzHypercalls("stranger", count * 0.2, seed + 3), HOUR);
it(
  "no byte of the hypervisor goes out",
  () => fuzzHypercalls("dom0", count * 0.06, seed + 4, { isTainted: true }),
  HOUR,
);
