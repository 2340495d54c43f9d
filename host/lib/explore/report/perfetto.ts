/**
 * A story as Chrome JSON for Perfetto: one track for each actor, X slices only, one step is one microsecond; the facts are one more track,
 * where a slice says how long something was so.
 */
import type { Story } from "./story.ts";

interface TraceEvent {
  readonly ph: "X" | "M";
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly args?: Readonly<Record<string, string | number>>;
}

const ACTORS = 1;
const FACTS = 2;

/** Steps after which each fact holds, as runs. */
function factSlices(story: Story): TraceEvent[] {
  const all = [story.factsAtFirst, ...story.steps.map((step) => step.facts)];
  const events: TraceEvent[] = [];
  const since = new Map<string, number>();
  /** The track of a fact: "slot", "page", "p2m lock". */
  const tracks: string[] = [];
  const trackOf = (fact: string): number => {
    const key = /^(.* lock): /.exec(fact)?.[1] ?? fact.split(" ")[0]!;
    if (!tracks.includes(key)) tracks.push(key);
    return tracks.indexOf(key) + 1;
  };
  all.forEach((facts, i) => {
    for (const [fact, start] of since)
      if (!facts.includes(fact)) {
        events.push({ ph: "X", name: fact, pid: FACTS, tid: trackOf(fact), ts: start, dur: i - start });
        since.delete(fact);
      }
    for (const fact of facts) if (!since.has(fact)) since.set(fact, i);
  });
  for (const [fact, start] of since)
    events.push({ ph: "X", name: fact, pid: FACTS, tid: trackOf(fact), ts: start, dur: all.length - start });
  const names = tracks.map(
    (name, i): TraceEvent => ({ ph: "M", name: "thread_name", pid: FACTS, tid: i + 1, args: { name } }),
  );
  return [...names, ...events];
}

export function perfettoReport(story: Story): string {
  const tid = (actor: string): number => story.cast.findIndex(({ name }) => name === actor) + 1;
  const process = (pid: number, name: string): TraceEvent => ({
    ph: "M",
    name: "process_name",
    pid,
    tid: 0,
    args: { name },
  });
  const events: TraceEvent[] = [
    process(ACTORS, `${story.race} ${story.variant} (1 us = 1 step)`),
    process(FACTS, "state"),
    ...story.cast.map(
      ({ name }, i): TraceEvent => ({
        ph: "M",
        name: "thread_name",
        pid: ACTORS,
        tid: i + 1,
        args: { name },
      }),
    ),
    ...story.steps.map(
      (step): TraceEvent => ({
        ph: "X",
        name: step.text,
        pid: ACTORS,
        tid: tid(step.actor),
        ts: step.number,
        dur: 1,
        args: {
          step: step.number,
          place: step.place,
          ...(step.outcome.length > 0 ? { outcome: step.outcome.join("; ") } : {}),
          ...(step.changes.length > 0 ? { changed: step.changes.join(", ") } : {}),
          ...(step.sites.length > 0 ? { source: step.sites.join(", ") } : {}),
        },
      }),
    ),
    ...factSlices(story),
  ];
  if (story.violation) {
    const track = story.cast.length + 1;
    const { invariant, message } = story.violation;
    events.push({ ph: "M", name: "thread_name", pid: ACTORS, tid: track, args: { name: "broken invariant" } });
    events.push({ ph: "X", name: `${invariant}: ${message}`, pid: ACTORS, tid: track, ts: story.steps.length, dur: 1 });
  }
  return `${JSON.stringify({ displayTimeUnit: "ns", traceEvents: events }, null, 1)}\n`;
}
