/** The graph of states and steps that a search has seen. */
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

export const newGraph = (): Graph => ({ parent: [], parentActor: [], enabled: [], working: [], edges: [] });

export function pathTo(graph: Graph, state: number): number[] {
  const path: number[] = [];
  for (let at = state; graph.parent[at]! >= 0; at = graph.parent[at]!) path.push(graph.parentActor[at]!);
  return path.reverse();
}
