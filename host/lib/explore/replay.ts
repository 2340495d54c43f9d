/** Replay: takes the steps of a schedule one by one, checks each place, and says where the two part. */

import type { RaceInstance } from "./instance.ts";
import { lockHolders } from "./locks.ts";
import type { Violation } from "./race.ts";
import type { Schedule, ScheduleStep } from "./schedule.ts";
import type { FoundViolation } from "./search.ts";
import { isWindowName } from "./windows.ts";

export interface ReplayedStep {
  readonly actor: number;
  readonly place: string;
  /** What the actor did, as a sentence without a subject. */
  readonly text: string;
  /** The state after it (RaceSetup.describeState). */
  readonly state: string;
}

export interface Replay {
  readonly steps: readonly ReplayedStep[];
  readonly violation?: Violation;
  /** The first step that could not be taken as written, as a sentence with what could. */
  readonly divergence?: string;
}

/** What runnable actors could do now: "guest0:Exited, toolstack:call0". */
export function runnable(instance: RaceInstance): string {
  const enabled = instance.enabled();
  const places = instance.actors
    .filter((actor) => (enabled >> actor.index) & 1)
    .map((actor) => `${actor.name}:${instance.place(actor.index)}`);
  return places.length === 0 ? "nobody" : places.join(", ");
}

/** Windows begin with a capital letter, operations with a small one. */
function unknownWindow(place: string): string {
  if (!/^[A-Z]/.test(place) || isWindowName(place)) return "";
  return `this core has no window ${place}: `;
}

/** Steps by actor and, where `places` is given, by place. Stops at the first violation, after `until` steps, or where it diverges. */
export function replay(instance: RaceInstance, schedule: Schedule, until = Number.POSITIVE_INFINITY): Replay {
  instance.restore(instance.initial);
  const steps: ReplayedStep[] = [];
  let cycleHash: string | undefined;
  for (let i = 0; i < schedule.steps.length && i < until; i++) {
    if (i === schedule.cycleFrom) cycleHash = instance.hash();
    const wanted = schedule.steps[i]!;
    const actor = instance.actors.find((a) => a.name === wanted.actor);
    const canStep = actor && ((instance.enabled() >> actor.index) & 1) !== 0;
    if (!actor || !canStep || instance.place(actor.index) !== wanted.place)
      return {
        steps,
        divergence:
          unknownWindow(wanted.place) +
          `schedule diverged at step ${i + 1}: wanted ${wanted.actor}:${wanted.place}, runnable ${runnable(instance)}. ` +
          `Find it again with: vmexit race ${schedule.race} --variant ${schedule.variant}`,
      };
    const text = instance.describe(actor.index);
    const violation = instance.step(actor.index);
    steps.push({
      actor: actor.index,
      place: wanted.place,
      text,
      state: [instance.setup.describeState(), ...lockHolders(instance.setup.world, instance.actors)].join(", "),
    });
    if (violation) return { steps, violation };
  }
  if (steps.length < schedule.steps.length) return { steps };
  if (cycleHash !== undefined) {
    if (instance.hash() !== cycleHash)
      return {
        steps,
        divergence: `the last ${steps.length - schedule.cycleFrom!} steps do not lead back to where they began`,
      };
    return { steps, violation: livelock(instance, schedule) };
  }
  const violation = instance.enabled() === 0 ? instance.checkEnd() : undefined;
  return violation ? { steps, violation } : { steps };
}

/** What is wrong when the steps from `cycleFrom` on lead back to where they began. */
export function livelock(instance: RaceInstance, schedule: Pick<Schedule, "steps" | "cycleFrom">): Violation {
  const round = schedule.steps.slice(schedule.cycleFrom);
  const names = [...new Set(round.map((step) => step.actor))].filter((name) =>
    instance.actors.some((actor) => actor.name === name && (instance.working() >> actor.index) & 1),
  );
  return {
    invariant: "livelock",
    message: `${names.join(" and ")} can go round the last ${round.length} step(s) for ever without getting on`,
  };
}

/** Why a replay is refused although every step would be checked. @returns undefined when the cores agree or the schedule names none. */
export function otherCore(schedule: Schedule, core: string): string | undefined {
  if (schedule.core === undefined || schedule.core === core) return undefined;
  return (
    `the schedule was made with core ${schedule.core}, this is core ${core}: its steps may mean something else now. ` +
    `Replay it all the same with --any-core (every step is checked), or find it again with: vmexit race ${schedule.race} --variant ${schedule.variant}`
  );
}

/** What belongs to a schedule beside its steps. */
export type ScheduleHeader = Omit<Schedule, "steps" | "race" | "violation" | "cycleFrom">;

/**
 * Writes a found violation down, with what each step does as a comment. The last step is not taken: it may be the one that crashes
 * the explorer itself.
 */
export function record(
  instance: RaceInstance,
  header: ScheduleHeader,
  found: Pick<FoundViolation, "schedule" | "cycleFrom"> & { readonly invariant?: string },
): Schedule {
  instance.restore(instance.initial);
  const steps: ScheduleStep[] = found.schedule.map((index, i) => {
    const step = {
      actor: instance.actors[index]!.name,
      place: instance.place(index),
      comment: instance.describe(index),
    };
    if (i < found.schedule.length - 1) instance.step(index);
    return step;
  });
  return {
    race: instance.race.name,
    ...header,
    ...(found.invariant === undefined ? {} : { violation: found.invariant }),
    ...(found.cycleFrom === undefined ? {} : { cycleFrom: found.cycleFrom }),
    steps,
  };
}
