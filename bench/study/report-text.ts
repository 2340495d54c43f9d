/** A study's result for the terminal: one table a phase, and what it says. */
import { findings, phasesOf } from "./findings.ts";
import type { StudyResult } from "./result.ts";
import type { Study } from "./study.ts";

const number = (n: number): string => (n >= 1000 ? Math.round(n).toLocaleString("en") : n.toPrecision(3));

export function studyText(study: Study, result: StudyResult): string {
  const width = Math.max(...study.variants.map((v) => v.label.length));
  const phases = phasesOf(result.points);
  const parts = phases.map((phase) => {
    const head = `${"".padEnd(width)} ${study.sizeLabel.padStart(24)} ${"simulated cycles".padStart(18)} ${"ns, here".padStart(14)}`;
    const rows = result.points
      .filter((p) => p.phase === phase)
      .map(
        (p) =>
          `  ${p.variant.padEnd(width)} ${p.size.toLocaleString("en").padStart(22)} ${number(p.cycles).padStart(18)} ${number(p.nanoseconds).padStart(14)}`,
      );
    const said = findings(study, result.points, phase).map((line) => `  - ${line}`);
    return [`# ${phase}, for one ${study.operation}`, head, ...rows, ...said].join("\n");
  });
  return `${study.title}\n\n${parts.join("\n\n")}\n\n${result.noise}\n`;
}
