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
  /** The union in version 0x0a, where it differs. */
  fill0a?(n: number): Fill;
  readonly smallest?: number;
  readonly largest?: number;
  /** n is how many such calls were made before: what they left is what grows. */
  readonly repeats?: boolean;
  /** A bound that the claim names. */
  readonly bound?: number;
  /** What undoes the call, so that it can be made again. */
  readonly undo?: number;
}

const empty = (): Fill => () => {};
const word =
  (value: number, offset = 0): (() => Fill) =>
  () =>
  (view, u) =>
    view.setUint32(u + offset, value, true);
const ports = (): Fill => (view, u) => {
  view.setUint32(u, 0x300, true);
  view.setUint32(u + 4, 8, true);
};
/** {number, list} */
const list =
  (n: number): Fill =>
  (view, u) => {
    view.setUint32(u, n, true);
    view.setUint32(u + 8, LIST, true);
  };
/** {handle, nr_bits} at `offset`. */
const bitmap =
  (offset: number, flags = 0) =>
  (bits: number): Fill =>
  (view, u) => {
    if (flags !== 0) view.setUint32(u + 4, flags, true);
    view.setUint32(u + offset, LIST, true);
    view.setUint32(u + offset + 8, bits, true);
  };
/** A new leaf each time: the table is searched to its end. */
const leaf =
  (n: number): Fill =>
  (view, u) => {
    view.setUint32(u, n, true);
    view.setUint32(u + 4, dc.CPUID_NO_SUBLEAF, true);
  };
const LARGEST_BITMAP = LIST_BYTES * 8;
/** Where a caller's size ends, in claims that name a bound. */
const PAGE_INFO_MAX = 1024;
const NODE_WIDTH = 64;
const PAGES = { smallest: 1, largest: PAGE_INFO_MAX, bound: PAGE_INFO_MAX } as const;

export const OPERATIONS: readonly Operation[] = [
  { op: "pausedomain", number: hc.DOMCTL_PAUSEDOMAIN, claim: "V", fill: empty, undo: hc.DOMCTL_UNPAUSEDOMAIN },
  { op: "unpausedomain", number: hc.DOMCTL_UNPAUSEDOMAIN, claim: "V", fill: empty, undo: hc.DOMCTL_PAUSEDOMAIN },
  { op: "getdomaininfo", number: hc.DOMCTL_GETDOMAININFO, claim: "D+V", fill: empty },
  { op: "getpageframeinfo", number: dc.DOMCTL_GETPAGEFRAMEINFO, claim: "C", fill: word(3) },
  { op: "getpageframeinfo2", number: dc.DOMCTL_GETPAGEFRAMEINFO2, claim: "N", fill: list, ...PAGES },
  { op: "getpageframeinfo3", number: dc.DOMCTL_GETPAGEFRAMEINFO3, claim: "N", fill: list, ...PAGES },
  { op: "getvcpuinfo", number: hc.DOMCTL_GETVCPUINFO, claim: "C", fill: empty },
  { op: "setdomainhandle", number: hc.DOMCTL_SETDOMAINHANDLE, claim: "C", fill: empty },
  { op: "setdebugging", number: dc.DOMCTL_SETDEBUGGING, claim: "V", fill: empty },
  { op: "hypercall_init", number: hc.DOMCTL_HYPERCALL_INIT, claim: "C", fill: word(1) },
  { op: "arch_setup", number: dc.DOMCTL_ARCH_SETUP, claim: "X", fill: empty },
  { op: "settimeoffset", number: dc.DOMCTL_SETTIMEOFFSET, claim: "C", fill: word(5) },
  {
    op: "getvcpuaffinity",
    number: dc.DOMCTL_GETVCPUAFFINITY,
    claim: "M",
    fill: bitmap(8, dc.VCPUAFFINITY_HARD),
    fill0a: bitmap(8),
    smallest: dc.NR_PCPUS,
    largest: LARGEST_BITMAP,
  },
  { op: "real_mode_area", number: dc.DOMCTL_REAL_MODE_AREA, claim: "X", fill: empty },
  { op: "resumedomain", number: hc.DOMCTL_RESUMEDOMAIN, claim: "V", fill: empty },
  { op: "sendtrigger", number: dc.DOMCTL_SENDTRIGGER, claim: "C", fill: empty },
  { op: "subscribe", number: dc.DOMCTL_SUBSCRIBE, claim: "C", fill: word(1) },
  { op: "get_address_size", number: dc.DOMCTL_GET_ADDRESS_SIZE, claim: "C", fill: empty },
  { op: "set_opt_feature", number: dc.DOMCTL_SET_OPT_FEATURE, claim: "X", fill: empty },
  {
    op: "set_cpuid",
    number: dc.DOMCTL_SET_CPUID,
    claim: "N",
    fill: leaf,
    smallest: 0,
    largest: dc.SET_CPUID_ENTRIES - 1,
    bound: dc.SET_CPUID_ENTRIES,
    repeats: true,
  },
  { op: "get_machine_address_size", number: dc.DOMCTL_GET_MACHINE_ADDRESS_SIZE, claim: "C", fill: empty },
  { op: "suppress_spurious_page_faults", number: dc.DOMCTL_SUPPRESS_SPURIOUS_PAGE_FAULTS, claim: "C", fill: empty },
  { op: "disable_migrate", number: dc.DOMCTL_DISABLE_MIGRATE, claim: "C", fill: empty },
  { op: "gettscinfo", number: dc.DOMCTL_GETTSCINFO, claim: "V", fill: empty, fill0a: word(LIST) },
  { op: "settscinfo", number: dc.DOMCTL_SETTSCINFO, claim: "V", fill: word(1), fill0a: word(1, 8) },
  { op: "audit_p2m", number: dc.DOMCTL_AUDIT_P2M, claim: "debug", fill: empty },
  {
    op: "getnodeaffinity",
    number: dc.DOMCTL_GETNODEAFFINITY,
    claim: "M",
    fill: bitmap(0),
    smallest: NODE_WIDTH,
    largest: LARGEST_BITMAP,
  },
  { op: "set_max_evtchn", number: dc.DOMCTL_SET_MAX_EVTCHN, claim: "C", fill: word(1023) },
  { op: "max_mem", number: hc.DOMCTL_MAX_MEM, claim: "C", fill: word(4096) },
  { op: "irq_permission", number: dc.DOMCTL_IRQ_PERMISSION, claim: "C", fill: word(5) },
  { op: "ioport_permission", number: dc.DOMCTL_IOPORT_PERMISSION, claim: "C", fill: ports },
  { op: "set_virq_handler", number: dc.DOMCTL_SET_VIRQ_HANDLER, claim: "C", fill: word(12) },
];
