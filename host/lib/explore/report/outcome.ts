/** What the trace of one step says, as short sentences for people who do not know the trace. */
import { EXIT_EPT_MISCONFIG, EXIT_EPT_VIOLATION } from "../../../../hv-core/abi/exits.ts";
import { STATE_IOREQ_NONE, STATE_IOREQ_READY } from "../../../../hv-core/abi/ioreq.ts";
import {
  TRC_CRASH,
  TRC_ENTRY,
  TRC_EXIT,
  TRC_HYPERCALL_RESULT,
  TRC_INJECT,
  TRC_IOREQ_BUFFERED,
  TRC_IOREQ_NULL,
  TRC_IOREQ_STATE,
} from "../../../../hv-core/abi/trace-events.ts";
import { crashSentence } from "../../crash.ts";
import { errnoName } from "../../errors.ts";
import { exitName } from "../../exits.ts";
import type { TraceRecord } from "../../trace/decode.ts";

const VERDICT_RETRY = 1n;
const hex = (n: bigint): string => `0x${n.toString(16)}`;

/** "read", "write" or "fetch" of an exit qualification. */
const access = (qualification: bigint): string =>
  qualification & 2n ? "write" : qualification & 4n ? "fetch" : "read";

function exit(r: TraceRecord): string | undefined {
  if (r.a === EXIT_EPT_VIOLATION) return `a fault: the page at ${hex(r.c)} does not allow this ${access(r.b)}`;
  if (r.a === EXIT_EPT_MISCONFIG) return "a fault: the entry of the page was made invalid on purpose";
  return undefined;
}

function request(r: TraceRecord): string | undefined {
  const isRead = r.a >>> 24 !== 0;
  const state = (r.a >> 8) & 255;
  if (state === STATE_IOREQ_READY)
    return isRead
      ? `the device model is asked for ${hex(r.b)}`
      : `the device model is told: write ${r.c} to ${hex(r.b)}`;
  return state === STATE_IOREQ_NONE ? "the answer is there: the request is over" : undefined;
}

function sentence(r: TraceRecord): string | undefined {
  switch (r.event) {
    case TRC_EXIT:
      return exit(r);
    case TRC_ENTRY:
      return r.b === VERDICT_RETRY ? `nothing done: the instruction will run again (${exitName(r.a)})` : undefined;
    case TRC_IOREQ_STATE:
      return request(r);
    case TRC_IOREQ_NULL:
      return (r.a >> 8) & 255
        ? `nobody answers for ${hex(r.b)}: the read yields all ones`
        : `nobody answers for ${hex(r.b)}: THE WRITE OF ${r.c} IS DROPPED, and the guest goes on`;
    case TRC_IOREQ_BUFFERED:
      return "a request is put into the ring; nobody waits for it";
    case TRC_HYPERCALL_RESULT: {
      const value = BigInt.asIntN(64, r.b);
      return `the hypercall is over: ${value < 0n ? `-${errnoName(Number(-value)) ?? -value}` : value}`;
    }
    case TRC_INJECT:
      return `exception ${r.a} enters the guest, error code ${r.c}`;
    case TRC_CRASH:
      return `the hypervisor crashes the domain: ${crashSentence(Number(r.b))}`;
    default:
      return undefined;
  }
}

/** In order, without repetition. */
export const outcomes = (records: readonly TraceRecord[]): string[] => [
  ...new Set(records.map(sentence).filter((text) => text !== undefined)),
];
