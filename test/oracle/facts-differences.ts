/** Rows of probe-facts that differ between the recorded Xen and vmexit in era 4.17, each with its reason. docs/facts-differences.md shows this list. */
import type { Difference } from "./differences.ts";

const fact = (xen: string | RegExp, vmexit: string | RegExp, reason: string): Difference => ({
  guest: "probe-facts",
  xen,
  vmexit,
  reason,
});

export const FACT_DIFFERENCES: readonly Difference[] = [
  fact(/^msr\|00000010\|/, /^msr\|00000010\|[0-9A-F]{16}$/, "TSC: virtual time is counted instructions"),
];
