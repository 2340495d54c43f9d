/** What commands that look at a guest share: boot it, and run it up to a point. */
import type { Command } from "commander";
import type { DomId } from "../lib/ids.ts";
import { createMachine, type Machine } from "../lib/machine.ts";
import { compileBuild } from "../node/wasm.ts";
import { openGuest } from "./guest-source.ts";
import { collect, parseInstructions, parseKnobOptions, parseMemory } from "./options.ts";

export interface BootOptions {
  readonly memory?: string;
  readonly at?: string;
  readonly era?: string;
  readonly knob: readonly string[];
  readonly flat?: boolean;
}

/** The options of `bootGuest`. */
export function addBootOptions(command: Command): Command {
  return command
    .option("--memory <size>", "guest RAM, for instance 64M")
    .option("--at <instructions>", "run so many instructions first")
    .option("--era <era>", "preset of knobs")
    .option("--knob <name=value>", "one knob (repeatable)", collect, [])
    .option("--flat", "load the file as it is at 1 MiB");
}

/** The guest as it is before its first instruction, or after `--at`. @throws UsageError */
export async function bootGuest(
  what: string,
  options: BootOptions,
): Promise<{ readonly machine: Machine; readonly domid: DomId }> {
  const budget = options.at === undefined ? 0 : parseInstructions(options.at, "--at");
  const source = await openGuest(what, options.flat ?? false);
  const memoryBytes = options.memory === undefined ? source.memoryBytes : parseMemory(options.memory);
  const { vcpus, image, cmdline } = source;
  const knobOptions = parseKnobOptions(options);
  const machine = createMachine(compileBuild("release"), { memoryBytes, vcpus, ...knobOptions });
  const { domid } = machine.createGuest({ image, memoryBytes, vcpus, cmdline, modules: [] });
  if (budget > 0) machine.run({ maxInstructions: budget });
  return { machine, domid };
}
