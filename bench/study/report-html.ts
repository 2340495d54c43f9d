/** One self-contained page for a study: question, plots, findings, table, environment, command, raw data. Light and dark. */
import { WORDS } from "../calibration.ts";
import { environmentText } from "../environment.ts";
import { PAGE_STYLE } from "../page-style.ts";
import { factor, notable, phasesOf, short, summaryRows } from "./findings.ts";
import { type Curve, escapeHtml, legendHtml, plotCurves } from "./plot.ts";
import type { StudyResult } from "./result.ts";
import { ALL_PHASES, type Point, type Study } from "./study.ts";

const number = (n: number): string => (n >= 1000 ? Math.round(n).toLocaleString("en") : n.toPrecision(3));

function curvesOf(study: Study, points: readonly Point[], phase: string, of: "nanoseconds" | "cycles"): Curve[] {
  const spread = (p: Point) => ({
    low: Math.max(p.nanoseconds - p.mad, p.nanoseconds / 10),
    high: p.nanoseconds + p.mad,
  });
  return study.variants.map(({ label }) => ({
    label,
    points: points
      .filter((p) => p.variant === label && p.phase === phase && p[of] > 0)
      .map((p) => ({ x: p.size, y: p[of], ...(of === "nanoseconds" ? spread(p) : {}) })),
  }));
}

/** The simulated cost of everything together as a picture that stands alone; exact, so the same everywhere. */
export function studySvg(study: Study, points: readonly Point[]): string {
  const phases = phasesOf(points);
  const phase = phases.includes(ALL_PHASES) ? ALL_PHASES : phases[0]!;
  const y = `simulated cycles per ${study.operation}`;
  return plotCurves(curvesOf(study, points, phase, "cycles"), {
    x: study.sizeLabel,
    y,
    scale: study.scale,
    ...(study.yScale ? { yScale: study.yScale } : {}),
    title: study.title,
  });
}

function figure(study: Study, points: readonly Point[], phase: string, of: "nanoseconds" | "cycles"): string {
  const y = of === "cycles" ? `simulated cycles per ${study.operation}` : `ns per ${study.operation}, this computer`;
  const caption =
    of === "cycles" ? "Simulated cost (exact counts, declared costs)" : "Time on this computer (median, MAD)";
  const plot = plotCurves(curvesOf(study, points, phase, of), {
    x: study.sizeLabel,
    y,
    scale: study.scale,
    ...(study.yScale ? { yScale: study.yScale } : {}),
  });
  return `<figure><figcaption>${caption}</figcaption>${plot}</figure>`;
}

function table(study: Study, points: readonly Point[], phase: string): string {
  const rows = points
    .filter((p) => p.phase === phase)
    .map(
      (p) =>
        `<tr><td>${escapeHtml(p.variant)}</td><td>${p.size.toLocaleString("en")}</td><td>${number(p.nanoseconds)}</td><td>${number(p.mad)}</td><td>${number(p.cycles)}</td></tr>`,
    );
  return `<div class="scroll"><table><thead><tr><th>design</th><th>${escapeHtml(study.sizeLabel)}</th><th>ns</th><th>MAD</th><th>simulated cycles</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

/** Each design in a line: cost at both ends, growth, and what it is beside the first design. */
function summary(study: Study, points: readonly Point[], phase: string): string {
  const [from, to] = [study.sizes[0]!, study.sizes.at(-1)!];
  const rows = summaryRows(study, points, phase);
  const time = (label: string) => points.find((p) => p.variant === label && p.size === to && p.phase === phase)!;
  const base = rows[0]!;
  const cells = rows.map((row) => {
    const [a, b] = [time(row.label), time(base.label)];
    const isApart = Math.abs(a.nanoseconds - b.nanoseconds) > 3 * (a.mad + b.mad);
    const cost = row === base ? "1" : base.last > 0 ? `${factor(row.last / base.last)}` : "–";
    const here = row === base ? "1" : isApart ? factor(a.nanoseconds / b.nanoseconds) : "no evidence";
    return `<tr><td>${escapeHtml(row.label)}</td><td>${number(row.first)}</td><td>${number(row.last)}</td><td>${escapeHtml(row.growth.word)}</td><td>${cost}</td><td>${here}</td></tr>`;
  });
  const label = escapeHtml(study.sizeLabel);
  return `<div class="scroll"><table><thead><tr><th>design</th><th>cycles at ${short(from)}</th><th>at ${short(to)} ${label}</th><th>growth</th><th>cost beside the first, at ${short(to)}</th><th>time beside the first</th></tr></thead><tbody>${cells.join("")}</tbody></table></div>`;
}

function phaseTitle(phase: string, phases: readonly string[]): string {
  if (phase === ALL_PHASES) return "All together";
  return phases.length === 1 ? "Result" : `Part: ${phase}`;
}

/** Said before any figure when the machine was not steady. */
function warning({ noise }: StudyResult): string {
  return noise.includes(WORDS.steady)
    ? ""
    : `<p class="warning">Times on this page are doubtful: ${escapeHtml(noise)}. Simulated cost is exact all the same.</p>\n`;
}

export function studyHtml(study: Study, result: StudyResult): string {
  const { points } = result;
  const phases = phasesOf(points);
  // The sum first: the parts explain it.
  const order = phases.includes(ALL_PHASES) ? [ALL_PHASES, ...phases.filter((p) => p !== ALL_PHASES)] : phases;
  const sections = order.map(
    (phase) => `<h2>${escapeHtml(phaseTitle(phase, phases))}</h2>
<p>${legendHtml(study.variants.map((v) => v.label))}</p>
<div class="pair">${figure(study, points, phase, "cycles")}${figure(study, points, phase, "nanoseconds")}</div>
<p class="finding">${notable(study, points, phase).map(escapeHtml).join("<br>")}</p>
${summary(study, points, phase)}
<details><summary>Every point</summary>${table(study, points, phase)}</details>`,
  );
  const knobs = study.variants.map(
    (v) =>
      `<li><b>${escapeHtml(v.label)}</b>: ${result.knobs[v.label] ? `<code>${escapeHtml(result.knobs[v.label]!)}</code>` : "nothing but the defaults"}</li>`,
  );
  const json = JSON.stringify(result).replace(/</g, "\\u003c");
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(study.title)}</title><style>${PAGE_STYLE}</style></head><body>
<h1>${escapeHtml(study.title)}</h1>
<p>${escapeHtml(study.question)}</p>
<p class="note">Work: ${escapeHtml(study.workload)}</p>
<p class="note">Simulated cost is counts times declared cycles (<code>vmexit cost</code>): it is exact, the same everywhere, and as good as the costs. Time is what this computer took to emulate: it cannot rank pauses, interrupts between processors or flushes.</p>
${warning(result)}${sections.join("\n")}
<h2>How it was made</h2>
<ul>${knobs.join("")}</ul>
<p><code>${escapeHtml(result.command)}</code></p>
<p class="note">${escapeHtml(environmentText(result.environment))}; build ${escapeHtml(result.build)}; ${result.rounds} rounds, designs in turn; ${escapeHtml(result.noise)}.</p>
<script type="application/json" id="data">${json}</script>
</body></html>
`;
}
