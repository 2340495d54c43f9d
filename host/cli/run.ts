/** vmexit run: boots a guest; the terminal is its console. */
import type { Command } from "commander";
import { explainTrap } from "../lib/assert-sites.ts";
import { crashDump } from "../lib/debug/crash-dump.ts";
import { UsageError } from "../lib/errors.ts";
import type { DomId } from "../lib/ids.ts";
import { vcpuNamer } from "../lib/inspect.ts";
import { createMachine, type GuestEnd, type Machine } from "../lib/machine.ts";
import { chromeTrace } from "../lib/trace/chrome.ts";
import { readTrace } from "../lib/trace/decode.ts";
import { traceText } from "../lib/trace/text.ts";
import { readInput, writeOutput } from "../node/files.ts";
import { openTerminal, type Terminal } from "../node/terminal.ts";
import { compileBuild } from "../node/wasm.ts";
import { readCosts } from "./cost.ts";
import { openGuest } from "./guest-source.ts";
import { collect, parseCount, parseInstructions, parseKnobOptions, parseMemory } from "./options.ts";
import { exitCode, makeReport, statsText } from "./report.ts";
import { isWasiSystem, runInWasi } from "./run-wasi.ts";

interface RunOptions {
  readonly memory?: string;
  readonly vcpus?: string;
  readonly cmdline?: string;
  readonly module: readonly string[];
  readonly era?: string;
  readonly knob: readonly string[];
  readonly maxInstructions?: string;
  readonly trace?: string;
  readonly stats?: boolean;
  readonly cost?: string;
  readonly json?: boolean;
  readonly list?: boolean;
  readonly flat?: boolean;
  readonly wasi?: string | boolean;
}

/** Guest instructions between two looks at the keyboard: as many as take about LOOK_MS on this computer, for this guest. */
const SMALLEST_SLICE = 20_000;
const LARGEST_SLICE = 20_480_000;
const LOOK_MS = 40;
/** How long to wait for a key when nothing can run, in milliseconds. */
const IDLE_WAIT = 250;

/**
 * Runs until the guest ends, the budget is spent, or the user stops it. Between slices the terminal is served.
 * A guest that waits for input is idle, not halted, as long as input can come.
 */
async function runWithTerminal(
  machine: Machine,
  domid: DomId,
  terminal: Terminal,
  budget: number,
  isQuiet: boolean,
): Promise<GuestEnd> {
  let left = budget;
  let slice = SMALLEST_SLICE;
  for (;;) {
    if (left <= 0) return { outcome: "budget", reason: `the budget of ${budget} instructions is spent` };
    for (let input = terminal.takeInput(); input; input = terminal.takeInput()) machine.type(domid, input);
    const allowed = Math.min(left, slice);
    const before = machine.stats().instructions;
    const began = performance.now();
    const end = machine.run({ maxInstructions: allowed });
    const took = performance.now() - began;
    // A guest may spend a slice on exits alone.
    left -= end.kind === "budget" ? allowed : machine.stats().instructions - before;
    if (took < LOOK_MS / 2) slice = Math.min(slice * 2, LARGEST_SLICE);
    else if (took > LOOK_MS) slice = Math.max(slice / 2, SMALLEST_SLICE);
    if (!isQuiet) terminal.write(machine.takeConsole());
    if (end.kind === "ended") return machine.ended(domid) ?? { outcome: "halted", reason: "the guest is gone" };
    if (terminal.isStopped) return { outcome: "halted", reason: "stopped from the terminal" };
    if (end.kind === "idle") {
      if (terminal.isInputOver)
        return { outcome: "halted", reason: "every vCPU waits for an event that nobody can send" };
      await terminal.wait(IDLE_WAIT);
    } else await new Promise((resolve) => setImmediate(resolve));
  }
}

