/** vmexit dedup: many copies of a guest in a machine that is too small for them. */
import type { Command } from "commander";
import { type CopiesRun, type Progress, runCopies } from "../lib/dedup/copies.ts";
import { compileBuild } from "../node/wasm.ts";
import { openGuest } from "./guest-source.ts";
import { collect, parseCount, parseInstructions, parseKnobOptions, parseMemory } from "./options.ts";

interface DedupCommandOptions {
  readonly copies: string;
  readonly memory?: string;
  readonly machine: string;
  readonly slice: string;
  readonly maxInstructions: string;
  readonly knob: readonly string[];
  readonly flat?: boolean;
  readonly json?: boolean;
}

const n = (value: number): string => value.toLocaleString("en-US");
/** Copies beyond this need more actors than a machine has: six each (host/lib/actors.ts). */
const MAX_COPIES = 160;

/** One line that is written over itself, with how many pages were unshared a second. */
function liveLine(copies: number): (progress: Progress) => void {
  let last = { at: performance.now(), unshares: 0 };
  return (p) => {
    const now = performance.now();
    const rate = (p.unshares - last.unshares) / Math.max(1e-3, (now - last.at) / 1000);
    last = { at: now, unshares: p.unshares };
    process.stderr.write(
      `\r${p.started}/${copies} started, ${p.ended} ended; frames ${n(p.framesUsed)}, freed pages ${n(p.freedPages)}, ` +
        `used frames ${n(p.usedFrames)}, ${n(Math.round(rate))} unshares/s   `,
    );
  };
}

function summary(run: CopiesRun, seconds: number): string {
  const mib = (pages: number): string => n(Math.round(pages / 256));
  return (
    `${run.copies} copies, ${n(run.guestPages)} pages of guest RAM (${mib(run.guestPages)} MiB) in at most ${n(run.framesUsed)} frames (${mib(run.framesUsed)} MiB)\n` +
    `freed pages ${n(run.freedPages)}, used frames ${n(run.usedFrames)}, unshares ${n(run.unshares)}, ` +
    `scanned ${(run.scannedBytes / 2 ** 30).toFixed(1)} GiB, ${seconds.toFixed(1)} s\n` +
    `outputs ${run.outputsEqual ? "equal" : "DIFFER"}, every copy: ${[...new Set(run.outcomes)].join(", ")}\n`
  );
}

async function dedup(what: string, options: DedupCommandOptions): Promise<number> {
  const copies = parseCount(options.copies, "--copies", 1, MAX_COPIES);
  const source = await openGuest(what, options.flat ?? false);
  const started = performance.now();
  const run = runCopies(compileBuild("release"), {
    image: source.image,
    cmdline: source.cmdline,
    vcpus: source.vcpus,
    copies,
    memoryBytes: options.memory === undefined ? source.memoryBytes : parseMemory(options.memory),
    machineBytes: parseMemory(options.machine),
    slice: parseInstructions(options.slice, "--slice"),
    maxInstructions: parseInstructions(options.maxInstructions, "--max-instructions"),
    knobs: parseKnobOptions(options).knobs,
    ...(options.json ? {} : { onProgress: liveLine(copies) }),
  });
  const { guestPages, framesUsed, freedPages, usedFrames, unshares, outputsEqual } = run;
  if (options.json)
    process.stdout.write(
      `${JSON.stringify({ copies, guestPages, framesUsed, freedPages, usedFrames, unshares, outputsEqual })}\n`,
    );
  else process.stdout.write(`\n${summary(run, (performance.now() - started) / 1000)}`);
  return outputsEqual && run.outcomes[0] === "poweroff" ? 0 : 1;
}

export function addDedup(program: Command, done: (code: number) => void): void {
  program
    .command("dedup")
    .description("run many copies of a guest in a small machine, equal pages shared while they write")
    .argument("<guest>", "name of a guest (vmexit guests), or a file")
    .option("--copies <n>", "how many", "8")
    .option("--memory <size>", "RAM of each copy, for instance 64M")
    .option("--machine <size>", "memory of the whole machine", "512M")
    .option("--slice <instructions>", "one turn of one copy", "100k")
    .option("--max-instructions <n>", "stop a copy after so many", "1g")
    .option("--knob <name=value>", "one knob (repeatable; vmexit knobs)", collect, [])
    .option("--flat", "load the file as it is at 1 MiB")
    .option("--json", "print one JSON object at the end and no live line")
    .action(async (what: string, options: DedupCommandOptions) => done(await dedup(what, options)));
}
