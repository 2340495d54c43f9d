/**
 * Named groups of knobs: the designs of map_mem_type_to_ioreq_server that were proposed and merged (spec 03 sections 3.6 and 3.7).
 * `--knob unmap=NAME` on the command line stands for all of them.
 */
import { NO_SERVER_NULL, NO_SERVER_RETRY, RESET_RECALC, RESET_SWEEP } from "../../hv-core/abi/knobs.ts";
import { UsageError } from "./errors.ts";
import type { KnobValues } from "./knobs.ts";

export const UNMAP_PRESETS: Readonly<Record<string, KnobValues>> = {
  /** As posted in September 2016: the domain is paused, entries are marked, nobody answers in between. */
  "2016-v6": {
    "unmap.pause": 1,
    "unmap.holdP2mLock": 0,
    "unmap.onNoServer": NO_SERVER_NULL,
    "unmap.reset": RESET_RECALC,
    "rmw.readFromRam": 0,
    "map.left": 1,
  },
  /** Before the p2m lock was held until the request is sent: the type may change in between. */
  "early-release": {
    "unmap.pause": 0,
    "unmap.holdP2mLock": 1,
    "unmap.onNoServer": NO_SERVER_NULL,
    "unmap.reset": RESET_SWEEP,
    "rmw.readFromRam": 0,
    "map.left": 0,
  },
  /** As in Xen since April 2017. */
  merged: {
    "unmap.pause": 0,
    "unmap.holdP2mLock": 0,
    "unmap.onNoServer": NO_SERVER_RETRY,
    "unmap.reset": RESET_SWEEP,
    "rmw.readFromRam": 0,
    "map.left": 0,
  },
};

/** The knobs that "unmap=NAME" stands for, undefined for any other text. @throws UsageError for a name that is none. */
export function presetKnobs(text: string): KnobValues | undefined {
  const name = /^unmap=(.*)$/.exec(text)?.[1];
  if (name === undefined) return undefined;
  if (Object.hasOwn(UNMAP_PRESETS, name)) return UNMAP_PRESETS[name];
  throw new UsageError(`unmap=${name}: use one of ${Object.keys(UNMAP_PRESETS).join(", ")}`);
}
