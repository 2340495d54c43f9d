/** vmexit monitor: runs a guest and reports every write to some of its pages, and every instruction executed from others. */
import type { Command } from "commander";
import { HvError, UsageError } from "../lib/errors.ts";
import { createMonitor, type MonitorEvent } from "../lib/monitor/monitor.ts";
import { addBootOptions, type BootOptions, bootGuest } from "./booted.ts";
import { collect, parseCount, parseInstructions } from "./options.ts";
import { exitCode } from "./report.ts";

interface MonitorCliOptions extends BootOptions {
  readonly write: readonly string[];
  readonly execute: readonly string[];
  readonly maxEvents?: string;
  readonly maxInstructions?: string;
  readonly json?: boolean;
}

/** Pages of one option at most: each is a call to the hypervisor. */
const MOST_PAGES = 0x10000;
const DEFAULT_EVENTS = 1000;
const DEFAULT_INSTRUCTIONS = 1_000_000_000;

/** "0x300", "768" or "0x300-0x30f". */
function parseGfns(text: string, option: string): number[] {
  const number = "(0x[0-9a-f]+|\\d+)";
  const match = new RegExp(`^${number}(?:-${number})?$`, "i").exec(text);
  const first = match ? Number(match[1]) : Number.NaN;
  const last = match?.[2] === undefined ? first : Number(match[2]);
  if (!(last >= first && last < 2 ** 36 && last - first < MOST_PAGES))
    throw new UsageError(
      `${option} "${text}" is not a guest frame: write for instance 0x300 (its address is 0x300000), or 0x300-0x30f`,
    );
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

const hex = (n: number | bigint): string => `0x${n.toString(16)}`;

function eventText(event: MonitorEvent): string {
  const what = event.isPageWalk ? "page walk writes" : event.kind === "write" ? "writes" : "executes";
  return `vcpu ${event.vcpu} at ${hex(event.rip)} ${what} ${hex(event.gfn * 4096 + event.offset)} (gfn ${hex(event.gfn)})\n`;
}

const eventJson = ({ gla, rip, ...rest }: MonitorEvent): object => ({
  ...rest,
  ...(gla === undefined ? {} : { gla: hex(gla) }),
  rip: hex(rip),
});

async function monitor(what: string, options: MonitorCliOptions): Promise<number> {
  const write = options.write.flatMap((text) => parseGfns(text, "--write"));
  const execute = options.execute.flatMap((text) => parseGfns(text, "--execute"));
  if (write.length + execute.length === 0)
    throw new UsageError("nothing to watch: name pages with --write GFN or --execute GFN");
  const most =
    options.maxEvents === undefined ? DEFAULT_EVENTS : parseCount(options.maxEvents, "--max-events", 1, 1_000_000);
  const budget =
    options.maxInstructions === undefined
      ? DEFAULT_INSTRUCTIONS
      : parseInstructions(options.maxInstructions, "--max-instructions");
  const { machine, domid } = await bootGuest(what, options);
  using m = machine;
  if (m.ended(domid)) throw new UsageError(`${what} has ended and is gone by then: choose a smaller --at`);
  const events: MonitorEvent[] = [];
  let count = 0;
  const onEvent = (event: MonitorEvent): void => {
    if (++count > most) return;
    events.push(event);
    if (!options.json) process.stdout.write(eventText(event));
  };
  try {
    const watcher = createMonitor({ dom0: m.dom0, domid, write, execute, onEvent });
    m.attachListener(watcher.listener, watcher.serve);
  } catch (error) {
    if (!(error instanceof HvError) || error.code !== "EINVAL") throw error;
    throw new UsageError(
      `${what} has no such page, or this hypervisor cannot restrict it: vmexit p2m ${what} shows its pages (${error.message})`,
    );
  }
  const why = m.run({ maxInstructions: budget });
  const end = m.ended(domid);
  const outcome = end?.outcome ?? (why.kind === "budget" ? "budget" : "halted");
  if (options.json)
    process.stdout.write(
      `${JSON.stringify({
        format: "vmexit-monitor",
        version: 1,
        guest: what,
        outcome,
        count,
        events: events.map(eventJson),
        console: m.console(),
      })}\n`,
    );
  else
    process.stdout.write(
      `${count} event(s)${count > most ? `, the first ${most} shown` : ""}; the guest ended: ${outcome}\n`,
    );
  return exitCode(outcome);
}

export function addMonitor(program: Command, done: (code: number) => void): void {
  const command = program
    .command("monitor")
    .description("run a guest and report every write to some pages, every instruction executed from others")
    .argument("<guest>", "name of a guest, or a file")
    .option("--write <gfn>", "guest frame, or first-last, whose writes are reported (repeatable)", collect, [])
    .option("--execute <gfn>", "guest frame, or first-last, whose execution is reported (repeatable)", collect, [])
    .option("--max-events <n>", `events that are shown (default ${DEFAULT_EVENTS}); all are counted`)
    .option("--max-instructions <n>", "stop after so many, exit code 3")
    .option("--json", "print one JSON object");
  addBootOptions(command).action(async (what: string, options: MonitorCliOptions) =>
    done(await monitor(what, options)),
  );
}
