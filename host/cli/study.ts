/** vmexit study: a trade-off, measured over a matrix of designs and sizes, as one page that can be sent to somebody. */
import type { Command } from "commander";
import { checkWritable, writeWhole } from "../../bench/result-file.ts";
import { findStudy, STUDIES } from "../../bench/study/catalogue.ts";
import { STUDY_NORMAL, STUDY_QUICK } from "../../bench/study/measure.ts";
import { studyHtml, studySvg } from "../../bench/study/report-html.ts";
import { studyText } from "../../bench/study/report-text.ts";
import { runStudy } from "../../bench/study/result.ts";
import { readCosts } from "./cost.ts";

interface StudyOptions {
  readonly out?: string;
  readonly quick?: boolean;
  readonly cost?: string;
  readonly json?: boolean;
  readonly plot?: string;
}

function study(name: string, options: StudyOptions): void {
  const chosen = findStudy(name);
  const costs = readCosts(options.cost);
  const out = options.out ?? `study-${name}.html`;
  checkWritable(out, options.plot);
  const command = ["vmexit study", name, options.quick ? "--quick" : "", options.cost ? `--cost ${options.cost}` : ""]
    .filter((part) => part !== "")
    .join(" ");
  const effort = options.quick ? STUDY_QUICK : STUDY_NORMAL;
  const result = runStudy(chosen, effort, costs, command, (text) => process.stderr.write(`${text}\n`));
  writeWhole(out, studyHtml(chosen, result));
  if (options.plot !== undefined) writeWhole(options.plot, studySvg(chosen, result.points));
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : `${studyText(chosen, result)}written: ${out}\n`);
}

export function addStudy(program: Command): void {
  program
    .command("study")
    .description("weigh designs over a workload: tables, and one page with plots")
    .argument("[name]", "which; without it the studies are listed")
    .option("--out <file>", "where the page goes (default study-NAME.html)")
    .option("--plot <file>", "the simulated cost as an SVG picture as well")
    .option("--quick", "fewer rounds")
    .option("--cost <file>", "costs of your own (vmexit cost)")
    .option("--json", "print the raw data")
    .action((name: string | undefined, options: StudyOptions) => {
      if (name !== undefined) return study(name, options);
      const width = Math.max(...STUDIES.map((s) => s.name.length));
      for (const s of STUDIES) process.stdout.write(`  ${s.name.padEnd(width)}  ${s.title}\n`);
    });
}
