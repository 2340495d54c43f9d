/** The whole trace of a run: the ring of the core is read before it wraps. */
import type { Machine } from "../machine.ts";
import type { TraceRecord } from "../trace/decode.ts";
import { createEventStore } from "./event-store.ts";

/** Ticks between two looks: fewer records than the ring holds. */
const CHUNK = 50_000;

export interface WholeTrace {
  readonly records: readonly TraceRecord[];
  /** More records than were asked for: the first ones are here. */
  readonly isCut: boolean;
}

/** What the ring has already, and the run of a machine, for at most so many instructions and records. */
export function traceRun(machine: Machine, maxInstructions: number, maxRecords: number): WholeTrace {
  const store = createEventStore(machine.core, maxRecords, true);
  store.drain(machine.core);
  for (let end = "budget"; end === "budget" && !store.isCut; ) {
    end = machine.advance({ instructions: maxInstructions, maxTicks: CHUNK });
    store.drain(machine.core);
  }
  return { records: Array.from({ length: store.length }, (_, i) => store.get(i)), isCut: store.isCut };
}
