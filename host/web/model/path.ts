/**
 * The path of a store (README, "The path of a store"): which of its ten steps an instruction really took. Everything here is read off the
 * evidence: exact counters, trace records, the state of the slot. What left no evidence is not lit.
 */
import { EXIT_EPT_MISCONFIG, EXIT_EPT_VIOLATION, EXIT_IO_INSTRUCTION } from "../../../hv-core/abi/exits.ts";
import { STATE_IOREQ_NONE, STATE_IOREQ_READY } from "../../../hv-core/abi/ioreq.ts";
import {
  TRC_EVTCHN_PENDING,
  TRC_EXIT,
  TRC_HYPERCALL,
  TRC_IOREQ_BUFFERED,
  TRC_IOREQ_INTERNAL,
  TRC_IOREQ_NULL,
  TRC_IOREQ_STATE,
} from "../../../hv-core/abi/trace-events.ts";
import { exitName } from "../../lib/exits.ts";
import type { TraceRecord } from "../../lib/trace/decode.ts";
import { describe } from "../../lib/trace/describe.ts";
import type { PathEvidence } from "../worker/protocol.ts";

export const PATH_STEPS = [
  "execute",
  "tlb",
  "guestWalk",
  "eptWalk",
  "dispatch",
  "violation",
  "emulate",
  "select",
  "device",
  "completion",
] as const;
export type PathStepName = (typeof PATH_STEPS)[number];

export interface PathStep {
  readonly number: number;
  readonly name: PathStepName;
  /** taken: it happened. waiting: it is this step's turn. skipped: this instruction did not need it. ahead: not yet. */
  readonly state: "taken" | "waiting" | "skipped" | "ahead";
  /** What shows it: a count or a trace record, in words. */
  readonly evidence: readonly string[];
}

export interface PathView {
  readonly steps: readonly PathStep[];
  /** Number of the last step taken, 0 when there is none. */
  readonly reached: number;
  readonly isComplete: boolean;
}

const stateOf = (r: TraceRecord): number => (r.a >> 8) & 255;
const plural = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

/** Evidence of each step. An empty list: nothing shows that it was taken. */
function evidenceOf(e: PathEvidence): Record<PathStepName, string[]> {
  const count = (name: string): number => e.counts[name] ?? 0;
  const of = (...events: number[]): TraceRecord[] => e.records.filter((r) => events.includes(r.event));
  const exits = of(TRC_EXIT);
  const ept = exits.filter((r) => r.a === EXIT_EPT_VIOLATION || r.a === EXIT_EPT_MISCONFIG);
  const states = of(TRC_IOREQ_STATE);
  const sent = states.filter((r) => stateOf(r) === STATE_IOREQ_READY);
  const answered = states.filter((r) => stateOf(r) === STATE_IOREQ_NONE);
  const selected = [...sent, ...of(TRC_IOREQ_BUFFERED, TRC_IOREQ_NULL, TRC_IOREQ_INTERNAL)];
  const isAnswerReady = e.slots.some((s) => s.state === "RESP_READY");
  const misses = count("tlbMisses");
  const told = of(TRC_EVTCHN_PENDING);
  const calls = of(TRC_HYPERCALL).filter((r) => r.vcpu < 0);
  const io = exits.filter((r) => r.a === EXIT_IO_INSTRUCTION);
  return {
    execute: e.before < 0 ? [] : [`rip 0x${e.rip.toString(16)}`],
    tlb: e.before < 0 ? [] : [misses === 0 ? "no miss: the TLB served every access" : plural(misses, "miss", "misses")],
    guestWalk:
      count("guestWalks") === 0
        ? []
        : [`${plural(count("guestWalks"), "walk")}, ${plural(count("guestWalkSteps"), "entry", "entries")} read`],
    eptWalk: [
      ...(count("eptWalks") === 0
        ? []
        : [`${plural(count("eptWalks"), "walk")}, ${plural(count("eptWalkSteps"), "entry", "entries")} read`]),
      ...ept.map(describe),
    ],
    dispatch: exits.map((r) => `exit reason ${r.a}: ${exitName(r.a)}`),
    violation: [
      ...ept.map((r) => (r.a === EXIT_EPT_VIOLATION ? `qualification 0x${r.b.toString(16)}` : "misconfiguration")),
      ...(count("p2mResolvedEntries") ? [`${plural(count("p2mResolvedEntries"), "entry", "entries")} repaired`] : []),
    ],
    emulate: [
      ...(count("replays") === 0
        ? []
        : [plural(count("replays"), "replay of the instruction", "replays of the instruction")]),
      ...io.map(describe),
    ],
    select: selected.map(describe),
    device:
      answered.length > 0 || isAnswerReady
        ? [
            ...(told.length ? [`${plural(told.length, "event")} to dom0 and back`] : []),
            ...(calls.length ? [plural(calls.length, "hypercall of dom0", "hypercalls of dom0")] : []),
            answered.length > 0 ? "RESP_READY" : "RESP_READY: the guest has not looked yet",
          ]
        : [],
    completion: answered.map(describe),
  };
}

/** Steps that an instruction takes whose request waits for the device model: none of these is over before the answer is. */
const AFTER_SEND: readonly PathStepName[] = ["device", "completion"];

export function pathOf(e: PathEvidence): PathView {
  const evidence = evidenceOf(e);
  const isSent = e.records.some((r) => r.event === TRC_IOREQ_STATE && stateOf(r) === STATE_IOREQ_READY);
  const waiting = !e.isComplete && isSent ? AFTER_SEND.find((name) => evidence[name].length === 0) : undefined;
  const taken = PATH_STEPS.map((name) => evidence[name].length > 0);
  const reached = taken.lastIndexOf(true) + 1;
  const steps = PATH_STEPS.map((name, i): PathStep => {
    const isAhead = (e.before < 0 || !e.isComplete) && i + 1 > reached;
    const state = taken[i] ? "taken" : name === waiting ? "waiting" : isAhead ? "ahead" : "skipped";
    return { number: i + 1, name, state, evidence: evidence[name] };
  });
  return { steps, reached, isComplete: e.isComplete };
}
