/**
 * The matrix of properties against strategies (spec 07 section 7.5): every cell is an exhaustive exploration of one strategy under what
 * the kernel may do, and none is written down beforehand.
 */
import { openRace } from "../explore/instance.ts";
import { defineRace } from "../explore/race.ts";
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
  readonly threats: readonly Threat[];
  /** Pages that the kernel goes for; all by default. */
  readonly pages?: readonly number[];
  readonly program: ProgramOptions;
  readonly text: string;
}

const EVERYTHING: readonly Threat[] = ["reclaim", "migrate", "fork"];
/** With everything at once, the stack and the page that is used twice stand for all: the others are treated as the latter is. */
const SOME_PAGES = [STACK, LIBRARY];

const alone = (threat: Threat, what: string): Column => ({
  name: `B-1 ${threat}`,
  property: "B-1",
  threats: [threat],
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

export interface Cell {
  readonly strategy: string;
  readonly column: string;
  readonly holds: boolean;
  readonly states: number;
  /** What broke it. */
  readonly message?: string;
}

export interface Matrix {
  readonly format: "vmexit-buffer-matrix";
  readonly version: 1;
  readonly cells: readonly Cell[];
}

const BUDGET = { steps: 5_000_000, seconds: 600 };

/** @throws Error when the budget ends before all states are known: then there is no answer. */
export function exploreCell(module: WebAssembly.Module, strategy: Strategy, column: Column): Cell {
  const race = defineRace({
    name: `buffers-${strategy.name}`,
    id: column.name,
    title: strategy.text,
    lesson: column.text,
    variants: { [column.name]: { text: column.text, knobs: {}, expect: "clean" } },
    setup: (wasm, knobs) =>
      setupProcess(wasm, knobs, {
        strategy,
        threats: column.threats,
        ...(column.pages ? { pages: column.pages } : {}),
        properties: [column.property],
        ...column.program,
      }),
  });
  const result = search(openRace(module, race, column.name), { budget: BUDGET, skipLivelock: true });
  if (result.verdict === "budget") throw new Error(`${strategy.name}, ${column.name}: ${result.states} states and no end`);
  const { violation } = result;
  if (violation && violation.invariant !== column.property)
    throw new Error(`${strategy.name}, ${column.name}: ${violation.invariant}: ${violation.message}`);
  return {
    strategy: strategy.name,
    column: column.name,
    holds: violation === undefined,
    states: result.states,
    ...(violation ? { message: violation.message } : {}),
  };
}

/** @param module the race build */
export function exploreMatrix(module: WebAssembly.Module): Matrix {
  const cells = STRATEGY_LIST.flatMap((strategy) => COLUMNS.map((column) => exploreCell(module, strategy, column)));
  return { format: "vmexit-buffer-matrix", version: 1, cells };
}
