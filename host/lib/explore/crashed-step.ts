/** Steps that fail because of a bug of the explorer or of a race: the way there is kept. */
import type { RaceInstance } from "./instance.ts";
import type { Violation } from "./race.ts";

/** An error of the explorer itself in a step, with the way there. */
export class CrashedStep extends Error {
  override readonly name = "CrashedStep";
  readonly schedule: readonly number[];
  constructor(schedule: readonly number[], cause: unknown) {
    super(`step ${schedule.length} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.schedule = schedule;
  }
}

/** A step of `actor` after `before`. @throws CrashedStep when it is a bug of the explorer or of the race. */
export function stepFrom(
  instance: RaceInstance,
  actor: number,
  before: () => readonly number[],
): Violation | undefined {
  try {
    return instance.step(actor);
  } catch (error) {
    throw new CrashedStep([...before(), actor], error);
  }
}
