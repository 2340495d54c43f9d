/** Rows of the recorded ioreq scenario that differ here, each with its reason. Whatever differs and is not listed is a bug. */

export interface IoreqDifference {
  /** Name of the test. */
  readonly test: RegExp;
  /** Only rows whose text matches; absent = all rows of the test. */
  readonly row?: RegExp;
  readonly reason: string;
}

const NO_FPU = "the processor has no x87, MMX or SSE yet, and CPUID hides them: #UD";

export const IOREQ_DIFFERENCES: readonly IoreqDifference[] = [
  { test: /^(mmio|type)-(movdqu_[rw]|movss_w|fst_w|fld_r)$/, reason: NO_FPU },
];

/** Parts of a row that depend on how long somebody looked, and not on what happened; left out of the comparison. */
export const TIMING: readonly { readonly test: RegExp; readonly part: RegExp; readonly reason: string }[] = [
  {
    test: /^cross-add8-mmio$/,
    part: /(?<=\t)\d+(?=\tresult)|dev\[f0000ff8\]=[0-9a-f]{8}/g,
    reason: "an instruction that never ends: how many requests it made, and with them what it counted up in the device",
  },
  {
    test: /^fetch-from-typed-page$/,
    part: /(?<=flags=ffff01)[02]2/g,
    reason: "flag `running` of getdomaininfo: whether a processor happened to be in the guest at that moment",
  },
  {
    test: /^rtc-write-/,
    part: /(?<=^\S+\t\d\tbuf\t7\t0\t)\S+|(?<=raw=)[0-9a-f]{8}/g,
    reason: "how far the guest's clock was from the time it set",
  },
];
