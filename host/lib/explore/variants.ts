/** Variant knobs: historic bugs and designs that lost, by name. They exist in builds with variants only (hv-core/base/variant.ts). */
import * as knobs from "../../../hv-core/abi/knobs.ts";
import { UsageError } from "../errors.ts";

export interface VariantKnob {
  readonly index: number;
  readonly values: readonly string[];
  readonly text: string;
}

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
    values: ["xen", "fixed"],
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
  "send.pending": {
    index: knobs.KNOB_SEND_PENDING,
    values: ["xen", "fixed"],
    text: "a request is marked pending after the device model was told, or before",
  },
  "domctl.lock": {
    index: knobs.KNOB_DOMCTL_LOCK,
    values: ["all", "part"],
    text: "the domctl lock is around every operation, or not around those on I/O resources",
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
    ],
    text: "where a check, a count or a flush of I/O resources comes too early, or not at all",
  },
  "send.lock": {
    index: knobs.KNOB_SEND_LOCK,
    values: ["none", "ioreq"],
    text: "a write to a page of the type takes the server lock under the p2m lock",
  },
};

/** [index, value] for the core. @throws UsageError */
export function variantSettings(values: Readonly<Record<string, number>>): [index: number, value: number][] {
  return Object.entries(values).map(([name, value]) => {
    const knob = Object.hasOwn(VARIANT_KNOBS, name) ? VARIANT_KNOBS[name] : undefined;
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
  const knob = Object.hasOwn(VARIANT_KNOBS, name) ? VARIANT_KNOBS[name] : undefined;
  if (at <= 0 || !knob)
    throw new UsageError(`"${text}": write name=value with one of ${Object.keys(VARIANT_KNOBS).join(", ")}`);
  const value = knob.values.indexOf(text.slice(at + 1));
  if (value < 0) throw new UsageError(`variant knob ${name}: use one of ${knob.values.join(", ")}`);
  return [name, value];
}

export const formatVariantKnob = (name: string, value: number): string =>
  `${name}=${VARIANT_KNOBS[name]?.values[value] ?? value}`;
