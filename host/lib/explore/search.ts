/**
 * Exhaustive search: depth first over the states of a race, each state once (by its hash, continuations included), optionally only
 * schedules with at most so many preemptions. When everything was seen, cycles in which nobody gets on are looked for: livelocks.
 *
 * What a clean result proves: all interleavings of these actors at these windows and locks, sequentially consistent, keep the
 * invariants; with a preemption bound, all those with at most that many preemptions. Two different states with one 64-bit hash would
 * be taken for one: at a million states the chance of any is about one in 37 million.
 */
import { UsageError } from "../errors.ts";
import { stepFrom } from "./crashed-step.ts";
import type { RaceInstance } from "./instance.ts";
import { findLivelock } from "./livelock.ts";
import { atOnce, fractionDone, type Progress, type SlicesOf } from "./progress.ts";
import type { Violation } from "./race.ts";
import { type Graph, newGraph, pathTo } from "./state-graph.ts";
import type { SavedWorld } from "./world.ts";

export type { Graph };

/** A search that is driven from outside: what it yields is how far it is. */
export type Slices = SlicesOf<SearchResult>;

export interface Budget {
  readonly steps: number;
  readonly seconds: number;
}

export interface FoundViolation extends Violation {
  /** Actors in the order of their steps. */
  readonly schedule: readonly number[];
  /** Of a livelock: the step from which on the schedule repeats for ever. */
  readonly cycleFrom?: number;
}

export interface SearchResult {
  readonly verdict: "clean" | "violation" | "budget";
  /** Everything within the strategy's bound was seen. */
  readonly exhaustive: boolean;
  readonly states: number;
  readonly steps: number;
  /** Ends reached: states where nobody can go on, and states met again. */
  readonly schedules: number;
  readonly depth: number;
  readonly seconds: number;
  readonly violation?: FoundViolation;
}

export interface SearchOptions {
  readonly budget: Budget;
  /** At most so many switches away from an actor that could have gone on. Default: any number. */
  readonly preemptions?: number;
  /** Called about twice a second. */
  readonly onProgress?: (progress: Progress) => void;
  /** Forget states: every schedule is run, also where two lead to the same state. For small models, and to check the hashing. */
  readonly tree?: boolean;
  /** Identifies the state the world is in. Default: its hash. */
  readonly keyOf?: () => string;
  /** Look for this invariant only (for shrinking). */
  readonly only?: string;
  /** Leave out the search for livelocks. */
  readonly skipLivelock?: boolean;
  /** Steps that lead to the state to begin with. */
  readonly prefix?: readonly number[];
  /** Asked for each state that this search meets for the first time: false when another one has taken it (search-parts.ts). */
  readonly claim?: (key: string) => boolean;
  /** Asked now and then: give up, as when the budget is spent. */
  readonly isStopped?: () => boolean;
  /** Told the graph at the end, with the key of each state and whether it was taken here. */
  readonly onGraph?: (graph: Graph, keys: readonly string[], isOwn: (state: number) => boolean) => void;
  /** Where to go on. */
  readonly resume?: SearchCheckpoint;
  /** Called about every half a minute, and when the budget is spent. */
  readonly onCheckpoint?: (checkpoint: SearchCheckpoint) => void;
}

/** A search under way, as plain data. */
export interface SearchCheckpoint extends Graph {
  readonly keys: readonly string[];
  /** The path under way: state, actors left to try, last actor, preemptions. */
  readonly stack: readonly (readonly [id: number, left: number, last: number, preemptions: number])[];
  readonly steps: number;
  readonly schedules: number;
  readonly depth: number;
  readonly seconds: number;
}

const CHECKPOINT_SECONDS = 30;

interface Frame {
  readonly id: number;
  /** Absent where there is only one way to go on: nobody comes back. */
  readonly saved?: SavedWorld;
  /** Actors still to try, as bits. */
  left: number;
  readonly enabled: number;
  readonly last: number;
  readonly preemptions: number;
}

const now = (): number => performance.now() / 1000;

/** The whole search at once. */
export const search = (instance: RaceInstance, options: SearchOptions): SearchResult =>
  atOnce(searchSlices(instance, options));

