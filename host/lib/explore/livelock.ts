/**
 * Livelocks in a finished state graph: a cycle that a fair scheduler can stay in for ever while an actor with work spins. Since a
 * state contains everything that counts as progress, going round a cycle is none.
 *
 * Fair: an actor that can run again and again does run again and again (every processor runs, and locks are ticket locks). A retry
 * loop that waits for somebody who can run, or who waits for a lock that becomes free in every round, is therefore no livelock.
 */
import type { RaceInstance } from "./instance.ts";
import type { FoundViolation } from "./search.ts";
import { type Graph, pathTo } from "./state-graph.ts";

/** Strongly connected components (Tarjan, without recursion): component number of each state. */
function components(count: number, out: readonly (readonly number[])[]): Int32Array {
  const component = new Int32Array(count).fill(-1);
  const index = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const onStack = new Uint8Array(count);
  const stack: number[] = [];
  let next = 0;
  let found = 0;
  for (let root = 0; root < count; root++) {
    if (index[root] !== -1) continue;
    const work: [state: number, edge: number][] = [[root, 0]];
    while (work.length > 0) {
      const top = work.at(-1)!;
      const [state] = top;
      if (top[1] === 0) {
        index[state] = next;
        low[state] = next++;
        stack.push(state);
        onStack[state] = 1;
      }
      const to = out[state]![top[1]];
      if (to !== undefined) {
        top[1]++;
        if (index[to] === -1) work.push([to, 0]);
        else if (onStack[to]) low[state] = Math.min(low[state]!, index[to]!);
        continue;
      }
      work.pop();
      const below = work.at(-1);
      if (below) low[below[0]] = Math.min(low[below[0]]!, low[state]!);
      if (low[state] !== index[state]) continue;
      for (let member = -1; member !== state; ) {
        member = stack.pop()!;
        onStack[member] = 0;
        component[member] = found;
      }
      found++;
    }
  }
  return component;
}

interface Part {
  readonly states: number[];
  enabledSomewhere: number;
  working: number;
  stepping: number;
}

/** The strongly connected parts of the graph restricted to some states. */
function partsOf(graph: Graph, among: readonly number[]): Part[] {
  const out: number[][] = Array.from({ length: graph.parent.length }, () => []);
  const members = new Set(among);
  const isEdge = (i: number): boolean => members.has(graph.edges[i]!) && members.has(graph.edges[i + 2]!);
  for (let i = 0; i < graph.edges.length; i += 3) if (isEdge(i)) out[graph.edges[i]!]!.push(graph.edges[i + 2]!);
  const component = components(graph.parent.length, out);
  const parts = new Map<number, Part>();
  for (const state of members) {
    const part = parts.get(component[state]!) ?? { states: [], enabledSomewhere: 0, working: 0, stepping: 0 };
    part.states.push(state);
    part.enabledSomewhere |= graph.enabled[state]!;
    part.working |= graph.working[state]!;
    parts.set(component[state]!, part);
  }
  for (let i = 0; i < graph.edges.length; i += 3)
    if (isEdge(i) && component[graph.edges[i]!] === component[graph.edges[i + 2]!])
      parts.get(component[graph.edges[i]!]!)!.stepping |= 1 << graph.edges[i + 1]!;
  return [...parts.values()];
}

/**
 * A part in which a fair run can stay: every actor that can run somewhere in it steps in it. States in which somebody could run who
 * never steps inside are left out, and what remains is looked at again.
 */
function fairPart(
  graph: Graph,
  among: readonly number[],
): { part: Part; isInside: (state: number) => boolean } | undefined {
  const work: (readonly number[])[] = [among];
  for (let states = work.pop(); states; states = work.pop())
    for (const part of partsOf(graph, states)) {
      if ((part.stepping & part.working) === 0) continue;
      const starved = part.enabledSomewhere & ~part.stepping;
      if (starved === 0) {
        const members = new Set(part.states);
        return { part, isInside: (state) => members.has(state) };
      }
      const rest = part.states.filter((state) => (graph.enabled[state]! & starved) === 0);
      if (rest.length > 0) work.push(rest);
    }
  return undefined;
}

/** Steps from `from` to `to` inside one component, which is connected. */
function route(
  graph: Graph,
  edgesOf: ReadonlyMap<number, readonly number[]>,
  inside: (state: number) => boolean,
  from: number,
  to: number,
): number[] {
  const before = new Map<number, number>([[from, -1]]);
  const queue = [from];
  for (let i = 0; i < queue.length && !before.has(to); i++)
    for (const edge of edgesOf.get(queue[i]!)!) {
      const next = graph.edges[edge + 2]!;
      if (!inside(next) || before.has(next)) continue;
      before.set(next, edge);
      queue.push(next);
    }
  const steps: number[] = [];
  for (let at = to; at !== from; at = graph.edges[before.get(at)!]!) steps.push(graph.edges[before.get(at)! + 1]!);
  return steps.reverse();
}

/** A livelock of a graph that was explored to its end. */
export function findLivelock(graph: Graph, instance: RaceInstance): FoundViolation | undefined {
  const found = fairPart(
    graph,
    Array.from({ length: graph.parent.length }, (_, state) => state),
  );
  if (!found) return undefined;
  const { part, isInside } = found;
  const edgesOf = new Map<number, number[]>(part.states.map((state) => [state, []]));
  for (let i = 0; i < graph.edges.length; i += 3) edgesOf.get(graph.edges[i]!)?.push(i);
  const start = Math.min(...part.states);
  const spinning = part.stepping & part.working;
  const cycle: number[] = [];
  let at = start;
  // Every actor that can run takes a step, once round.
  for (let left = part.stepping; left !== 0; left &= left - 1) {
    const edge = edgeOf(graph, isInside, 31 - Math.clz32(left & -left));
    cycle.push(...route(graph, edgesOf, isInside, at, graph.edges[edge]!), graph.edges[edge + 1]!);
    at = graph.edges[edge + 2]!;
  }
  cycle.push(...route(graph, edgesOf, isInside, at, start));
  const path = pathTo(graph, start);
  const names = instance.actors.filter((a) => (spinning >> a.index) & 1).map((a) => a.name);
  return {
    invariant: "livelock",
    message: `${names.join(" and ")} can go round the last ${cycle.length} step(s) for ever without getting on`,
    schedule: [...path, ...cycle],
    cycleFrom: path.length,
  };
}

function edgeOf(graph: Graph, inside: (state: number) => boolean, actor: number): number {
  for (let i = 0; i < graph.edges.length; i += 3)
    if (graph.edges[i + 1] === actor && inside(graph.edges[i]!) && inside(graph.edges[i + 2]!)) return i;
  throw new Error("a component has no step of an actor that steps in it");
}
