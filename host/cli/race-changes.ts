/** What one step of a schedule changed, word by word: for `vmexit replay FILE --at N`. */
import { memoryName } from "../lib/explore/access-text.ts";
import { createRecorder } from "../lib/explore/footprint.ts";
import type { RaceInstance } from "../lib/explore/instance.ts";
import { replay } from "../lib/explore/replay.ts";
import type { Schedule } from "../lib/explore/schedule.ts";

/** More words than this are not listed. */
const MOST = 24;

const hex = (value: number): string => `0x${value.toString(16)}`;

/**
 * Lines that say which words of shared state step `step` (from 1) changed, and from what to what.
 * @param instance of the instrumented build. Empty when the schedule does not come to that step.
 */
export function changesOf(instance: RaceInstance, schedule: Schedule, step: number): string[] {
  const { tap, actors } = instance;
  const wanted = schedule.steps[step - 1];
  const actor = actors.find((a) => a.name === wanted?.actor);
  if (!tap || !actor || replay(instance, schedule, step - 1).steps.length !== step - 1) return [];
  const { core } = instance.setup.world;
  const recorder = createRecorder(core, tap);
  let changed: readonly number[] = [];
  const before = new Map<number, number>();
  instance.watch = {
    ...instance.watch,
    move(_, work) {
      const { result, footprint, was } = recorder.record(work);
      changed = [...footprint.changed];
      for (const word of changed) before.set(word, was(word));
      return result;
    },
  };
  instance.step(actor.index);
  const lines = changed
    .slice(0, MOST)
    .map((word) => `  ${memoryName(core, word * 4)}: ${hex(before.get(word)!)} -> ${hex(core.u32[word]!)}`);
  const rest = changed.length - lines.length;
  return [
    `Step ${step} (${wanted!.actor}:${wanted!.place}) changed ${changed.length} word(s) of shared state${changed.length > 0 ? ":" : "."}`,
    ...lines,
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ];
}
