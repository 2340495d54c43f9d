/**
 * Schedules outlive the core they were made with: a later one may have a lock or a window where the old one had none. Adapting a schedule
 * adds the steps with which its actors pass such places, and nothing else: every step that it names is still taken, in its order,
 * and the replay checks all of them.
 */
import type { RaceInstance } from "./instance.ts";
import type { Schedule, ScheduleStep } from "./schedule.ts";
import { isWindowName } from "./windows.ts";

/** More new places than this between two steps of a schedule are another hypervisor, not a later one. */
const MOST_IN_A_ROW = 8;

export interface Adapted {
  readonly schedule: Schedule;
  /** Places that were added, as the schedule would write them. */
  readonly added: readonly string[];
}

/** The schedule with the steps that this core needs beside its own. Where it cannot be followed, the rest stays as it is: the replay says why. */
export function adapt(instance: RaceInstance, schedule: Schedule): Adapted {
  instance.restore(instance.initial);
  const steps: ScheduleStep[] = [];
  const added: string[] = [];
  let cycleFrom: number | undefined;

  /** Whether the actor stands at a switch point inside the hypervisor, where it can go on. */
  const isInside = (index: number): boolean =>
    ((instance.enabled() >> index) & 1) !== 0 && isWindowName(instance.place(index));
  const done = (rest: readonly ScheduleStep[] = []): Adapted => ({
    schedule: { ...schedule, steps: [...steps, ...rest], ...(cycleFrom === undefined ? {} : { cycleFrom }) },
    added,
  });
  /** @returns whether the race ended with it. */
  const add = (index: number): boolean => {
    const place = instance.place(index);
    const actor = instance.actors[index]!.name;
    steps.push({ actor, place, comment: instance.describe(index) });
    added.push(`${actor}:${place}`);
    return instance.step(index) !== undefined;
  };

  let last: number | undefined;
  for (const [i, wanted] of schedule.steps.entries()) {
    if (i === schedule.cycleFrom) cycleFrom = steps.length;
    const index = instance.actors.find((actor) => actor.name === wanted.actor)?.index;
    if (index === undefined) return done(schedule.steps.slice(i));
    for (let n = 0; n < MOST_IN_A_ROW && instance.place(index) !== wanted.place && isInside(index); n++)
      if (add(index)) return done();
    if (((instance.enabled() >> index) & 1) === 0 || instance.place(index) !== wanted.place)
      return done(schedule.steps.slice(i));
    steps.push(wanted);
    last = index;
    if (instance.step(index)) return done(schedule.steps.slice(i + 1));
  }
  // The violation may come behind a place that the last step ran through when the schedule was made.
  if (schedule.violation !== undefined && schedule.cycleFrom === undefined && last !== undefined)
    for (let n = 0; n < MOST_IN_A_ROW && isInside(last); n++) if (add(last)) break;
  return done();
}
