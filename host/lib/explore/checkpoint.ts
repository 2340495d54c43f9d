/**
 * Checkpoints: a search under way as a file, format version 1. They belong to one core, one race with its knobs and one strategy, and
 * are checked against that and against the shape that the strategy expects before anything is done with them.
 */
import { UsageError } from "../errors.ts";
import type { DporCheckpoint } from "./dpor.ts";
import type { SearchCheckpoint } from "./search.ts";

export const CHECKPOINT_VERSION = 1;

export interface Checkpoint {
  readonly core: string;
  readonly race: string;
  readonly variant: string;
  readonly knobs: Readonly<Record<string, number>>;
  readonly strategy: string;
  readonly bound: number;
  readonly search: SearchCheckpoint | DporCheckpoint;
}

export const formatCheckpoint = (checkpoint: Checkpoint): string =>
  `${JSON.stringify({ format: "vmexit-checkpoint", version: CHECKPOINT_VERSION, ...checkpoint })}\n`;

type Check = (value: unknown) => boolean;
const isCount: Check = (value) => Number.isInteger(value) && (value as number) >= -1;
const isNumber: Check = (value) => typeof value === "number" && Number.isFinite(value) && value >= 0;
const isText: Check = (value) => typeof value === "string";
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const shape =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    typeof value === "object" &&
    value !== null &&
    Object.entries(fields).every(([name, check]) => check((value as Record<string, unknown>)[name]));

const COUNTS = { steps: isCount, schedules: isCount, depth: isCount, seconds: isNumber };
const isDpor = shape({
  ...COUNTS,
  states: isCount,
  rounds: isCount,
  nodes: listOf(shape({ backtrack: isCount, done: isCount, explored: listOf(isCount) })),
  learned: shape({ looksAt: listOf(listOf(isCount)), everChanged: listOf(isCount) }),
});
const isSearch = shape({
  ...COUNTS,
  keys: listOf(isText),
  parent: listOf(isCount),
  parentActor: listOf(isCount),
  enabled: listOf(isCount),
  working: listOf(isCount),
  edges: listOf(isCount),
  stack: listOf((entry) => listOf(isCount)(entry) && (entry as unknown[]).length === 4),
});

/** Whether the numbers of a graph and of its path name states that are there. */
function isWhole({ keys, parent, parentActor, enabled, working, edges, stack }: SearchCheckpoint): boolean {
  const count = keys.length;
  return (
    new Set(keys).size === count &&
    [parent, parentActor, enabled, working].every((list) => list.length === count) &&
    edges.length % 3 === 0 &&
    edges.every((state, i) => i % 3 === 1 || state < count) &&
    stack.every(([id], i) => id < count && (i === 0 || parent[id] === stack[i - 1]![0]))
  );
}

/** @throws UsageError that says what is wrong and what to do. */
export function parseCheckpoint(text: string): Checkpoint {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new UsageError("this is no checkpoint, or a truncated one: begin again without --resume", { cause });
  }
  if (value === null || typeof value !== "object" || value.format !== "vmexit-checkpoint")
    throw new UsageError(`this is no checkpoint: it does not say "format":"vmexit-checkpoint"`);
  if (value.version !== CHECKPOINT_VERSION)
    throw new UsageError(
      `checkpoint format version ${String(value.version)}: this vmexit reads version ${CHECKPOINT_VERSION}; begin again without --resume`,
    );
  const isHeader = shape({ core: isText, race: isText, variant: isText, strategy: isText, bound: isCount })(value);
  const knobs = value.knobs;
  const areKnobs = typeof knobs === "object" && knobs !== null && Object.values(knobs).every(isCount);
  const isSearchFine =
    value.strategy === "dpor"
      ? isDpor(value.search)
      : isSearch(value.search) && isWhole(value.search as SearchCheckpoint);
  if (!isHeader || !areKnobs || !isSearchFine)
    throw new UsageError("the checkpoint is damaged: begin again without --resume");
  return value as unknown as Checkpoint;
}

/** @throws UsageError when the checkpoint is of another search than the one asked for. */
export function checkSameSearch(checkpoint: Checkpoint, wanted: Omit<Checkpoint, "search">): void {
  for (const field of ["core", "race", "variant", "strategy", "bound"] as const)
    if (checkpoint[field] !== wanted[field])
      throw new UsageError(
        `the checkpoint is of ${field} ${checkpoint[field]}, not ${wanted[field]}: go on with what it is of, or begin again without --resume`,
      );
  const text = (knobs: Readonly<Record<string, number>>): string =>
    JSON.stringify(Object.entries(knobs).sort(([a], [b]) => (a < b ? -1 : 1)));
  if (text(checkpoint.knobs) !== text(wanted.knobs))
    throw new UsageError(
      "the checkpoint is of other knobs: give the same --knob options, or begin again without --resume",
    );
}
