/** The progress line of a search on standard error: schedules, states, states a second, depth, an estimate of what is left. */
import type { Progress } from "../lib/explore/progress.ts";

const count = (n: number): string => n.toLocaleString("en-US");

/** "12,345 states, 678 schedules, 9,012 states/s, depth 34, about 56 % done, 3 s left". */
export function progressText(at: Progress): string {
  const done = at.fraction ?? 0;
  const parts = [
    at.states > 0 ? `${count(at.states)} states` : `${count(at.steps)} steps`,
    `${count(at.schedules)} schedules`,
    at.states > 0
      ? `${count(Math.round(at.states / at.seconds))} states/s`
      : `${count(Math.round(at.schedules / at.seconds))} schedules/s`,
    `depth ${at.depth}`,
  ];
  // The share of the tree says little before some of it is done, and states met again make the end come sooner.
  if (done > 0.01)
    parts.push(`about ${Math.round(done * 100)} % done, about ${Math.ceil(at.seconds / done - at.seconds)} s left`);
  return parts.join(", ");
}

/** A line that is written over on a terminal; lines one after the other with --progress. */
export function progressLine(options: { readonly progress?: boolean; readonly json?: boolean }): {
  onProgress?: (at: Progress) => void;
} {
  if (options.progress) return { onProgress: (at) => void process.stderr.write(`${progressText(at)}\n`) };
  if (!process.stderr.isTTY || options.json) return {};
  return { onProgress: (at) => void process.stderr.write(`\r${progressText(at)}\u001b[K\r`) };
}

/** Progress of a search with several threads. */
export const partLine = (done: number, all: number): void =>
  void process.stderr.write(`${done} of ${all} parts done\n`);
