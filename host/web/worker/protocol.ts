/** What the page and its worker say to each other: plain data only, so that it survives the copy between the two. */
import type { EraName, KnobValues } from "../../lib/knobs.ts";
import type { TraceRecord } from "../../lib/trace/decode.ts";

/** A guest that comes with vmexit, or a file that was dropped on the page. */
export type GuestRef =
  | { readonly kind: "bundled"; readonly name: string }
  | { readonly kind: "file"; readonly name: string; readonly bytes: Uint8Array };

/** Everything that decides a run, with what was typed: the same spec gives the same bytes on every computer. */
export interface MachineSpec {
  readonly guest: GuestRef;
  readonly era?: EraName;
  readonly knobs: KnobValues;
  readonly memoryMiB?: number;
  readonly vcpus?: number;
  readonly cmdline?: string;
}

/** What somebody typed on the guest's console, and the virtual time (in ticks) at which it was. */
export interface Typed {
  readonly time: number;
  readonly bytes: Uint8Array;
}

/** Expected failures are values: a file that is no guest, a knob out of range. */
export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

export interface GuestTitle {
  readonly name: string;
  readonly title: string;
}

/** What is known about the last instruction, or about the one that is in the middle of its way: model/path.ts reads it. */
export interface PathEvidence {
  /** Position before it, -1 when the machine has just been built. */
  readonly before: number;
  /** It retired, or the hypervisor carried it out to the end. */
  readonly isComplete: boolean;
  readonly vcpu: string;
  readonly rip: bigint;
  readonly bytes: Uint8Array;
  readonly bitness: 16 | 32 | 64;
  /** Exact counts of what happened meanwhile, by name; only those that moved. */
  readonly counts: Readonly<Record<string, number>>;
  /** Trace records written meanwhile. */
  readonly records: readonly TraceRecord[];
  /** The state of the vCPU's slots now, by server, as the device model sees it. */
  readonly slots: readonly { readonly server: number; readonly state: string }[];
}
