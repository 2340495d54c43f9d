/** The list of breakpoints and watches in the core's memory (hv-core/abi/watch.ts), and the hits that it reports. */
import type { Core } from "../core.ts";
import { UsageError } from "../errors.ts";
import type { WatchHit, WatchId, WatchSpec } from "./watch.ts";

/** Whether the watches stop the machine. */
export function setWatching(_core: Core, _isOn: boolean): void {}

/** After going back: what was reported has not happened yet. */
export function forgetWatchHits(_core: Core): void {}

export function addWatch(_core: Core, _spec: WatchSpec, _options: { readonly isAlone?: boolean } = {}): WatchId {
  throw new UsageError("watches are not there yet");
}
export function removeWatch(_core: Core, _id: WatchId): void {}
export function listWatches(_core: Core): readonly (WatchSpec & { readonly id: WatchId })[] {
  return [];
}
/** What is at its breakpoint now has been told: going on does not tell it again. */
export function passCurrent(_core: Core): void {}
/** The hits since the last call. */
export function takeHits(_core: Core): WatchHit[] {
  return [];
}
