/** What a trace record says, in words. Used by the text and the Chrome writers and by crash dumps. */
import { EXIT_EPT_MISCONFIG, EXIT_EPT_VIOLATION, EXIT_IO_INSTRUCTION } from "../../../hv-core/abi/exits.ts";
import * as calls from "../../../hv-core/abi/hypercalls.ts";
import {
  TRC_CRASH,
  TRC_DOMAIN_CREATED,
  TRC_DOMAIN_DESTROYED,
  TRC_ENTRY,
  TRC_EVTCHN_PENDING,
  TRC_EXIT,
  TRC_GRANT_COPY,
  TRC_GRANT_MAP,
  TRC_GRANT_UNMAP,
  TRC_GRANT_VERSION,
  TRC_HYPERCALL,
  TRC_HYPERCALL_RESULT,
  TRC_INJECT,
  TRC_IOREQ_BUFFERED,
  TRC_IOREQ_INTERNAL,
  TRC_IOREQ_NULL,
  TRC_IOREQ_STATE,
  TRC_P2M_SET,
  TRC_SHARE,
  TRC_SHARE_NOMINATE,
  TRC_SHUTDOWN,
  TRC_UNSHARE,
  TRC_VM_EVENT_REQUEST,
  TRC_VM_EVENT_RESPONSE,
} from "../../../hv-core/abi/trace-events.ts";
import { crashSentence } from "../crash.ts";
import { decodeEpte } from "../epte.ts";
import { errnoName } from "../errors.ts";
import { exitName } from "../exits.ts";
import type { TraceRecord } from "./decode.ts";

const hypercalls = new Map<number, string>();
for (const [name, value] of Object.entries(calls)) {
  if (name.startsWith("HC_")) hypercalls.set(value, name.slice("HC_".length).toLowerCase());
}

export const hypercallName = (nr: number): string => hypercalls.get(nr) ?? `hypercall_${nr}`;

const hex = (n: bigint | number): string => `0x${n.toString(16)}`;
const STATES = ["NONE", "READY", "INPROCESS", "RESP_READY"] as const;
const TYPES: Readonly<Record<number, string>> = { 0: "pio", 1: "mmio", 2: "pci", 7: "timeoffset", 8: "invalidate" };
const MODES = ["?", "paging", "monitor", "sharing"] as const;
const EVENT_REASONS: Readonly<Record<number, string>> = {
  1: "mem_access",
  2: "mem_sharing",
  3: "mem_paging",
  7: "singlestep",
  8: "guest_request",
  10: "cpuid",
};
const VERDICTS = ["done", "retry", "block", "inject", "crash"] as const;

/** "w" or "r", of an exit qualification of an EPT violation. */
function rights(bits: bigint): string {
  return `${bits & 1n ? "r" : "-"}${bits & 2n ? "w" : "-"}${bits & 4n ? "x" : "-"}`;
}

export function describeExit(reason: number, qualification: bigint, detail: bigint): string {
  const name = exitName(reason);
  if (reason === EXIT_EPT_VIOLATION)
    return `${name} gpa ${hex(detail)} access ${rights(qualification)} entry ${rights(qualification >> 3n)}`;
  if (reason === EXIT_EPT_MISCONFIG) return `${name} gpa ${hex(detail)}`;
  if (reason === EXIT_IO_INSTRUCTION) {
    const size = Number(qualification & 7n) + 1;
    return `${name} ${qualification & 8n ? "in" : "out"}${qualification & 16n ? "s" : ""} port ${hex((qualification >> 16n) & 0xffffn)} size ${size}`;
  }
  return `${name} rip ${hex(detail)}${qualification === 0n ? "" : ` qualification ${hex(qualification)}`}`;
}

function request(a: number, b: bigint, c: bigint): string {
  return `${TYPES[a & 255] ?? "?"} ${(a >> 8) & 255 ? "read" : "write"} ${hex(b)} size ${(a >> 16) & 255} data ${hex(c)}`;
}