async function run(what: string, options: RunOptions): Promise<number> {
  const source = await openGuest(what, options.flat ?? false);
  if (options.list) {
    if (!source.listing)
      throw new UsageError(`${what} is a file: --list shows the listing of a guest that comes with vmexit`);
    process.stdout.write(source.listing());
    return 0;
  }
  const memoryBytes = options.memory === undefined ? source.memoryBytes : parseMemory(options.memory);
  const vcpus = options.vcpus === undefined ? source.vcpus : parseCount(options.vcpus, "--vcpus", 1, 128);
  const budget =
    options.maxInstructions === undefined
      ? Number.POSITIVE_INFINITY
      : parseInstructions(options.maxInstructions, "--max-instructions");
  const cmdline = options.cmdline ?? source.cmdline;
  if (options.wasi !== undefined) {
    const settings = { memoryBytes, vcpus, cmdline, ...(Number.isFinite(budget) ? { maxInstructions: budget } : {}) };
    return runInWasi(source, { ...options, wasi: options.wasi }, settings);
  }
  const modules = options.module.map((file) => readInput(file, "module"));
  const knobOptions = parseKnobOptions(options);
  const costs = readCosts(options.cost);

  using machine = createMachine(compileBuild("release"), { memoryBytes, vcpus, ...knobOptions });
  const { domid } = machine.createGuest({
    image: source.image,
    memoryBytes,
    vcpus,
    cmdline,
    modules,
  });
  if (options.trace !== undefined) writeOutput(options.trace, "", "trace"); // better now than after a long run
  const isQuiet = options.json ?? false;
  using terminal = openTerminal(!isQuiet);
  const started = performance.now();
  const end = await runWithTerminal(machine, domid, terminal, budget, isQuiet).catch((error: unknown): never => {
    if (error instanceof WebAssembly.RuntimeError) throw new Error(explainTrap(machine.core, error), { cause: error });
    throw error;
  });
  const wallMs = performance.now() - started;

  if (options.trace !== undefined) {
    const records = readTrace(machine.core);
    const name = vcpuNamer(machine.core);
    writeOutput(
      options.trace,
      options.trace.endsWith(".json") ? chromeTrace(records, name) : traceText(records, name),
      "trace",
    );
  }
  if (options.json) process.stdout.write(`${JSON.stringify(makeReport(machine, source.name, end, wallMs))}\n`);
  else if (end.outcome !== "poweroff") process.stderr.write(`vmexit: ${source.name}: ${end.outcome}: ${end.reason}\n`);
  if (!options.json && (end.outcome === "crash" || end.isFault)) process.stderr.write(crashDump(machine, domid));
  if (options.stats) process.stderr.write(statsText(machine, wallMs, costs));
  return exitCode(end.outcome);
}

/** `run --wasi hello`: the option's value may be left out, so the guest is taken for it; put it where it belongs. */
function takeGuest(what: string | undefined, options: RunOptions): [guest: string, options: RunOptions] {
  if (what !== undefined) return [what, options];
  if (typeof options.wasi === "string" && !isWasiSystem(options.wasi))
    return [options.wasi, { ...options, wasi: true }];
  throw new UsageError("missing required argument 'guest': vmexit guests lists those that come with it");
}

export function addRun(program: Command, done: (code: number) => void): void {
  program
    .command("run")
    .description("boot a guest; the terminal is its console, Ctrl-C ends it")
    .usage("[options] <guest>")
    .argument("[guest]", "name of a guest (vmexit guests), or an ELF, multiboot or flat file")
    .option("--memory <size>", "guest RAM, for instance 64M")
    .option("--vcpus <n>", "virtual CPUs")
    .option("--cmdline <text>", "command line for the guest")
    .option("--module <file>", "file to load beside the guest (repeatable)", collect, [])
    .option("--era <era>", "preset of knobs: 2012, 2014, 2016-v6, 4.17, today")
    .option("--knob <name=value>", "one knob (repeatable; vmexit knobs)", collect, [])
    .option("--max-instructions <n>", "stop after so many, exit code 3")
    .option("--trace <file>", "write the trace: Chrome JSON for *.json, text otherwise")
    .option("--stats", "print counts, simulated cost and time at the end")
    .option("--cost <file>", "costs of your own for --stats (vmexit cost)")
    .option("--json", "print one JSON object instead of the console")
    .option("--list", "print the guest's listing and end")
    .option("--wasi [system]", "run the stand-alone command module under wasmer (default) or node")
    .option("--flat", "load the file as it is at 1 MiB")
    .action(async (what: string | undefined, options: RunOptions) => {
      const [guest, rest] = takeGuest(what, options);
      done(await run(guest, rest));
    });
}