/** The same in slices of at most 64 steps: whoever drives it may do something else in between, or leave it. */
export function* searchSlices(instance: RaceInstance, options: SearchOptions): Slices {
  const { resume } = options;
  const started = now() - (resume?.seconds ?? 0);
  const bound = options.preemptions ?? Number.POSITIVE_INFINITY;
  const isBounded = bound !== Number.POSITIVE_INFINITY;
  const keyOf = options.keyOf ?? instance.hash;
  const prefix = options.prefix ?? [];
  const ids = new Map<string, number>(resume?.keys.map((key, id) => [key, id]));
  const graph: Graph = resume ? structuredClone(graphOf(resume)) : newGraph();
  /** States that another search has taken. */
  const foreign = new Set<number>();
  let steps = resume?.steps ?? 0;
  let schedules = resume?.schedules ?? 0;
  let depth = resume?.depth ?? 0;
  /** A budget is for this run: what was spent before the checkpoint does not count. */
  const lastStep = steps + options.budget.steps;
  const lastSecond = now() + options.budget.seconds;
  let reported = now();
  let written = now();
  const stack: Frame[] = [];
  /** Copies of states that were left for good. */
  const unused: SavedWorld[] = [];
  const wayTo = (state: number): number[] => [...prefix, ...pathTo(graph, state)];

  /** The state that the world is in now; `isNew` tells whether it was met before. */
  function visit(parent: number, actor: number, preemptions: number): { id: number; isNew: boolean } {
    const state = keyOf();
    const key = options.tree ? String(ids.size) : isBounded ? `${state}/${actor}/${preemptions}` : state;
    const known = ids.get(key);
    if (known !== undefined) return { id: known, isNew: false };
    const id = ids.size;
    ids.set(key, id);
    graph.parent.push(parent);
    graph.parentActor.push(actor);
    graph.enabled.push(instance.enabled());
    graph.working.push(instance.working());
    const isOwn = parent < 0 || (options.claim?.(key) ?? true);
    if (!isOwn) foreign.add(id);
    return { id, isNew: isOwn };
  }

  function push(id: number, last: number, preemptions: number): void {
    const enabled = graph.enabled[id]!;
    const isBranch = (enabled & (enabled - 1)) !== 0;
    stack.push({
      id,
      ...(isBranch ? { saved: instance.save(unused.pop()) } : {}),
      left: enabled,
      enabled,
      last,
      preemptions,
    });
    depth = Math.max(depth, prefix.length + stack.length);
  }

  function result(verdict: SearchResult["verdict"], exhaustive: boolean, violation?: FoundViolation): SearchResult {
    options.onGraph?.(graph, [...ids.keys()], (state) => !foreign.has(state));
    const counts = { states: ids.size - foreign.size, steps, schedules, depth, seconds: now() - started };
    return { verdict, exhaustive, ...counts, ...(violation ? { violation } : {}) };
  }

  function writeCheckpoint(): void {
    options.onCheckpoint?.({
      ...graph,
      keys: [...ids.keys()],
      stack: stack.map(({ id, left, last, preemptions }) => [id, left, last, preemptions] as const),
      steps,
      schedules,
      depth,
      seconds: now() - started,
    });
  }

  /** Goes the way to the path under way again. */
  function rebuild(checkpoint: SearchCheckpoint): void {
    for (const [id, left, last, preemptions] of checkpoint.stack) {
      if (stack.length > 0) instance.step(graph.parentActor[id]!);
      if (checkpoint.keys[id] !== (isBounded ? `${keyOf()}/${last}/${preemptions}` : keyOf()))
        throw new UsageError(
          "the checkpoint does not lead to its own states: it belongs to another core or was edited",
        );
      push(id, last, preemptions);
      stack.at(-1)!.left = left;
    }
  }

  instance.restore(instance.initial);
  for (const actor of prefix) instance.step(actor);
  if (resume) rebuild(resume);
  else push(visit(-1, -1, 0).id, -1, 0);
  /** The state on top of the stack that the world is in, -1 when it has gone on from there. */
  let worldAt = stack.at(-1)?.id ?? -1;
  while (stack.length > 0) {
    const top = stack.at(-1)!;
    if (top.left === 0) {
      stack.pop();
      if (top.saved) unused.push(top.saved);
      continue;
    }
    if ((steps & 63) === 0) {
      const time = now();
      const isSpent = steps >= lastStep || time > lastSecond;
      if (options.onCheckpoint && (isSpent || time - written > CHECKPOINT_SECONDS)) {
        written = time;
        writeCheckpoint();
      }
      if (isSpent || options.isStopped?.()) return result("budget", false);
      if (options.onProgress && time - reported > 0.5) {
        reported = time;
        const fraction = fractionDone(stack);
        options.onProgress({ states: ids.size, schedules, steps, depth, seconds: time - started, fraction });
      }
      yield { states: ids.size, schedules, steps, depth, seconds: time - started };
    }
    // The actor that ran last goes first: the way with the fewest switches is seen first.
    const sameBit = top.last >= 0 ? 1 << top.last : 0;
    const bit = (top.left & sameBit) !== 0 ? sameBit : top.left & -top.left;
    top.left &= ~bit;
    const actor = 31 - Math.clz32(bit);
    const preemptions = top.preemptions + (actor !== top.last && (top.enabled & sameBit) !== 0 ? 1 : 0);
    if (preemptions > bound) continue;
    if (worldAt !== top.id) instance.restore(top.saved!);
    worldAt = -1;
    const broken = stepFrom(instance, actor, () => wayTo(top.id));
    steps++;
    const wanted = (v: Violation | undefined): v is Violation =>
      v !== undefined && (options.only === undefined || options.only === v.invariant);
    if (wanted(broken)) return result("violation", false, { ...broken, schedule: [...wayTo(top.id), actor] });
    if (broken) continue; // another one than the one looked for: nothing beyond it counts
    const { id, isNew } = visit(top.id, actor, preemptions);
    graph.edges.push(top.id, actor, id);
    if (!isNew) {
      schedules++;
    } else if (graph.enabled[id] === 0) {
      schedules++;
      const ending = instance.checkEnd();
      if (wanted(ending)) return result("violation", false, { ...ending, schedule: wayTo(id) });
    } else {
      push(id, actor, preemptions);
      worldAt = id;
    }
  }
  const isPart = options.claim !== undefined; // livelocks are looked for in the whole
  const livelock =
    options.skipLivelock || options.tree || isBounded || isPart ? undefined : findLivelock(graph, instance);
  if (livelock && (options.only === undefined || options.only === livelock.invariant))
    return result("violation", true, livelock);
  return result("clean", true);
}

const graphOf = ({ parent, parentActor, enabled, working, edges }: Graph): Graph => ({
  parent,
  parentActor,
  enabled,
  working,
  edges,
});
