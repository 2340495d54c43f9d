/**
 * One search in several parts, for worker threads or other machines. A part is plain data: the race with its knobs, the strategy, and
 * the first steps. Exhaustive search shares out states: each is taken by the part that meets it first (`claim`), and the graphs of all
 * parts are put together again for livelocks. Partial-order reduction shares out first steps; random and PCT share out seeds.
 */
import { stepFrom } from "./crashed-step.ts";
import type { RaceInstance } from "./instance.ts";
import { findLivelock } from "./livelock.ts";
import type { FoundViolation, SearchResult } from "./search.ts";
import { type Graph, newGraph, pathTo } from "./state-graph.ts";
import type { SavedWorld } from "./world.ts";

export interface WorkUnit {
  readonly scenario: string;
  readonly variant: string;
  readonly knobs: Readonly<Record<string, number>>;
  readonly strategy: string;
  readonly seed: number;
  readonly bound: number;
  /** Actors of the first steps. */
  readonly prefix: readonly number[];
}

/** A graph with the key of each state, and whether this part has taken it. */
export interface PartGraph extends Graph {
  readonly keys: readonly string[];
  readonly own: readonly boolean[];
}

export interface PartResult {
  readonly result: SearchResult;
  readonly graph?: PartGraph;
}

export interface Split {
  readonly prefixes: readonly (readonly number[])[];
  readonly part: PartResult;
}

/** Explores breadth first until there are `parts` states to go on from. */
export function splitStates(instance: RaceInstance, parts: number, claim: (key: string) => boolean): Split {
  const started = performance.now();
  const graph = newGraph();
  const keys: string[] = [];
  const ids = new Map<string, number>();
  let steps = 0;
  let schedules = 0;
  const visit = (parent: number, actor: number): { id: number; isNew: boolean } => {
    const key = instance.hash();
    const known = ids.get(key);
    if (known !== undefined) return { id: known, isNew: false };
    claim(key);
    ids.set(key, keys.length);
    keys.push(key);
    graph.parent.push(parent);
    graph.parentActor.push(actor);
    graph.enabled.push(instance.enabled());
    graph.working.push(instance.working());
    return { id: keys.length - 1, isNew: true };
  };
  const result = (violation?: FoundViolation): Split => ({
    prefixes: violation ? [] : queue.map(({ id }) => pathTo(graph, id)),
    part: {
      result: {
        verdict: violation ? "violation" : "clean",
        exhaustive: !violation,
        states: keys.length,
        steps,
        schedules,
        depth: 0,
        seconds: (performance.now() - started) / 1000,
        ...(violation ? { violation } : {}),
      },
      graph: { ...graph, keys, own: keys.map(() => true) },
    },
  });
  const queue: { id: number; saved: SavedWorld }[] = [];
  instance.restore(instance.initial);
  queue.push({ id: visit(-1, -1).id, saved: instance.save() });
  while (queue.length > 0 && queue.length < parts) {
    const { id, saved } = queue.shift()!;
    for (let left = graph.enabled[id]!; left !== 0; left &= left - 1) {
      const actor = 31 - Math.clz32(left & -left);
      instance.restore(saved);
      const broken = stepFrom(instance, actor, () => pathTo(graph, id));
      steps++;
      if (broken) return result({ ...broken, schedule: [...pathTo(graph, id), actor] });
      const next = visit(id, actor);
      graph.edges.push(id, actor, next.id);
      if (!next.isNew) {
        schedules++;
      } else if (graph.enabled[next.id] === 0) {
        schedules++;
        const ending = instance.checkEnd();
        if (ending) return result({ ...ending, schedule: pathTo(graph, next.id) });
      } else {
        queue.push({ id: next.id, saved: instance.save() });
      }
    }
  }
  return result();
}

/** At least `parts` first steps, if there are so many, that together are all: for partial-order reduction. */
export function splitPrefixes(instance: RaceInstance, parts: number): readonly (readonly number[])[] {
  const open: number[][] = [[]];
  const ended: number[][] = [];
  while (open.length > 0 && open.length + ended.length < parts) {
    const prefix = open.shift()!;
    instance.restore(instance.initial);
    const isOver = prefix.some((actor) => instance.step(actor) !== undefined);
    const enabled = isOver ? 0 : instance.enabled();
    if (enabled === 0) ended.push(prefix);
    for (let left = enabled; left !== 0; left &= left - 1) open.push([...prefix, 31 - Math.clz32(left & -left)]);
  }
  return [...ended, ...open];
}

/** The graphs of all parts as one: a state's way from the first one is that of the part that took it. */
function mergeGraphs(parts: readonly PartGraph[]): Graph {
  const merged = newGraph();
  const ids = new Map<string, number>();
  const idOf = (key: string): number => {
    const known = ids.get(key);
    if (known !== undefined) return known;
    const id = ids.size;
    ids.set(key, id);
    merged.parent.push(-1);
    merged.parentActor.push(-1);
    merged.enabled.push(0);
    merged.working.push(0);
    return id;
  };
  for (const part of parts) {
    const global = part.keys.map(idOf);
    part.keys.forEach((_, state) => {
      const id = global[state]!;
      merged.enabled[id] = part.enabled[state]!;
      merged.working[id] = part.working[state]!;
      if (!part.own[state] || part.parent[state]! < 0) return;
      merged.parent[id] = global[part.parent[state]!]!;
      merged.parentActor[id] = part.parentActor[state]!;
    });
    for (let i = 0; i < part.edges.length; i += 3)
      merged.edges.push(global[part.edges[i]!]!, part.edges[i + 1]!, global[part.edges[i + 2]!]!);
  }
  return merged;
}

/** What all parts come to. @param seconds of the whole. */
export function mergeParts(instance: RaceInstance, parts: readonly PartResult[], seconds: number): SearchResult {
  const results = parts.map((part) => part.result);
  const sum = (of: (result: SearchResult) => number): number => results.reduce((total, r) => total + of(r), 0);
  const found = results.filter((r) => r.verdict === "violation");
  const isSpent = results.some((r) => r.verdict === "budget");
  const base = {
    ...(results.some((r) => r.rounds !== undefined) ? { rounds: sum((r) => r.rounds ?? 0) } : {}),
    states: sum((r) => r.states),
    steps: sum((r) => r.steps),
    schedules: sum((r) => r.schedules),
    depth: Math.max(...results.map((r) => r.depth)),
    seconds,
  };
  const isLivelock = (r: SearchResult): boolean => r.violation?.invariant === "livelock";
  const first = found.find((r) => !isLivelock(r)) ?? (isSpent ? undefined : found[0]);
  if (first?.violation) return { ...base, verdict: "violation", exhaustive: false, violation: first.violation };
  if (isSpent) return { ...base, verdict: "budget", exhaustive: false };
  const graphs = parts.flatMap((part) => part.graph ?? []);
  const livelock = graphs.length > 0 ? findLivelock(mergeGraphs(graphs), instance) : undefined;
  if (livelock) return { ...base, verdict: "violation", exhaustive: true, violation: livelock };
  return { ...base, verdict: "clean", exhaustive: true };
}
