/**
 * The command line: one file for each command, this one puts them together. Exit codes: 0 the guest powered off, 1 it crashed or ended for another reason,
 * 2 wrong usage or image (one line on standard error says what to do), 3 the instruction budget is spent, 70 a bug of vmexit itself.
 */
import { Command, CommanderError } from "commander";
import { HvError, UsageError } from "../lib/errors.ts";
import { addAudit } from "./audit.ts";
import { addBench } from "./bench.ts";
import { addBuffers } from "./buffers.ts";
import { addCost } from "./cost.ts";
import { addDedup } from "./dedup.ts";
import { addDemo } from "./demo.ts";
import { addDom } from "./dom.ts";
import { addGdb } from "./gdb.ts";
import { addGuests } from "./guests.ts";
import { addIo } from "./io.ts";
import { addKnobs } from "./knobs.ts";
import { addMonitor } from "./monitor.ts";
import { addP2m } from "./p2m.ts";
import { addPager } from "./pager.ts";
import { addPair } from "./pair.ts";
import { addRace } from "./race.ts";
import { addRun } from "./run.ts";
import { addStudy } from "./study.ts";
import { addTrace } from "./trace.ts";
import { addWalk } from "./walk.ts";

const USAGE = 2;
const VERSION = "0.1.0";
const BUG = 70;

/** What commander found wrong, as one line that also says what to do. */
function usageLine(text: string, command: string): string {
  const problem = text
    .replace(/^error: /, "")
    .trim()
    .replace(/\.$/, "");
  const [, what, guess] = /^(.*)\n\(Did you mean (.*)\?\)$/s.exec(problem) ?? [];
  return guess === undefined
    ? `vmexit: ${problem}: ${command} --help says what it takes\n`
    : `vmexit: ${what}: did you mean ${guess}?\n`;
}

/** Runs the command line `args` (without node and script). @returns the exit code; never throws for wrong usage. */
export async function main(args: readonly string[]): Promise<number> {
  let code = 0;
  const done = (result: number): void => {
    code = result;
  };
  const program = new Command("vmexit")
    .description("an emulated x86 hypervisor you can single-step, race and measure")
    .version(VERSION)
    .exitOverride()
    .configureHelp({ subcommandTerm: (c) => (c.options.length === 0 ? c.name() : `${c.name()} ${c.usage()}`) })
    .configureOutput({ outputError: (text, write) => write(usageLine(text, "vmexit")) });
  addRun(program, done);
  addGuests(program);
  addKnobs(program);
  addWalk(program);
  addRace(program, done);
  addPair(program, done);
  addAudit(program);
  addBuffers(program);
  addDom(program);
  addP2m(program);
  addDedup(program, done);
  addIo(program, done);
  addBench(program, done);
  addCost(program);
  addStudy(program);
  addTrace(program);
  addGdb(program);
  addMonitor(program, done);
  addPager(program, done);
  addDemo(program, done);
  for (const command of program.commands)
    command.exitOverride().configureOutput({
      outputError: (text, write) => write(usageLine(text, `vmexit ${command.name()}`)),
    });
  try {
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    if (error instanceof UsageError) {
      process.stderr.write(`vmexit: ${error.message}\n`);
      return USAGE;
    }
    if (error instanceof HvError) {
      process.stderr.write(`vmexit: the toolstack failed: ${error.message}\n`);
      return 1;
    }
    process.stderr.write(
      `vmexit: this is a bug of vmexit, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    return BUG;
  }
}
