/** vmexit pair: two guests in one machine, a front end and a back end that share pages by grant. */
import type { Command } from "commander";
import { type PairRun, runPair } from "../lib/pair.ts";
import { compileBuild } from "../node/wasm.ts";
import { openGuest } from "./guest-source.ts";
import { collect, parseInstructions, parseKnobOptions } from "./options.ts";

interface PairCommandOptions {
  readonly maxInstructions: string;
  readonly knob: readonly string[];
  readonly json?: boolean;
}

const BUDGET_SPENT = 3;

function exitCode({ outcomes }: PairRun): number {
  if (outcomes.includes("budget")) return BUDGET_SPENT;
  return outcomes.every((outcome) => outcome === "poweroff") ? 0 : 1;
}

async function pair(front: string, back: string, options: PairCommandOptions): Promise<number> {
  const [one, other] = [await openGuest(front, false), await openGuest(back, false)];
  const run = runPair(compileBuild("release"), one, other, {
    maxInstructions: parseInstructions(options.maxInstructions, "--max-instructions"),
    knobs: parseKnobOptions(options).knobs,
    ...(options.json ? {} : { onOutput: (text: string) => process.stdout.write(text) }),
  });
  if (options.json) process.stdout.write(`${JSON.stringify(run)}\n`);
  else
    process.stdout.write(
      `${front} ${run.outcomes[0]}, ${back} ${run.outcomes[1]}: ${run.grantMaps} page(s) mapped by grant, ` +
        `${run.grantCopies} copied, ${run.instructions} instructions\n`,
    );
  return exitCode(run);
}

export function addPair(program: Command, done: (code: number) => void): void {
  program
    .command("pair")
    .description("run two guests in one machine that share pages by grant: a front end and a back end")
    .argument("[front]", "the guest that is created first (vmexit guests), or a file", "ring-front")
    .argument("[back]", "the other one", "ring-back")
    .option("--max-instructions <n>", "stop after so many", "100m")
    .option("--knob <name=value>", "one knob (repeatable; vmexit knobs)", collect, [])
    .option("--json", "print one JSON object at the end")
    .action(async (front: string, back: string, options: PairCommandOptions) => done(await pair(front, back, options)));
}
