/** One step of a race, taken with the trace on and told: what the actor did, what came of it, which facts changed. After: story.ts, film. */
import { TRACE_BASE } from "../../../../hv-core/abi/layout.ts";
import { TRACE_NEXT } from "../../../../hv-core/abi/trace-events.ts";
import { readTrace } from "../../trace/decode.ts";
import type { RaceInstance } from "../instance.ts";
import { lockHolders } from "../locks.ts";
import type { Violation } from "../race.ts";
import { outcomes } from "./outcome.ts";

/** Source places of each window by its name: build/window-sites.json. */
export type WindowSites = Readonly<Record<string, readonly string[]>>;

export interface StoryStep {
  readonly number: number;
  readonly actor: string;
  /** Window or operation, as in a schedule. */
  readonly place: string;
  /** What the actor did, without a subject. */
  readonly text: string;
  /** What came of it, as short sentences. */
  readonly outcome: readonly string[];
  /** Facts that are new after it: "slot READY", "p2m lock: guest0". */
  readonly changes: readonly string[];
  /** All facts after it. */
  readonly facts: readonly string[];
  /** Where the window is in the source; empty for operations and locks. */
  readonly sites: readonly string[];
}

const ALL_CLASSES = 0x7e;
/** A lock is taken in many places; who holds it says more. */
const LOCK = "Lock";

const factsOf = (state: string): string[] => state.split(", ").filter((fact) => fact !== "");

/** What is new, and which locks became free. */
function changesBetween(before: readonly string[], after: readonly string[]): string[] {
  const lockOf = (fact: string): string | undefined => /^(.*) lock: /.exec(fact)?.[1];
  const held = new Set(after.map(lockOf));
  const freed = before.flatMap((fact) => {
    const lock = lockOf(fact);
    return lock !== undefined && !held.has(lock) ? [`${lock} lock free`] : [];
  });
  return [...after.filter((fact) => !before.includes(fact)), ...freed];
}

/** Takes steps of an instance and tells them. Facts are those of the state that the instance is in. */
export interface Teller {
  facts(): string[];
  /** Takes a step of actor `index`, which must be enabled. @param number of the step, from 1. */
  take(index: number, number: number): { readonly step: StoryStep; readonly violation: Violation | undefined };
  /** Takes a step that was told already. With the trace on as then: the trace is state as well. */
  repeat(index: number): Violation | undefined;
}

export function createTeller(instance: RaceInstance, sites: WindowSites = {}): Teller {
  const { setup, actors } = instance;
  const { core, exports } = setup.world;
  const next = (): number => core.view.getUint32(TRACE_BASE + TRACE_NEXT, true);
  const facts = (): string[] => [...factsOf(setup.describeState()), ...lockHolders(setup.world, actors)];
  function repeat(index: number): Violation | undefined {
    exports.exploreTrace(ALL_CLASSES);
    const violation = instance.step(index);
    exports.exploreTrace(0);
    return violation;
  }
  return {
    facts,
    repeat,
    take(index, number) {
      const before = facts();
      const place = instance.place(index);
      const text = instance.describe(index);
      const isWindow = instance.isSuspended(index) && place !== LOCK;
      const from = next();
      const violation = repeat(index);
      const records = readTrace(core, next() - from);
      const after = facts();
      const step = {
        number,
        actor: actors[index]!.name,
        place,
        text,
        outcome: outcomes(records),
        changes: changesBetween(before, after),
        facts: after,
        sites: isWindow ? (sites[place] ?? []) : [],
      };
      return { step, violation };
    },
  };
}
