/** Films and schedule files: shoot what a file says, and write down what was shot, in the explorer's own format. */
import { UsageError } from "../errors.ts";
import type { RaceInstance } from "../explore/instance.ts";
import { livelock, record, runnable } from "../explore/replay.ts";
import { type Story, tellStory } from "../explore/report/story.ts";
import type { WindowSites } from "../explore/report/taken-step.ts";
import type { Schedule } from "../explore/schedule.ts";
import { isWindowName } from "../explore/windows.ts";
import { createFilm, type Film } from "./film.ts";

/** Shoots the steps of a schedule, each checked by its place. @throws UsageError that names the first step that cannot be taken, and who could run. */
export function filmOf(instance: RaceInstance, schedule: Schedule, sites?: WindowSites): Film {
  const film = createFilm(instance, sites);
  for (const [i, wanted] of schedule.steps.entries()) {
    const last = film.frames.at(-1)!;
    if (last.verdict.kind !== "open")
      throw new UsageError(
        `the schedule goes on after step ${i}, where ${overBecause(film)}: its last ${schedule.steps.length - i} step(s) are too many`,
      );
    const lane = last.lanes.find((l) => l.name === wanted.actor);
    if (lane?.status !== "runnable" || lane.place !== wanted.place) {
      const isUnknown = /^[A-Z]/.test(wanted.place) && !isWindowName(wanted.place);
      throw new UsageError(
        `${isUnknown ? `this core has no window ${wanted.place}: ` : ""}step ${i + 1} of the schedule cannot be taken: wanted ` +
          `${wanted.actor}:${wanted.place}, runnable ${runnable(instance)}`,
      );
    }
    film.choose(lane.actor);
  }
  const { cycleFrom } = schedule;
  if (cycleFrom !== undefined && film.frames.at(-1)!.sameAs === cycleFrom) film.condemn(livelock(instance, schedule));
  return film;
}

function overBecause(film: Film): string {
  const { verdict } = film.frames.at(-1)!;
  return verdict.kind === "violation" ? `${verdict.invariant} breaks` : "nobody has anything left to do";
}

/** Where the round of a livelock begins; undefined of any other film. */
function cycleOf(film: Film): { readonly cycleFrom: number } | undefined {
  const { verdict, sameAs } = film.frames.at(-1)!;
  return verdict.kind === "violation" && verdict.invariant === "livelock" && sameAs !== undefined
    ? { cycleFrom: sameAs }
    : undefined;
}

/** What was shot, as a schedule that `vmexit replay` reads. @param core hash of the build; absent: for any. */
export function scheduleOf(film: Film, variant: string, core?: string): Schedule {
  const { verdict } = film.frames.at(-1)!;
  const schedule = record(
    film.instance,
    { variant, knobs: {}, ...(core === undefined ? {} : { core }) },
    {
      schedule: film.choices,
      ...(verdict.kind === "violation" ? { invariant: verdict.invariant } : {}),
      ...cycleOf(film),
    },
  );
  film.rewind();
  return schedule;
}

/** The film as a story, for the reports: text, Markdown, SVG, Perfetto. */
export function storyOfFilm(film: Film, variant: string, replayCommand: string, sites?: WindowSites): Story {
  const { verdict } = film.frames.at(-1)!;
  const story = tellStory(film.instance, {
    variant,
    schedule: [...film.choices],
    ...(verdict.kind === "violation" ? { violation: { invariant: verdict.invariant, message: verdict.message } } : {}),
    ...cycleOf(film),
    replayCommand,
    ...(sites ? { sites } : {}),
  });
  film.rewind();
  return story;
}
