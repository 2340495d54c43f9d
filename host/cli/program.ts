/**
 * The command line: one file for each command, this one puts them together. Exit codes: 0 the guest powered off, 1 it crashed or ended for another reason,
 * 2 wrong usage or image (one line on standard error says what to do), 3 the instruction budget is spent, 70 a bug of vmexit itself.
 */
import { Command, CommanderError } from "commander";
import { HvError, UsageError } from "../lib/errors.ts";
import { addDemo } from "./demo.ts";
import { addGuests } from "./guests.ts";
import { addKnobs } from "./knobs.ts";
import { addRace } from "./race.ts";
import { addRun } from "./run.ts";
import { addWalk } from "./walk.ts";

const USAGE = 2;
const BUG = 70;

/** Runs the command line `args` (without node and script). @returns the exit code; never throws for wrong usage. */
export async function main(args: readonly string[]): Promise<number> {
  let code = 0;
  const done = (result: number): void => {
    code = result;
  };
  const program = new Command("vmexit")
    .description("an emulated x86 hypervisor you can single-step, race and measure")
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "vmexit: ")) });
  addRun(program, done);
  addGuests(program);
  addKnobs(program);
  addWalk(program);
  addRace(program, done);
  addDemo(program, done);
  for (const command of program.commands) command.exitOverride().configureOutput(program.configureOutput());
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
