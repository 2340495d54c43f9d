/**
 * A film: the steps of a schedule as frames, each with the state beside it. It can be shot further: choose an actor and it takes its next
 * step; cut it back to any frame and go another way. Frames are plain data, so going to one is looking it up; the machine itself is put
 * back from a copy and a few steps when the film goes on after a cut.
 *
 * Before: frame.ts, state-table.ts. After: script.ts (a film from and to a schedule file), the page's view of a race.
 */
import { UsageError } from "../errors.ts";
import type { RaceInstance } from "../explore/instance.ts";
import type { Violation } from "../explore/race.ts";
import { ruleOf } from "../explore/report/story.ts";
import { createTeller, type StoryStep, type WindowSites } from "../explore/report/taken-step.ts";
import type { SavedWorld } from "../explore/world.ts";
import { type Frame, lanesOf, verdictOf } from "./frame.ts";
import { stateTable } from "./state-table.ts";

/** Frames between two copies of the machine: cutting costs at most so many steps. */
const SNAPSHOT_EVERY = 8;
/** A film that goes round a livelock must end some time. */
export const LONGEST_FILM = 2000;

export interface Film {
  readonly instance: RaceInstance;
  /** The first one is the state before any step. */
  readonly frames: readonly Frame[];
  /** Actors in the order of their steps. */
  readonly choices: readonly number[];
  /** Actor `actor` takes its next step. @throws UsageError when the film is over, or that actor cannot go on. */
  choose(actor: number): Frame;
  /** Forgets every step after frame `frame`. */
  cut(frame: number): Frame;
  /** Puts the machine to the last frame, when somebody else has moved it. */
  rewind(): void;
  /** Says what is wrong at the end although no single step broke it: a livelock. */
  condemn(violation: Violation): void;
}

export function createFilm(instance: RaceInstance, sites: WindowSites = {}): Film {
  const teller = createTeller(instance, sites);
  const choices: number[] = [];
  const copies: (SavedWorld | undefined)[] = [];
  const hashes: string[] = [];
  const frames: Frame[] = [];

  function shoot(step: StoryStep | undefined, broken: Violation | undefined): Frame {
    const hash = instance.hash();
    const sameAs = hashes.indexOf(hash);
    const frame: Frame = {
      number: choices.length,
      step,
      state: stateTable(step?.facts ?? teller.facts(), frames.at(-1)?.state),
      lanes: lanesOf(instance),
      verdict: verdictOf(instance, broken),
      ...(sameAs < 0 ? {} : { sameAs }),
    };
    copies.push(choices.length % SNAPSHOT_EVERY === 0 ? instance.save() : undefined);
    hashes.push(hash);
    frames.push(frame);
    return frame;
  }

  /** The machine as it was after `steps` steps. */
  function goTo(steps: number): void {
    let from = steps;
    while (copies[from] === undefined) from--;
    instance.restore(copies[from]!);
    for (const actor of choices.slice(from, steps)) teller.repeat(actor);
  }

  instance.restore(instance.initial);
  shoot(undefined, undefined);
  return {
    instance,
    frames,
    choices,
    choose(actor) {
      const last = frames.at(-1)!;
      const lane = last.lanes.find((l) => l.actor === actor);
      if (!lane) throw new UsageError(`there is no actor ${actor}: they are 0 to ${last.lanes.length - 1}`);
      if (last.verdict.kind !== "open")
        throw new UsageError("the film is over: cut it back to go on from an earlier frame");
      if (lane.status !== "runnable") throw new UsageError(`${lane.name} cannot go on: it ${lane.text}`);
      if (choices.length >= LONGEST_FILM) throw new UsageError(`a film has at most ${LONGEST_FILM} steps`);
      const { step, violation } = teller.take(actor, choices.length + 1);
      choices.push(actor);
      return shoot(step, violation);
    },
    cut(frame) {
      if (!Number.isInteger(frame) || frame < 0 || frame >= frames.length)
        throw new UsageError(`there is no frame ${frame}: the last one is ${frames.length - 1}`);
      if (frame === frames.length - 1) return frames[frame]!;
      goTo(frame);
      for (const list of [choices, copies, hashes, frames]) list.length = list === choices ? frame : frame + 1;
      return frames[frame]!;
    },
    rewind: () => goTo(choices.length),
    condemn(violation) {
      const last = frames.at(-1)!;
      frames[frames.length - 1] = {
        ...last,
        verdict: { kind: "violation", ...violation, rule: ruleOf(instance, violation.invariant) },
      };
    },
  };
}
