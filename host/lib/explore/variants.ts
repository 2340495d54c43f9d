/**
 * Knobs of races: historic bugs and designs that lost, by name. They exist in builds with variants only (hv-core/base/variant.ts). The
 * knobs of ordinary runs (host/lib/knobs.ts) whose values have names can be set in a race as well.
 */
import * as knobs from "../../../hv-core/abi/knobs.ts";
import { UsageError } from "../errors.ts";
import { KNOBS } from "../knobs.ts";
import { nearest, suggestion } from "../nearest.ts";

export interface VariantKnob {
  readonly index: number;
  readonly values: readonly string[];
  readonly text: string;
}

/** The values of a knob of `bits` flags. */
const bitMask = (bits: number): string[] => Array.from({ length: 2 ** bits }, (_, value) => String(value));
/** Names of single bits of domctl.defects; sums are written as numbers. */
const DEFECTS: Readonly<Record<number, string>> = {
  0: "none",
  [knobs.DEFECT_SELF_PAUSE]: "self-pause",
  [knobs.DEFECT_PAUSE_FLAG]: "pause-flag",
  [knobs.DEFECT_VNUMA_FREE]: "vnuma-free",
};

export const VARIANT_KNOBS: Readonly<Record<string, VariantKnob>> = {
  "unmap.p2mLock": {
    index: knobs.KNOB_UNMAP_LOCK,
    values: ["held", "early"],
    text: "the p2m lock is held until the request is sent, or dropped after the type was read",
  },
  "unmap.onNoServer": {
    index: knobs.KNOB_NO_SERVER,
    values: ["retry", "null", "copy"],
    text: "the page type has no server: run the instruction again, drop the write, or write to RAM",
  },
  "unmap.pause": {
    index: knobs.KNOB_UNMAP_PAUSE,
    values: ["off", "on"],
    text: "unmapping pauses the domain and resets its pages meanwhile",
  },
  "ioreq.wait": {
    index: knobs.KNOB_WAIT,
    values: ["forward", "no-retest", "reread", "check-then-jump"],
    text: "how a vCPU waits for the answer in its slot",
  },
  "destroy.pending": {
    index: knobs.KNOB_DESTROY_PENDING,
    values: ["xen", "fixed", "woken"],
    text: "a server is destroyed while a request is pending",
  },
  "destroy.type": {
    index: knobs.KNOB_DESTROY_TYPE,
    values: ["xen", "fixed"],
    text: "pages of the type when its server is destroyed",
  },
  "setType.check": {
    index: knobs.KNOB_SET_TYPE_CHECK,
    values: ["xen", "fixed", "page"],
    text: "set_mem_type asks for the type's server once before the loop, or for each page under the lock",
  },
  "ioreq.resume": {
    index: knobs.KNOB_RESUME,
    values: ["request", "type"],
    text: "the answer to a write is in: it ends the request, or the page type decides again",
  },
  "type.fetch": {
    index: knobs.KNOB_TYPE_FETCH,
    values: ["xen", "fixed"],
    text: "whether code may run from a page of type ioreq_server",
  },
  "replay.answers": {
    index: knobs.KNOB_REPLAY,
    values: ["used", "by-rights"],
    text: "a replayed access that has an answer takes it, or goes to memory where the EPT allows it by now",
  },
  "paging.foreign": {
    index: knobs.KNOB_PAGING_FOREIGN,
    values: ["xen", "fixed"],
    text: "the answer to a paging request by another domain's vCPU",
  },
  "vmEvent.disable": {
    index: knobs.KNOB_EVENT_DISABLE,
    values: ["xen", "fixed", "unpaused"],
    text: "disabling a ring while somebody holds a slot of it, or while the domain runs",
  },
  "vmEvent.unsent": {
    index: knobs.KNOB_EVENT_UNSENT,
    values: ["crash", "go-on"],
    text: "an event whose listener went before it was sent",
  },
  "vmEvent.slots": {
    index: knobs.KNOB_EVENT_SLOTS,
    values: ["all", "1", "2", "3", "4", "5", "6", "7", "8"],
    text: "slots of a ring that are used",
  },
  "paging.pages": {
    index: knobs.KNOB_PAGING_HISTORIC,
    values: ["locked", "early-prep", "unlocked", "touch-ignored"],
    text: "how pages are evicted and brought back",
  },
  "vmEvent.response": {
    index: knobs.KNOB_EVENT_RESPONSE,
    values: ["latched", "at-once", "unchecked"],
    text: "what a response does to a vCPU",
  },
  "vmEvent.full": {
    index: knobs.KNOB_EVENT_FULL,
    values: ["xen", "needs-all", "lost", "wake-all"],
    text: "what happens when a ring is full",
  },
  "locks.order": {
    index: knobs.KNOB_LOCK_ORDER,
    values: ["checked", "unchecked"],
    text: "taking a lock against the order is a violation, or only what comes of it",
  },
  "domctl.defects": {
    index: knobs.KNOB_DOMCTL_DEFECTS,
    values: Array.from({ length: 32 }, (_, bits) => DEFECTS[bits] ?? String(bits)),
    text: "bugs of other years in domctls, one bit each",
  },
  "domctl.lock": {
    index: knobs.KNOB_DOMCTL_LOCK,
    values: ["all", "xsa492"],
    text: "the domctl lock: around every operation, or not around those of a device model's domain",
  },
  "domctl.virqHandler": {
    index: knobs.KNOB_VIRQ_HANDLER,
    values: ["xen", "fixed"],
    text: "who may become the handler of a global VIRQ: any domain, or only one that lives and takes it from nobody",
  },
  "send.pending": {
    index: knobs.KNOB_SEND_PENDING,
    values: ["xen", "fixed"],
    text: "a request is marked pending after the device model was told, or before",
  },
  "sharing.defects": {
    index: knobs.KNOB_SHARING_DEFECTS,
    values: bitMask(7),
    text: "defects of memory sharing's history, a bit mask (vmexit knobs)",
  },
  "sharing.addCount": {
    index: knobs.KNOB_SHARING_ADD_COUNT,
    values: ["xen", "fixed"],
    text: "a failed add_to_physmap counts a page as saved",
  },
  "sharing.audit": {
    index: knobs.KNOB_SHARING_AUDIT,
    values: ["xen", "fixed"],
    text: "the audit leaves pages locked that it finds broken",
  },
  "sharing.forkOrder": {
    index: knobs.KNOB_SHARING_FORK_ORDER,
    values: ["xen", "fixed"],
    text: "which of the p2m locks of a fork and its parent sharing takes first",
  },
  "sharing.thirdDomain": {
    index: knobs.KNOB_SHARING_THIRD,
    values: ["xen", "fixed"],
    text: "the lock of a third domain is taken under page locks, or before them",
  },
  "iomem.account": {
    index: knobs.KNOB_IO_ACCOUNT,
    values: ["none", "headers", "slab", "radix", "ranges"],
    text: "the I/O Resource Accountant, and how it counts mapped frames",
  },
  "iomem.revoke": {
    index: knobs.KNOB_IO_REVOKE,
    values: ["refuse", "lazy", "forced"],
    text: "a right to frames that are mapped is withdrawn",
  },
  "grant.race": {
    index: knobs.KNOB_GRANT_RACE,
    values: [
      "none",
      "status-unlocked",
      "status-dropped",
      "status-ref",
      "blind-free",
      "stale-status",
      "early-report",
      "put-first",
      "entry-frame",
      "no-reference",
      "unchecked-ref",
      "early-remove",
    ],
    text: "a step of grant tables' history that comes too early, or not at all",
  },
  "io.race": {
    index: knobs.KNOB_IO_RACE,
    values: [
      "none",
      "check-then-map",
      "double-grant",
      "early-count",
      "port-list",
      "no-iotlb",
      "line-release",
      "guest-type",
      "lost-count",
      "teardown",
    ],
    text: "where a check, a count or a flush of I/O resources comes too early, or not at all",
  },
  "send.lock": {
    index: knobs.KNOB_SEND_LOCK,
    values: ["none", "ioreq", "events"],
    text: "a write to a page of the type takes the server lock, or the event channels lock, under the p2m lock",
  },
  "unmap.reset": {
    index: knobs.KNOB_UNMAP_RESET,
    values: ["sweep", "recalc", "direct", "none", "compare"],
    text: "what becomes of the pages of a type that loses its server",
  },
  "emulate.pieces": {
    index: knobs.KNOB_PIECES,
    values: ["each", "by-first"],
    text: "the later pieces of a split access look at the page type for themselves, or go where the first one went",
  },
  "send.suspended": {
    index: knobs.KNOB_SUSPENDED,
    values: ["by-send", "by-domain"],
    text: "who says that a request did not go out because of a shutdown: the sender, or the domain's flag a moment later",
  },
  "mapcache.invalidate": {
    index: knobs.KNOB_INVALIDATE,
    values: ["all", "first", "domain-flag"],
    text: "which answers to INVALIDATE are waited for, and whose flag asks for it",
  },
  "copy.typed": {
    index: knobs.KNOB_COPY_TYPED,
    values: ["refused", "write"],
    text: "the hypervisor's own copy to a page of type ioreq_server",
  },
  "bufioreq.canonicalise": {
    index: knobs.KNOB_CANONICALISE,
    values: ["cmpxchg", "store"],
    text: "how the two pointers of a buffered ring are made small again",
  },
  "inject.gate": {
    index: knobs.KNOB_INJECT,
    values: ["updating", "vector-first"],
    text: "an event to inject is filled in behind a gate, or its vector is written first",
  },
  "vram.mode": {
    index: knobs.KNOB_VRAM_MODE,
    values: ["own", "shared"],
    text: "dirty video memory is tracked for itself, or by switching log-dirty mode on",
  },
  "p2m.leafRead": {
    index: knobs.KNOB_LEAF_READ,
    values: ["once", "twice"],
    text: "how often a lookup without the lock reads an entry that is not present",
  },
  "cpu.xsetbv": {
    index: knobs.KNOB_XSETBV,
    values: ["ud", "works"],
    text: "XSETBV of a guest is #UD, or sets XCR0 (XSAVE and XRSTOR are not executed in either case)",
  },
  "domctl.extState": {
    index: knobs.KNOB_EXT_STATE,
    values: ["maximum", "current"],
    text: "the size that getvcpuextstate tells: the largest there can be, or that of the state used so far",
  },
  "evtchn.fifoExpand": {
    index: knobs.KNOB_FIFO_EXPAND,
    values: ["locked", "unlocked"],
    text: "where expand_array looks whether there is an event array: under the event lock, or before it only",
  },
};

