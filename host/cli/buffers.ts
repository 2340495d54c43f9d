/** vmexit buffers: which way of keeping hypercall buffers keeps which promise, and where bouncing costs what (docs/hypercall-buffers.md). */
import type { Command } from "commander";
import { compareDesigns, costsMarkdown } from "../lib/buffers/where.ts";
import { UsageError } from "../lib/errors.ts";
import { createMachine } from "../lib/machine.ts";
import { COLUMNS, exploreMatrix, LONG_COLUMNS } from "../lib/process/matrix.ts";
import { matrixText } from "../lib/process/matrix-text.ts";
import { STRATEGY_LIST, strategyNamed } from "../lib/process/strategies.ts";
import { domainCreate } from "../lib/toolstack/domctl.ts";
import { compileBuild } from "../node/wasm.ts";
import { parseCount } from "./options.ts";

interface MatrixOptions {
  readonly strategy?: string;
  readonly atOnce?: boolean;
  readonly json?: boolean;
}

function matrix({ strategy, atOnce, json }: MatrixOptions): void {
  const chosen = strategy === undefined ? undefined : strategyNamed(strategy);
  if (strategy !== undefined && !chosen)
    throw new UsageError(`unknown strategy "${strategy}": use one of ${STRATEGY_LIST.map((s) => s.name).join(", ")}`);
  const result = exploreMatrix(
    compileBuild("race"),
    atOnce ? LONG_COLUMNS : COLUMNS,
    chosen ? [chosen] : STRATEGY_LIST,
  );
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : matrixText(result));
}

/** A machine with a domain to work on. */
export function costsOfDesigns(batches: number) {
  using machine = createMachine(compileBuild("release"), { memoryBytes: 2 ** 20 });
  return compareDesigns(machine.dom0, domainCreate(machine.dom0, 1), batches);
}

function where(options: { readonly batches: string; readonly json?: boolean }): void {
  const batches = parseCount(options.batches, "--batches", 1, 16);
  const costs = costsOfDesigns(batches);
  process.stdout.write(
    options.json ? `${JSON.stringify({ format: "vmexit-buffer-costs", version: 1, costs })}\n` : costsMarkdown(costs),
  );
}

export function addBuffers(program: Command): void {
  const buffers = program.command("buffers").description("compare ways to keep hypercall buffers safe");
  buffers
    .command("matrix")
    .description("explore every strategy under everything dom0's kernel may do, and print which property holds")
    .option("--strategy <name>", "only this one")
    .option("--at-once", "B-2 to B-6 with reclaim, migration and fork all at once: minutes")
    .option("--json", "print one JSON object")
    .action(matrix);
  buffers
    .command("where")
    .description("bounce in each callee, in each caller, or the whole batch: copies counted")
    .option("--batches <n>", "batches of 512 pages", "16")
    .option("--json", "print one JSON object")
    .action(where);
}
