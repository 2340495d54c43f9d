/** Two guests in one machine: a front end and a back end that know each other by their domain ids, which follow each other. */
import type { KnobValues } from "./knobs.ts";
import type { GuestImage } from "./loader/image.ts";
import { createMachine, type Outcome } from "./machine.ts";

export interface PairGuest {
  readonly image: GuestImage;
  readonly cmdline: string;
  readonly vcpus: number;
  readonly memoryBytes: number;
}

export interface PairOptions {
  readonly maxInstructions: number;
  readonly knobs?: KnobValues;
  /** What the guests print, as it comes. */
  readonly onOutput?: (text: string) => void;
}

export interface PairRun {
  readonly outcomes: readonly [front: Outcome | "budget", back: Outcome | "budget"];
  readonly console: string;
  readonly instructions: number;
  readonly grantMaps: number;
  readonly grantCopies: number;
  readonly traceHash: string;
}

const SLICE = 100_000;

/** Runs both until each has ended, or the budget is spent. The front end is created first. */
export function runPair(wasm: WebAssembly.Module, front: PairGuest, back: PairGuest, options: PairOptions): PairRun {
  using machine = createMachine(wasm, {
    memoryBytes: front.memoryBytes + back.memoryBytes,
    vcpus: front.vcpus + back.vcpus,
    ...(options.knobs ? { knobs: options.knobs } : {}),
  });
  const domids = [front, back].map((guest) => machine.createGuest({ ...guest, modules: [] }).domid);
  let printed = 0;
  while (domids.some((domid) => machine.ended(domid) === undefined)) {
    if (machine.stats().instructions >= options.maxInstructions) break;
    const how = machine.run({ maxInstructions: SLICE });
    const text = machine.console(printed);
    printed += text.length;
    if (text.length > 0) options.onOutput?.(text);
    if (how.kind !== "budget" && domids.every((domid) => machine.ended(domid) === undefined)) break; // they wait for each other
  }
  const [f, b] = domids.map((domid) => machine.ended(domid)?.outcome ?? ("budget" as const));
  const stats = machine.stats();
  const { counters } = stats;
  return {
    outcomes: [f!, b!],
    console: machine.console(),
    instructions: stats.instructions,
    grantMaps: counters.grantMaps ?? 0,
    grantCopies: counters.grantCopies ?? 0,
    traceHash: machine.traceHash(),
  };
}
