/**
 * `npm run bench`: every suite, one table each, ratios within this run. `-- --quick` takes fewer samples; `-- --json` prints raw samples;
 * a word chooses suites whose name contains it.
 */
import { parseArgs } from "node:util";
import { environment, environmentText } from "./environment.ts";
import { type Effort, NORMAL, QUICK } from "./harness.ts";
import { type Table, tableText } from "./report.ts";
import { explorerSuite } from "./suites/explorer.ts";
import { guestMipsSuite } from "./suites/guest-mips.ts";
import { ioSuite } from "./suites/io.ts";
import { p2mRecalcSuite } from "./suites/p2m-recalc.ts";
import { selectSuite } from "./suites/select.ts";
import { walkSuite } from "./suites/walk.ts";

const SUITES: Readonly<Record<string, (effort: Effort) => Table>> = {
  "guest-mips": guestMipsSuite,
  io: ioSuite,
  "p2m-recalc": p2mRecalcSuite,
  select: selectSuite,
  walk: walkSuite,
  explorer: explorerSuite,
};

const { values, positionals } = parseArgs({
  options: { quick: { type: "boolean", default: false }, json: { type: "boolean", default: false } },
  allowPositionals: true,
});
const machine = environment();
const chosen = Object.entries(SUITES).filter(([name]) => positionals.every((word) => name.includes(word)));
if (chosen.length === 0) {
  console.error(`no suite is called like that; there are: ${Object.keys(SUITES).join(", ")}`);
  process.exit(2);
}
if (!values.json) console.log(`${environmentText(machine)}\n`);
const tables: Table[] = [];
for (const [, suite] of chosen) {
  const table = suite(values.quick ? QUICK : NORMAL);
  tables.push(table);
  if (!values.json) console.log(`${tableText(table)}\n`);
}
if (values.json) console.log(JSON.stringify({ format: "vmexit-bench", version: 1, machine, tables }, null, 1));