/** The record without its time, event name and vCPU. */
export function describe(r: TraceRecord): string {
  switch (r.event) {
    case TRC_EXIT:
      return describeExit(r.a, r.b, r.c);
    case TRC_ENTRY:
      return `after ${exitName(r.a)}: ${VERDICTS[Number(r.b)] ?? r.b}`;
    case TRC_P2M_SET: {
      const e = decodeEpte(r.c);
      return `domain ${r.a} gfn ${hex(r.b & 0xffff_ffff_ffffn)} order ${r.b >> 48n} -> mfn ${hex(e.mfn)} ${e.rights} ${e.type}`;
    }
    case TRC_IOREQ_STATE:
      return `server ${r.a & 255} ${STATES[(r.a >> 8) & 255] ?? "?"} ${TYPES[(r.a >> 16) & 255] ?? "?"} ${r.a >>> 24 ? "read" : "write"} ${hex(r.b)} data ${hex(r.c)}`;
    case TRC_IOREQ_NULL:
    case TRC_IOREQ_INTERNAL:
      return request(r.a, r.b, r.c);
    case TRC_IOREQ_BUFFERED:
      return `server ${r.a & 255} ${TYPES[(r.a >> 16) & 255] ?? "?"} ${hex(r.b)} data ${hex(r.c)}`;
    case TRC_HYPERCALL:
      return `${hypercallName(r.a)}(${hex(r.b)}, ${hex(r.c)})`;
    case TRC_HYPERCALL_RESULT: {
      const value = BigInt.asIntN(64, r.b);
      const error = value < 0n ? errnoName(Number(-value)) : undefined;
      return `${hypercallName(r.a)} = ${error ? `-${error}` : value}`;
    }
    case TRC_INJECT:
      return `vector ${r.a} type ${r.b} error ${hex(r.c)}`;
    case TRC_EVTCHN_PENDING:
      return `domain ${r.a} port ${r.b}`;
    case TRC_VM_EVENT_REQUEST:
      return `${MODES[r.a & 255] ?? "?"} ring: ${EVENT_REASONS[(r.a >> 8) & 255] ?? "event"} gfn ${hex(r.b)} flags ${hex(r.c)}`;
    case TRC_VM_EVENT_RESPONSE:
      return `${MODES[r.a & 255] ?? "?"} ring: answer to ${EVENT_REASONS[(r.a >> 8) & 255] ?? "event"} for vcpu ${r.b} flags ${hex(r.c)}${r.a >> 16 ? "" : ", skipped"}`;
    case TRC_SHUTDOWN:
      return `domain ${r.a} reason ${r.b}`;
    case TRC_CRASH:
      return `domain ${r.a}: ${crashSentence(Number(r.b))}`;
    case TRC_DOMAIN_CREATED:
    case TRC_DOMAIN_DESTROYED:
      return `domain ${r.a}`;
    case TRC_SHARE_NOMINATE:
      return `domain ${r.a} gfn ${hex(r.b)} handle ${r.c}`;
    case TRC_SHARE:
      return `domain ${r.a >>> 16} gfn ${hex(r.c)} shows the frame of domain ${r.a & 0xffff} gfn ${hex(r.b)}`;
    case TRC_UNSHARE:
      return `domain ${r.a} gfn ${hex(r.b)}: ${r.c === 1n ? "the last one, keeps the frame" : "gets a copy"}`;
    case TRC_GRANT_MAP:
    case TRC_GRANT_UNMAP:
      return `domain ${r.a >>> 16} gfn ${hex(r.c)}: reference ${r.b} of domain ${r.a & 0xffff}`;
    case TRC_GRANT_COPY:
      return `from domain ${r.a & 0xffff} ${hex(r.b)} to domain ${r.a >>> 16} ${hex(r.c)}`;
    case TRC_GRANT_VERSION:
      return `domain ${r.a} version ${r.b}, ${r.c} frames`;
    default:
      return `a ${hex(r.a)} b ${hex(r.b)} c ${hex(r.c)}`;
  }
}
