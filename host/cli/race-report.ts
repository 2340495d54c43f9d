/** Prints what was found, or what a schedule does, in the form that --report names; --out FILE puts it into a file. */
import type { RaceInstance } from "../lib/explore/instance.ts";
import type { Replay } from "../lib/explore/replay.ts";
import { type Story, tellStory } from "../lib/explore/report/story.ts";
import { textTable } from "../lib/explore/report/text.ts";
import { reportByName } from "../lib/explore/report.ts";
import { readWindowSites } from "../node/wasm.ts";

/**
 * What happened, with the places in the source.
 *
 * @param names of the race as it was called, and of the file of the schedule: for the commands in the report.
 * @param cycleFrom of a livelock: from there on it repeats.
 */
export function storyOf(
  instance: RaceInstance,
  variant: string,
  replayed: Replay,
  names: { readonly race: string; readonly schedule: string },
  cycleFrom?: number,
): Story {
  return tellStory(instance, {
    variant,
    schedule: replayed.steps.map((step) => step.actor),
    ...(replayed.violation ? { violation: replayed.violation } : {}),
    ...(replayed.violation && cycleFrom !== undefined ? { cycleFrom } : {}),
    calledAs: names.race,
    replayCommand: `vmexit replay ${names.schedule}`,
    sites: readWindowSites(),
  });
}

/** In the form `form`; a story in which nothing breaks is only its table in text. */
export function reportOf(story: Story, form: string): string {
  const report = reportByName(form);
  return form === "text" && !story.violation ? textTable(story) : report(story);
}
