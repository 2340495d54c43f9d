/**
 * The matrix of properties against strategies (spec 07 section 7.5): every cell is an exhaustive exploration of one strategy under what
 * the kernel may do, and none is written down beforehand.
 */
import { openRace } from "../explore/instance.ts";
import { defineRace, type Violation } from "../explore/race.ts";
import { search } from "../explore/search.ts";
import { LIBRARY, STACK } from "./memory.ts";
import type { ProgramOptions } from "./program.ts";
import { PROPERTY_TEXTS, type PropertyName } from "./properties.ts";
import { setupProcess, type Threat } from "./setup.ts";
import { STRATEGY_LIST, type Strategy } from "./strategies.ts";

export interface Column {
  /** "B-1 reclaim". */
  readonly name: string;
  readonly property: PropertyName;
  /** One exploration for each set of what the kernel does. */
  readonly threats: readonly (readonly Threat[])[];
  /** Pages that the kernel goes for; all by default. */
  readonly pages?: readonly number[];
  readonly program: ProgramOptions;
  readonly text: string;
}

/** Reclaim beside migration, and fork: all three at once is a hundred times the states, and for the long tests. */
const EVERYTHING: readonly (readonly Threat[])[] = [["reclaim", "migrate"], ["fork"]];
const AT_ONCE: readonly (readonly Threat[])[] = [["reclaim", "migrate", "fork"]];
/** With several at once, the stack and the page that is used twice stand for all: the others are treated as the latter is. */
const SOME_PAGES = [STACK, LIBRARY];

const alone = (threat: Threat, what: string): Column => ({
  name: `B-1 ${threat}`,
  property: "B-1",
  threats: [[threat]],
  program: {},
  text: `${PROPERTY_TEXTS["B-1"]}, while ${what}`,
});
const all = (property: PropertyName, program: ProgramOptions, when: string): Column => ({
  name: property,
  property,
  threats: EVERYTHING,
  pages: SOME_PAGES,
  program,
  text: `${PROPERTY_TEXTS[property]}${when}`,
});

export const COLUMNS: readonly Column[] = [
  alone("reclaim", "pages that are not locked go to swap"),
  alone("migrate", "pages are moved to other frames"),
  alone("fork", "another thread forks and its child exits"),
  alone("ksm", "equal pages are merged"),
  all("B-2", { ownLock: true }, "; it has locked its stack page"),
  all("B-3", {}, ""),
  all("B-4", {}, ""),
  all("B-5", {}, ""),
  all("B-6", { tooSmall: true }, "; the caller of C says four bytes, and eight are written"),
];

/** The columns with everything that the kernel does at once. */
export const LONG_COLUMNS: readonly Column[] = COLUMNS.map((c) =>
  c.threats === EVERYTHING ? { ...c, threats: AT_ONCE } : c,
);

export interface Cell {
  readonly strategy: string;
  readonly column: string;
  readonly holds: boolean;
  /** Of a cell that holds: all there are. Of one that does not: those until it was found. */
  readonly states: number;
  /** What broke it. */
  readonly message?: string;
}

export interface Matrix {
  readonly format: "vmexit-buffer-matrix";
  readonly version: 1;
  readonly cells: readonly Cell[];
}

const BUDGET = { steps: 20_000_000, seconds: 3600 };

function explore(
  module: WebAssembly.Module,
  strategy: Strategy,
  column: Column,
  threats: readonly Threat[],
  properties: readonly PropertyName[],
): { states: number; violation?: Violation } {
  const race = defineRace({
    name: `buffers-${strategy.name}`,
    id: column.name,
    title: strategy.text,
    lesson: column.text,
    variants: { [column.name]: { text: column.text, knobs: {}, expect: "clean" } },
    setup: (wasm, knobs) =>
      setupProcess(wasm, knobs, {
        strategy,
        threats,
        ...(column.pages ? { pages: column.pages } : {}),
        properties,
        ...column.program,
      }),
  });
  const { verdict, states, violation } = search(openRace(module, race, column.name), {
    budget: BUDGET,
    skipLivelock: true,
  });
  if (verdict === "budget") throw new Error(`${strategy.name}, ${column.name}: ${states} states and no end`);
  if (violation && !properties.some((name) => name === violation.invariant))
    throw new Error(`${strategy.name}, ${column.name}: ${violation.invariant}: ${violation.message}`);
  return { states, ...(violation ? { violation } : {}) };
}

/** @throws Error when something else breaks, or the budget ends before all states are known: then there is no answer. */
export function exploreCell(module: WebAssembly.Module, strategy: Strategy, column: Column): Cell {
  const cell = { strategy: strategy.name, column: column.name };
  let states = 0;
  for (const threats of column.threats) {
    const result = explore(module, strategy, column, threats, [column.property]);
    if (result.violation) return { ...cell, holds: false, states: result.states, message: result.violation.message };
    states += result.states;
  }
  return { ...cell, holds: true, states };
}

/** Columns of one program under the same kernel. What holds for all of them is found out in one exploration. */
function exploreGroup(module: WebAssembly.Module, strategy: Strategy, columns: readonly Column[]): Cell[] {
  const [first] = columns;
  if (!first) return [];
  let states = 0;
  for (const threats of columns.length === 1 ? [] : first.threats) {
    const result = explore(
      module,
      strategy,
      first,
      threats,
      columns.map((c) => c.property),
    );
    if (result.violation) return columns.map((column) => exploreCell(module, strategy, column));
    states += result.states;
  }
  if (columns.length === 1) return [exploreCell(module, strategy, first)];
  return columns.map((column) => ({ strategy: strategy.name, column: column.name, holds: true, states }));
}

const isSameRun = (a: Column, b: Column): boolean =>
  a.threats === b.threats && JSON.stringify(a.program) === JSON.stringify(b.program);

/** @param module the race build */
export function exploreMatrix(
  module: WebAssembly.Module,
  columns: readonly Column[] = COLUMNS,
  strategies: readonly Strategy[] = STRATEGY_LIST,
): Matrix {
  const groups: Column[][] = [];
  for (const column of columns) {
    const group = groups.find(([first]) => first && isSameRun(first, column));
    if (group) group.push(column);
    else groups.push([column]);
  }
  const cells = strategies.flatMap((strategy) => groups.flatMap((group) => exploreGroup(module, strategy, group)));
  return { format: "vmexit-buffer-matrix", version: 1, cells };
}
