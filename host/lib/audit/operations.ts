/** The domctls of the audit (spec 05 section 5.2): what was claimed about each, and how it is called with a size to grow. */
import * as dc from "../../../hv-core/abi/domctl.ts";
import * as hc from "../../../hv-core/abi/hypercalls.ts";
import { type Fill, LIST, LIST_BYTES } from "./machine.ts";

/** C constant, V per vCPU, D per domain, N bounded by a constant, M as M(processors): bounded by the machine. X: stale. */
export type Claim = "C" | "V" | "D+V" | "N" | "M" | "X" | "debug";

export interface Operation {
  readonly op: string;
  readonly number: number;
  readonly claim: Claim;
  /** `n` grows from `smallest` to `largest` where the caller says a size. */
  fill(n: number): Fill;
  readonly smallest?: number;
  readonly largest?: number;
  /** A bound that the claim names. */
  readonly bound?: number;
  /** What undoes the call, so that it can be made again. */
  readonly undo?: number;
}

const empty = (): Fill => () => {};
const word =
  (value: number): (() => Fill) =>
  () =>
  (view, u) =>
    view.setUint32(u, value, true);
const ports = (): Fill => (view, u) => {
  view.setUint32(u, 0x300, true);
  view.setUint32(u + 4, 8, true);
};
/** {handle, nr_bits} at `offset`. */
const bitmap =
  (offset: number, flags: number) =>
  (bits: number): Fill =>
  (view, u) => {
    view.setUint32(u + 4, flags, true);
    view.setUint32(u + offset, LIST, true);
    view.setUint32(u + offset + 8, bits, true);
  };
const LARGEST_BITMAP = LIST_BYTES * 8;
/** Where a caller's size ends, in claims that name a bound. */
const PAGE_INFO_MAX = 1024;
const NODE_WIDTH = 64;

export const OPERATIONS: readonly Operation[] = [
  { op: "pausedomain", number: hc.DOMCTL_PAUSEDOMAIN, claim: "V", fill: empty, undo: hc.DOMCTL_UNPAUSEDOMAIN },
  { op: "unpausedomain", number: hc.DOMCTL_UNPAUSEDOMAIN, claim: "V", fill: empty, undo: hc.DOMCTL_PAUSEDOMAIN },
  { op: "getdomaininfo", number: hc.DOMCTL_GETDOMAININFO, claim: "D+V", fill: empty },
  { op: "getpageframeinfo", number: 7, claim: "X", fill: empty },
  { op: "getpageframeinfo2", number: 8, claim: "X", fill: empty },
  {
    op: "getpageframeinfo3",
    number: dc.DOMCTL_GETPAGEFRAMEINFO3,
    claim: "N",
    fill: (n) => (view, u) => {
      view.setUint32(u, n, true);
      view.setUint32(u + 8, LIST, true);
    },
    smallest: 1,
    largest: PAGE_INFO_MAX,
    bound: PAGE_INFO_MAX,
  },
  { op: "getvcpuinfo", number: hc.DOMCTL_GETVCPUINFO, claim: "C", fill: empty },
  { op: "setdomainhandle", number: hc.DOMCTL_SETDOMAINHANDLE, claim: "C", fill: empty },
  { op: "setdebugging", number: dc.DOMCTL_SETDEBUGGING, claim: "V", fill: empty },
  { op: "hypercall_init", number: hc.DOMCTL_HYPERCALL_INIT, claim: "C", fill: word(1) },
  { op: "arch_setup", number: 23, claim: "X", fill: empty },
  { op: "settimeoffset", number: dc.DOMCTL_SETTIMEOFFSET, claim: "C", fill: word(5) },
  {
    op: "getvcpuaffinity",
    number: dc.DOMCTL_GETVCPUAFFINITY,
    claim: "M",
    fill: bitmap(8, dc.VCPUAFFINITY_HARD),
    smallest: dc.NR_PCPUS,
    largest: LARGEST_BITMAP,
  },
  { op: "real_mode_area", number: 26, claim: "X", fill: empty },
  { op: "resumedomain", number: hc.DOMCTL_RESUMEDOMAIN, claim: "V", fill: empty },
  { op: "sendtrigger", number: dc.DOMCTL_SENDTRIGGER, claim: "C", fill: empty },
  { op: "subscribe", number: dc.DOMCTL_SUBSCRIBE, claim: "C", fill: word(1) },
  { op: "get_address_size", number: dc.DOMCTL_GET_ADDRESS_SIZE, claim: "C", fill: empty },
  { op: "set_opt_feature", number: 44, claim: "X", fill: empty },
  { op: "set_cpuid", number: 49, claim: "X", fill: empty },
  { op: "get_machine_address_size", number: 52, claim: "X", fill: empty },
  { op: "suppress_spurious_page_faults", number: 53, claim: "X", fill: empty },
  { op: "disable_migrate", number: 58, claim: "X", fill: empty },
  { op: "gettscinfo", number: dc.DOMCTL_GETTSCINFO, claim: "V", fill: empty },
  { op: "settscinfo", number: dc.DOMCTL_SETTSCINFO, claim: "V", fill: word(1) },
  { op: "audit_p2m", number: dc.DOMCTL_AUDIT_P2M, claim: "debug", fill: empty },
  {
    op: "getnodeaffinity",
    number: dc.DOMCTL_GETNODEAFFINITY,
    claim: "M",
    fill: (bits) => (view, u) => {
      view.setUint32(u, LIST, true);
      view.setUint32(u + 8, bits, true);
    },
    smallest: NODE_WIDTH,
    largest: LARGEST_BITMAP,
  },
  { op: "set_max_evtchn", number: 70, claim: "X", fill: empty },
  { op: "max_mem", number: hc.DOMCTL_MAX_MEM, claim: "C", fill: word(4096) },
  { op: "irq_permission", number: dc.DOMCTL_IRQ_PERMISSION, claim: "C", fill: word(5) },
  { op: "ioport_permission", number: dc.DOMCTL_IOPORT_PERMISSION, claim: "C", fill: ports },
  { op: "set_virq_handler", number: dc.DOMCTL_SET_VIRQ_HANDLER, claim: "C", fill: word(12) },
];
