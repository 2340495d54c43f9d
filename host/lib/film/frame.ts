/** One picture of a film: the state between two steps, who could go on, and what the step before it was. Plain data. */
import type { RaceInstance } from "../explore/instance.ts";
import type { Violation } from "../explore/race.ts";
import { ruleOf } from "../explore/report/story.ts";
import type { StoryStep } from "../explore/report/taken-step.ts";
import type { StateRow } from "./state-table.ts";

/** An actor at this moment. */
export interface Lane {
  readonly name: string;
  /** Index of the actor in the race: what a choice is. */
  readonly actor: number;
  readonly status: "runnable" | "blocked" | "idle";
  /** Window or operation that comes next, as a schedule writes it. */
  readonly place: string;
  /** Runnable: what it would do next. Blocked or idle: what keeps it. A sentence without a subject. */
  readonly text: string;
  /** In the middle of something: it stands at a lock or window. */
  readonly isSuspended: boolean;
}

export type Verdict =
  | { readonly kind: "open" }
  /** Nobody has anything left to do, and every invariant holds. */
  | { readonly kind: "clean" }
  | ({ readonly kind: "violation"; readonly rule: string | undefined } & Violation);

export interface Frame {
  /** Steps taken so far. */
  readonly number: number;
  /** The step that led here; undefined of the first frame. */
  readonly step: StoryStep | undefined;
  readonly state: readonly StateRow[];
  readonly lanes: readonly Lane[];
  readonly verdict: Verdict;
  /** The number of an earlier frame with the very same state: going round in it, nobody gets on. */
  readonly sameAs?: number;
}

export function lanesOf(instance: RaceInstance): Lane[] {
  return instance.actors.map((actor): Lane => {
    const why = instance.waiting(actor.index);
    const isSuspended = instance.isSuspended(actor.index);
    const isBlocked = why !== undefined && (isSuspended || actor.hasWork());
    return {
      name: actor.name,
      actor: actor.index,
      status: why === undefined ? "runnable" : isBlocked ? "blocked" : "idle",
      place: isSuspended || why === undefined ? instance.place(actor.index) : "",
      text: why ?? instance.describe(actor.index),
      isSuspended,
    };
  });
}

/** What can be said about the state that the instance is in. @param broken what the step that led here broke. */
export function verdictOf(instance: RaceInstance, broken: Violation | undefined): Verdict {
  const violation = broken ?? (instance.enabled() === 0 ? instance.checkEnd() : undefined);
  if (violation) return { kind: "violation", ...violation, rule: ruleOf(instance, violation.invariant) };
  return { kind: instance.enabled() === 0 ? "clean" : "open" };
}
