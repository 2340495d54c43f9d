/** vmexit cost: the declared cost of every counted event, and where each figure comes from. */
import type { Command } from "commander";
import { parseCosts } from "../lib/cost/cost-file.ts";
import { COST_EVENTS, type CostModel, DEFAULT_COSTS } from "../lib/cost/model.ts";
import { modelText } from "../lib/cost/text.ts";
import { readInput } from "../node/files.ts";

/** The costs of a file, or the defaults. @throws UsageError */
export function readCosts(file: string | undefined): CostModel {
  return file === undefined ? DEFAULT_COSTS : parseCosts(new TextDecoder().decode(readInput(file, "cost file")), file);
}

export function addCost(program: Command): void {
  program
    .command("cost")
    .description("what each counted event is taken to cost, in cycles, and why")
    .option("--cost <file>", "costs of your own (docs/cost-model.md)")
    .option("--json", "print JSON")
    .action((options: { readonly cost?: string; readonly json?: boolean }) => {
      const model = readCosts(options.cost);
      if (options.json) {
        const events = COST_EVENTS.map(({ name, cycles, text, source }) => ({
          name,
          cycles: model[name],
          default: cycles,
          text,
          source,
        }));
        process.stdout.write(`${JSON.stringify({ events })}\n`);
      } else process.stdout.write(modelText(model));
    });
}
