/**
 * Exhaustive search: depth first over the states of a race, each state once (by its hash, continuations included), optionally only
 * schedules with at most so many preemptions. When everything was seen, cycles in which nobody gets on are looked for: livelocks.
 *
 * What a clean result proves: all interleavings of these actors at these windows and locks, sequentially consistent, keep the
 * invariants; with a preemption bound, all those with at most that many preemptions. Two different states with one 64-bit hash would
 * be taken for one: at a million states the chance of any is about one in 37 million.
 */
import type { RaceInstance } from "./instance.ts";
import { findLivelock } from "./livelock.ts";
import type { Violation } from "./race.ts";
import type { SavedWorld } from "./world.ts";

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
  readonly onProgress?: (progress: { states: number; steps: number; depth: number; seconds: number }) => void;
  /** Forget states: every schedule is run, also where two lead to the same state. For small models, and to check the hashing. */
  readonly tree?: boolean;
  /** Identifies the state the world is in. Default: its hash. */
  readonly keyOf?: () => string;
  /** Look for this invariant only (for shrinking). */
  readonly only?: string;
  /** Leave out the search for livelocks. */
  readonly skipLivelock?: boolean;
}

/** The states and steps seen: for livelocks and for the way to a state. */
export interface Graph {
  /** For each state: the state it was found from (-1 for the first) and the actor whose step led here. */
  readonly parent: number[];
  readonly parentActor: number[];
  readonly enabled: number[];
  readonly working: number[];
  /** Edges: from, actor, to. */
  readonly edges: number[];
}

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

export function pathTo(graph: Graph, state: number): number[] {
  const path: number[] = [];
  for (let at = state; graph.parent[at]! >= 0; at = graph.parent[at]!) path.push(graph.parentActor[at]!);
  return path.reverse();
}

export function search(instance: RaceInstance, options: SearchOptions): SearchResult {
  const started = now();
  const bound = options.preemptions ?? Number.POSITIVE_INFINITY;
  const isBounded = bound !== Number.POSITIVE_INFINITY;
  const keyOf = options.keyOf ?? instance.hash;
  const ids = new Map<string, number>();
  const graph: Graph = { parent: [], parentActor: [], enabled: [], working: [], edges: [] };
  let steps = 0;
  let schedules = 0;
  let depth = 0;
  let reported = started;
  const stack: Frame[] = [];
  /** Copies of states that were left for good. */
  const unused: SavedWorld[] = [];

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
    return { id, isNew: true };
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
    depth = Math.max(depth, stack.length);
  }

  const result = (verdict: SearchResult["verdict"], exhaustive: boolean, violation?: FoundViolation): SearchResult => ({
    verdict,
    exhaustive,
    states: ids.size,
    steps,
    schedules,
    depth,
    seconds: now() - started,
    ...(violation ? { violation } : {}),
  });

  instance.restore(instance.initial);
  push(visit(-1, -1, 0).id, -1, 0);
  /** The state on top of the stack that the world is in, -1 when it has gone on from there. */
  let worldAt = 0;
  while (stack.length > 0) {
    const top = stack.at(-1)!;
    if (top.left === 0) {
      stack.pop();
      if (top.saved) unused.push(top.saved);
      continue;
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
    const broken = instance.step(actor);
    steps++;
    const wanted = (v: Violation | undefined): v is Violation =>
      v !== undefined && (options.only === undefined || options.only === v.invariant);
    if (wanted(broken)) return result("violation", false, { ...broken, schedule: [...pathTo(graph, top.id), actor] });
    if (broken) continue; // another one than the one looked for: nothing beyond it counts
    const { id, isNew } = visit(top.id, actor, preemptions);
    graph.edges.push(top.id, actor, id);
    if (isNew) {
      if (graph.enabled[id] === 0) {
        schedules++;
        const ending = instance.checkEnd();
        if (wanted(ending)) return result("violation", false, { ...ending, schedule: pathTo(graph, id) });
      } else {
        push(id, actor, preemptions);
        worldAt = id;
      }
    } else {
      schedules++;
    }
    if ((steps & 63) === 0) {
      const time = now();
      if (steps >= options.budget.steps || time - started > options.budget.seconds) return result("budget", false);
      if (options.onProgress && time - reported > 0.5) {
        reported = time;
        options.onProgress({ states: ids.size, steps, depth: stack.length, seconds: time - started });
      }
    }
  }
  const livelock = options.skipLivelock || options.tree || isBounded ? undefined : findLivelock(graph, instance);
  if (livelock && (options.only === undefined || options.only === livelock.invariant))
    return result("violation", true, livelock);
  return result("clean", true);
}
