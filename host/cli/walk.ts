/** vmexit walk: the EPT walk of one guest-physical address, before the guest's first instruction or after some. */
import type { Command } from "commander";
import { walkText } from "../lib/debug/walk-text.ts";
import { createMachine } from "../lib/machine.ts";
import { compileBuild } from "../node/wasm.ts";
import { openGuest } from "./guest-source.ts";
import { collect, parseGpa, parseInstructions, parseKnobOptions, parseMemory } from "./options.ts";

interface WalkOptions {
  readonly memory?: string;
  readonly after?: string;
  readonly era?: string;
  readonly knob: readonly string[];
  readonly flat?: boolean;
}

async function walkCommand(what: string, address: string, options: WalkOptions): Promise<void> {
  const gpa = parseGpa(address);
  const source = await openGuest(what, options.flat ?? false);
  const memoryBytes = options.memory === undefined ? source.memoryBytes : parseMemory(options.memory);
  using machine = createMachine(compileBuild("release"), {
    memoryBytes,
    vcpus: source.vcpus,
    ...parseKnobOptions(options),
  });
  const { domid } = machine.createGuest({
    image: source.image,
    memoryBytes,
    vcpus: source.vcpus,
    cmdline: source.cmdline,
    modules: [],
  });
  if (options.after !== undefined) machine.run({ maxInstructions: parseInstructions(options.after, "--after") });
  process.stdout.write(walkText(machine.core, domid, gpa, machine.walk(domid, gpa)));
}

export function addWalk(program: Command): void {
  program
    .command("walk")
    .description("show how the EPT translates one guest-physical address")
    .argument("<guest>", "name of a guest, or a file")
    .argument("<gpa>", "guest-physical address, for instance 0x100000")
    .option("--memory <size>", "guest RAM, for instance 64M")
    .option("--after <n>", "run so many instructions first")
    .option("--era <era>", "preset of knobs")
    .option("--knob <name=value>", "one knob (repeatable)", collect, [])
    .option("--flat", "load the file as it is at 1 MiB")
    .action(walkCommand);
}