/** A knob of a race by name: one of the above, or one of ordinary runs that has named values. */
export function raceKnob(name: string): VariantKnob | undefined {
  if (Object.hasOwn(VARIANT_KNOBS, name)) return VARIANT_KNOBS[name];
  const knob = KNOBS.find((k) => k.name === name);
  if (!knob?.values) return undefined;
  const values: string[] = [];
  for (const [word, value] of Object.entries(knob.values)) values[value] = word;
  return { index: knob.index, values, text: knob.text };
}

/** All names that raceKnob knows. */
export const raceKnobNames = (): string[] => [
  ...new Set([...Object.keys(VARIANT_KNOBS), ...KNOBS.filter((knob) => knob.values).map((knob) => knob.name)]),
];

/** [index, value] of each for the core. @throws UsageError */
export function variantSettings(values: Readonly<Record<string, number>>): [index: number, value: number][] {
  return Object.entries(values).map(([name, value]) => {
    const knob = raceKnob(name);
    if (!knob)
      throw new UsageError(`unknown variant knob "${name}": use one of ${Object.keys(VARIANT_KNOBS).join(", ")}`);
    if (!(value >= 0 && value < knob.values.length))
      throw new UsageError(`variant knob ${name}: ${value} is not one of ${knob.values.join(", ")}`);
    return [knob.index, value];
  });
}

/** "unmap.pause=on" -> ["unmap.pause", 1]. @throws UsageError */
export function parseVariantKnob(text: string): [name: string, value: number] {
  const at = text.indexOf("=");
  const name = text.slice(0, at);
  const knob = raceKnob(name);
  if (at <= 0 || !knob)
    throw new UsageError(`--knob "${text}": write name=value; ${suggestion(at < 0 ? text : name, raceKnobNames())}`);
  const word = text.slice(at + 1);
  const value = knob.values.indexOf(word);
  if (value < 0) {
    const meant = nearest(word, knob.values);
    const hint = meant === undefined ? "" : `did you mean ${meant}? `;
    throw new UsageError(`variant knob ${name}: "${word}": ${hint}use one of ${knob.values.join(", ")}`);
  }
  return [name, value];
}

export const formatVariantKnob = (name: string, value: number): string =>
  `${name}=${raceKnob(name)?.values[value] ?? value}`;
