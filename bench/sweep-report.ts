/** Sweeps as text, with their curves drawn in characters, and as a page with plots. */
import { type Environment, environmentText } from "./environment.ts";
import { PAGE_STYLE } from "./page-style.ts";
import { escapeHtml, legendHtml, plotCurves } from "./study/plot.ts";
import { SHAPES, type SweepResult } from "./sweep.ts";

const BARS = "▁▂▃▄▅▆▇█";

/** A curve in as many characters as it has points, on a logarithmic scale. */
export function sparkline(values: readonly number[]): string {
  const logs = values.map((value) => Math.log(Math.max(value, 1e-9)));
  const [low, high] = [Math.min(...logs), Math.max(...logs)];
  // A curve that hardly moves is flat: at least a factor of 16 fills the height.
  const range = Math.max(high - low, Math.log(16));
  return logs.map((x) => BARS[Math.min(7, Math.floor(((x - low) / range) * 8))]).join("");
}

const short = (n: number): string =>
  n >= 1000 || Number.isInteger(n) ? Math.round(n).toLocaleString("en") : n.toPrecision(3);

function sentence(result: SweepResult): string {
  const { timeExcess, countExcess } = result;
  const time = `time / documented grows with exponent ${timeExcess.exponent.toFixed(2)} [${timeExcess.low.toFixed(2)}..${timeExcess.high.toFixed(2)}]`;
  return countExcess ? `${time}, counts with ${countExcess.exponent.toFixed(2)}` : time;
}

export function sweepText(result: SweepResult): string {
  const [first, last] = [result.points[0]!, result.points.at(-1)!];
  const mark = result.verdict === "as documented" ? "ok   " : "WORSE";
  return `  ${mark} ${result.name}: ${sparkline(result.points.map((p) => p.nanoseconds))} ${short(first.nanoseconds)} ns at ${short(first.size)}, ${short(last.nanoseconds)} ns at ${short(last.size)} ${result.sizeLabel}
        documented ${result.documented} (${result.why}); measured ${result.time.word}: ${sentence(result)}
`;
}

const LABELS = ["measured", "as documented, from the smallest size on"];

/** What the cost would be if it grew exactly as documented. */
function documentedCurve({ points, documented }: SweepResult) {
  const [first] = points;
  const of = SHAPES[documented];
  return points.map((p) => ({ x: p.size, y: (first!.nanoseconds * of(p.size)) / of(first!.size) }));
}

export function sweepsHtml(results: readonly SweepResult[], environment: Environment, command: string): string {
  const worse = results.filter((r) => r.verdict !== "as documented");
  const figures = results.map((result) => {
    const plot = plotCurves(
      [
        { label: LABELS[0]!, points: result.points.map((p) => ({ x: p.size, y: p.nanoseconds })) },
        { label: LABELS[1]!, points: documentedCurve(result) },
      ],
      { x: result.sizeLabel, y: "ns", scale: "log" },
    );
    const isWorse = result.verdict !== "as documented";
    const word = isWorse ? "worse than documented" : "as documented";
    return `<figure${isWorse ? ' class="warning"' : ""}><figcaption>${escapeHtml(result.name)}: ${word}</figcaption>${plot}<p class="note">Documented ${result.documented}: ${escapeHtml(result.why)}. Measured ${result.time.word}; ${escapeHtml(sentence(result))}.</p></figure>`;
  });
  const json = JSON.stringify(results).replace(/</g, "\\u003c");
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>How cost grows</title><style>${PAGE_STYLE}</style></head><body>
<h1>How cost grows</h1>
<p>${results.length} paths at growing sizes, ${worse.length === 0 ? "all as documented" : `${worse.length} worse than documented`}.</p>
<p>${legendHtml(LABELS)}</p>
<div class="pair">${figures.join("\n")}</div>
<p><code>${escapeHtml(command)}</code></p>
<p class="note">${escapeHtml(environmentText(environment))}</p>
<script type="application/json" id="data">${json}</script>
</body></html>
`;
}
