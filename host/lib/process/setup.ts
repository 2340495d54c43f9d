/** A modelled process, its kernel and one strategy as something the explorer can run: for races and for the matrix. */

import { KNOB_CALLER_MEMORY } from "../../../hv-core/abi/knobs.ts";
import type { Actor } from "../explore/actors.ts";
import { type Program as GuestProgram, program as guestProgram } from "../explore/code.ts";
import type { RaceSetup } from "../explore/race.ts";
import { createWorld } from "../explore/world.ts";
import { childActor, forkActor, type KernelOptions, ksmActor, migrateActor, reclaimActor } from "./kernel.ts";
import {
  createProcess,
  DONTFORK,
  isMapped,
  LOCKED,
  linear,
  mapPage,
  PAGES,
  PROCESS_DOM0_PAGES,
  type ProcessMemory,
  PTE_COW,
  PTE_MIGRATING,
  PTE_SWAPPED,
  STACK,
} from "./memory.ts";
import { processActor } from "./process-actor.ts";
import { fillStack, makeProgram, type ProgramOptions, pageName } from "./program.ts";
import { type PropertyName, property } from "./properties.ts";
import type { Strategy } from "./strategies.ts";

/** What the kernel does to which pages. */
export type Threat = "reclaim" | "migrate" | "fork" | "ksm";

export interface ProcessSetup extends ProgramOptions {
  readonly strategy: Strategy;
  readonly threats: readonly Threat[];
  /** Pages that reclaim, migrate and ksm go for; all by default. */
  readonly pages?: readonly number[];
  readonly properties: readonly PropertyName[];
}

const GUEST: GuestProgram = guestProgram(0x1000, []);

function describe(memory: ProcessMemory): string {
  const one = (page: number): string => {
    const pte = memory.pte(page);
    const words = [
      (pte & PTE_SWAPPED) !== 0 ? "in swap" : (pte & PTE_MIGRATING) !== 0 ? "moving" : "present",
      ...((pte & PTE_COW) !== 0 ? ["copy-on-write"] : []),
      ...((memory.flags(page) & LOCKED) !== 0 ? ["locked"] : []),
      ...((memory.flags(page) & DONTFORK) !== 0 ? ["dontfork"] : []),
    ];
    return `${pageName(page)} ${words.join(" ")}`;
  };
  return Array.from({ length: PAGES }, (_, page) => page)
    .filter((page) => isMapped(memory, page))
    .map(one)
    .join("; ");
}

export function setupProcess(
  module: WebAssembly.Module,
  knobs: readonly (readonly [index: number, value: number])[],
  options: ProcessSetup,
): RaceSetup {
  const world = createWorld(module, {
    pages: 2,
    programs: [GUEST],
    knobs: [...knobs, [KNOB_CALLER_MEMORY, 1]],
    dom0Pages: PROCESS_DOM0_PAGES,
  });
  const memory = createProcess(world);
  const program = makeProgram((v) => options.strategy.plan(v), world.domid, linear, options);
  mapPage(memory, STACK, 0);
  fillStack(memory, program);
  const process = processActor(memory, program, "threadA", 0);
  const actors: Actor[] = [process];
  const add = (make: (kernel: KernelOptions) => Actor): void => {
    actors.push(make({ memory, index: actors.length, isRunning: process.isRunning, pageName }));
  };
  const pages = options.pages ?? Array.from({ length: PAGES }, (_, page) => page);
  for (const threat of options.threats) {
    if (threat === "fork") {
      add(forkActor);
      add(childActor);
    } else for (const page of pages) add((kernel) => BY_PAGE[threat](kernel, page));
  }
  return {
    world,
    actors,
    invariants: options.properties.map((name) => property(name, memory, process, program)),
    describeState: () => describe(memory),
  };
}

const BY_PAGE = { reclaim: reclaimActor, migrate: migrateActor, ksm: ksmActor } as const;
