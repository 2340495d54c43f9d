/** Boots one of the guests that come with vmexit and waits for its end: for tests. */

import { openGuest } from "../../host/cli/guest-source.ts";
import type { KnobValues } from "../../host/lib/knobs.ts";
import { createMachine, type Outcome } from "../../host/lib/machine.ts";
import { compileBuild } from "../../host/node/wasm.ts";

export interface GuestRunOptions {
  readonly memoryMiB?: number;
  readonly vcpus?: number;
  readonly cmdline?: string;
  readonly maxInstructions?: number;
  readonly knobs?: KnobValues;
}

export interface GuestRunResult {
  readonly outcome: Outcome;
  readonly reason: string;
  readonly console: string;
  readonly exits: Readonly<Record<string, number>>;
  readonly instructions: number;
  readonly traceHash: string;
  readonly stateHash: string;
}

let release: WebAssembly.Module | undefined;

/** The build is compiled once per test file. */
const core = (): WebAssembly.Module => {
  release ??= compileBuild("release");
  return release;
};

export async function runGuest(name: string, options: GuestRunOptions = {}): Promise<GuestRunResult> {
  const source = await openGuest(name, false);
  const memoryBytes = options.memoryMiB ? options.memoryMiB * 2 ** 20 : source.memoryBytes;
  const vcpus = options.vcpus ?? source.vcpus;
  using machine = createMachine(core(), { memoryBytes, vcpus, ...(options.knobs ? { knobs: options.knobs } : {}) });
  const { domid } = machine.createGuest({
    image: source.image,
    memoryBytes,
    vcpus,
    cmdline: options.cmdline ?? source.cmdline,
    modules: [],
  });
  const how = machine.run({ maxInstructions: options.maxInstructions ?? 100_000_000 });
  const end = machine.ended(domid) ?? {
    outcome: how.kind === "budget" ? ("budget" as const) : ("halted" as const),
    reason: how.kind,
  };
  const stats = machine.stats();
  return {
    outcome: end.outcome,
    reason: end.reason,
    console: machine.console(),
    exits: stats.exits,
    instructions: stats.instructions,
    traceHash: machine.traceHash(),
    stateHash: machine.stateHash(),
  };
}
