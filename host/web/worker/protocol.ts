/** What the page and its worker say to each other: plain data only, so that it survives the copy between the two. */
import type { EraName, KnobValues } from "../../lib/knobs.ts";

/** A guest that comes with vmexit, or a file that was dropped on the page. */
export type GuestRef =
  | { readonly kind: "bundled"; readonly name: string }
  | { readonly kind: "file"; readonly name: string; readonly bytes: Uint8Array };

/** Everything that decides a run: the same spec gives the same bytes on every computer. */
export interface MachineSpec {
  readonly guest: GuestRef;
  readonly era?: EraName;
  readonly knobs: KnobValues;
  readonly memoryMiB?: number;
  readonly vcpus?: number;
  readonly cmdline?: string;
}

/** Expected failures are values: a file that is no guest, a knob out of range. */
export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

export interface GuestTitle {
  readonly name: string;
  readonly title: string;
}
