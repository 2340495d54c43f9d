/**
 * `npm run bench`: every suite, one table each, ratios within this run.
 *
 *   npm run bench -- --quick              fewer samples, under three minutes
 *   npm run bench -- walk io              suites whose name contains one of the words
 *   npm run bench -- --json out.json      the result file for `vmexit bench compare` as well
 */
import { parseArgs } from "node:util";
import { UsageError } from "../host/lib/errors.ts";
import { NORMAL, QUICK } from "./harness.ts";
import { checkWritable, writeWhole } from "./result-file.ts";
import { runBench } from "./run.ts";

function options(): { readonly isQuick: boolean; readonly json?: string; readonly words: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({
      options: { quick: { type: "boolean", default: false }, json: { type: "string" } },
      allowPositionals: true,
    });
    return { isQuick: values.quick, words: positionals, ...(values.json === undefined ? {} : { json: values.json }) };
  } catch (cause) {
    throw new UsageError(`${(cause as Error).message}: --quick, --json FILE and names of suites are understood`, {
      cause,
    });
  }
}

try {
  const { isQuick, json, words } = options();
  checkWritable(json);
  const result = runBench(words, isQuick ? QUICK : NORMAL, {
    table: (text) => console.log(text),
    progress: (text) => console.error(text),
  });
  if (json !== undefined) writeWhole(json, `${JSON.stringify(result, null, 1)}\n`);
  if (result.noise.verdict === "useless") process.exitCode = 3;
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`bench: ${error.message}`);
  process.exitCode = 2;
}
