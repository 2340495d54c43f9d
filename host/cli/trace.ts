/** vmexit trace: boots a guest and writes all that happened, for Perfetto or to read. */
import type { Command } from "commander";
import { UsageError } from "../lib/errors.ts";
import { vcpuNamer } from "../lib/inspect.ts";
import { chromeTrace } from "../lib/trace/chrome.ts";
import { traceText } from "../lib/trace/text.ts";
import { traceRun } from "../lib/travel/whole-trace.ts";
import { writeOutput } from "../node/files.ts";
import { addBootOptions, type BootOptions, bootGuest } from "./booted.ts";
import { parseCount, parseInstructions } from "./options.ts";

interface TraceOptions extends BootOptions {
  readonly output?: string;
  readonly text?: boolean;
  readonly maxInstructions?: string;
  readonly events: string;
}

async function trace(what: string, options: TraceOptions): Promise<void> {
  const budget =
    options.maxInstructions === undefined
      ? Number.POSITIVE_INFINITY
      : parseInstructions(options.maxInstructions, "--max-instructions");
  const events = parseCount(options.events, "--events", 1, 10_000_000);
  const { machine, domid } = await bootGuest(what, options);
  using m = machine;
  if (m.vcpus(domid).length === 0) throw new UsageError(`${what} has ended and is gone by then: choose a smaller --at`);
  const name = vcpuNamer(m.core);
  const { records, isCut } = traceRun(m, budget, events);
  const text = options.text ? traceText(records, name) : chromeTrace(records, name);
  if (options.output === undefined) process.stdout.write(text);
  else writeOutput(options.output, text, "trace");
  if (isCut) process.stderr.write(`vmexit: only the first ${records.length} events: --events allows more\n`);
}

export function addTrace(program: Command): void {
  const command = program
    .command("trace")
    .description("boot a guest and write what happened: exits, requests, hypercalls, p2m changes")
    .argument("<guest>", "name of a guest, or a file")
    .option("-o, --output <file>", "write there instead of standard output")
    .option("--text", "one line for each event, to read; otherwise JSON for ui.perfetto.dev")
    .option("--json", "JSON for ui.perfetto.dev (the default)")
    .option("--max-instructions <n>", "stop after so many")
    .option("--events <n>", "keep so many events at most", "1000000");
  addBootOptions(command).action(trace);
}
