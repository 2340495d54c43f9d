/**
 * A process of dom0 that makes hypercalls with buffers, one nested in the other, under one strategy for its buffers: the same steps as in the
 * exploration of strategies (docs/hypercall-buffers.md), run without a kernel that interferes, and counted.
 */

import { program as guestProgram } from "../../host/lib/explore/code.ts";
import { createWorld } from "../../host/lib/explore/world.ts";
import type { Stats } from "../../host/lib/machine.ts";
import { createProcess, linear, mapPage, PROCESS_DOM0_PAGES, STACK } from "../../host/lib/process/memory.ts";
import { type Op, type Vocabulary, vocabulary } from "../../host/lib/process/ops.ts";
import { type Argument, pageName } from "../../host/lib/process/program.ts";
import type { Strategy } from "../../host/lib/process/strategies.ts";
import { HC_XEN_VERSION } from "../../hv-core/abi/hypercalls.ts";
import { KNOB_CALLER_MEMORY } from "../../hv-core/abi/knobs.ts";

const XENVER_CAPABILITIES = 3;
const XENVER_PLATFORM_PARAMETERS = 5;

/** What a process does outside the hypervisor. Names of the cost model (host/lib/cost/model.ts). */
type Work = "systemCalls" | "pagesMapped" | "pagesLocked" | "pagesCleared" | "userCopies";

const WORK: Readonly<Partial<Record<keyof Vocabulary, readonly Work[]>>> = {
  mlock: ["systemCalls", "pagesLocked"],
  munlock: ["systemCalls", "pagesLocked"],
  countedLock: ["systemCalls", "pagesLocked"],
  countedUnlock: ["systemCalls", "pagesLocked"],
  map: ["systemCalls", "pagesMapped"],
  unmap: ["systemCalls"],
  dontFork: ["systemCalls"],
  zero: ["pagesCleared"],
  copy: ["userCopies"],
};

/** The vocabulary of a process whose steps note what they are. */
function countedVocabulary(counts: Record<Work, number>): Vocabulary {
  const plain = vocabulary(pageName);
  const counted =
    (kinds: readonly Work[], make: (...args: never[]) => Op) =>
    (...args: never[]): Op => {
      const op = make(...args);
      return {
        ...op,
        run(memory) {
          for (const kind of kinds) counts[kind]++;
          op.run(memory);
        },
      };
    };
  return Object.fromEntries(
    Object.entries(plain).map(([name, make]) => [name, counted(WORK[name as keyof Vocabulary] ?? [], make)]),
  ) as unknown as Vocabulary;
}

const argument = (name: string, offset: number, bytes: number, what: number): Argument => ({
  name,
  offset,
  bytes,
  declared: bytes,
  direction: "out",
  call: [HC_XEN_VERSION, what],
  callName: name,
});

export interface ProcessRun {
  /** One life: a number of calls, every second one nested in the one before; then the library is closed. */
  run(): void;
  stats(): Stats;
}

/** @param race the race build, which the model of a process needs. @param calls hypercalls of one life, even */
export function startProcess(race: WebAssembly.Module, strategy: Strategy, calls: number): ProcessRun {
  const world = createWorld(race, {
    pages: 2,
    programs: [guestProgram(0x1000, [])],
    knobs: [[KNOB_CALLER_MEMORY, 1]],
    dom0Pages: PROCESS_DOM0_PAGES,
  });
  const memory = createProcess(world);
  mapPage(memory, STACK, 0);
  const counts: Record<Work, number> = {
    systemCalls: 0,
    pagesMapped: 0,
    pagesLocked: 0,
    pagesCleared: 0,
    userCopies: 0,
  };
  /** The race build counts nothing by itself. */
  let made = 0;
  const perform = (ops: readonly Op[]): void => {
    for (const op of ops) op.run(memory);
  };
  const outer = argument("capabilities", 0x400, 1024, XENVER_CAPABILITIES);
  const inner = argument("platform_parameters", 0x380, 8, XENVER_PLATFORM_PARAMETERS);
  const call = (x: Argument, page: number, offset: number): void => {
    const [nr, what] = x.call as [number, number];
    made++;
    const result = world.exports.hypercall(nr, what, linear(page, offset), 0, 0, 0);
    if (result < 0) throw new Error(`${strategy.name}: hypercall ${x.callName} answers ${result}`);
  };
  return {
    run() {
      const plan = strategy.plan(countedVocabulary(counts));
      for (let i = 0; i < calls; i += 2) {
        const first = plan.acquire(outer);
        perform(first.ops);
        const second = plan.acquire(inner);
        perform(second.ops);
        call(inner, second.page, second.offset);
        perform(plan.release(inner));
        call(outer, first.page, first.offset);
        perform(plan.release(outer));
      }
      perform(plan.close());
    },
    stats() {
      return { instructions: 0, exits: {}, counters: { hypercalls: made, ...counts } };
    },
  };
}
