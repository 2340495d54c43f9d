/** Reports of a replayed schedule by the name of their form. What they tell is in report/story.ts, each form in a file of its own. */
import { UsageError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { markdownReport } from "./report/markdown.ts";
import { perfettoReport } from "./report/perfetto.ts";
import type { Story } from "./report/story.ts";
import { svgReport } from "./report/svg.ts";
import { textReport } from "./report/text.ts";

/** Name of a form for --report, and what makes it. */
export const REPORTS: Readonly<Record<string, (story: Story) => string>> = {
  text: textReport,
  markdown: markdownReport,
  svg: svgReport,
  trace: perfettoReport,
};

/** @throws UsageError that names the forms there are. */
export function reportByName(name: string): (story: Story) => string {
  const report = Object.hasOwn(REPORTS, name) ? REPORTS[name] : undefined;
  if (report) return report;
  const meant = nearest(name, Object.keys(REPORTS));
  const guess = meant === undefined ? "" : ` (did you mean ${meant}?)`;
  throw new UsageError(`unknown form of report "${name}"${guess}: use one of ${Object.keys(REPORTS).join(", ")}`);
}
