/** Plots as SVG text, without a browser. Colours follow the page (light or dark); variants differ by symbol and dash as well. */
import * as Plot from "@observablehq/plot";
import { Window } from "happy-dom";

export interface Curve {
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly y: number; readonly low?: number; readonly high?: number }[];
}

export interface PlotOptions {
  readonly x: string;
  readonly y: string;
  readonly scale: "log" | "linear";
  readonly yScale?: "log" | "linear";
  /** Black on white with the names of the curves inside, for a picture that stands alone. */
  readonly isAlone?: boolean;
}

/** Okabe and Ito's palette: told apart by people who do not see all colours, on white and on black. */
export const PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
const SYMBOLS = ["circle", "square", "triangle", "diamond", "cross", "star"] as const;
const DASHES = ["", "6 3", "2 3", "8 3 2 3", "1 3", "12 4"];

export function plotCurves(curves: readonly Curve[], options: PlotOptions): string {
  const window = new Window();
  try {
    const marks = curves.flatMap((curve, i) => {
      const data = curve.points.map((p) => ({ ...p }));
      const colour = PALETTE[i % PALETTE.length]!;
      return [
        Plot.ruleX(
          data.filter((p) => p.low !== undefined),
          { x: "x", y1: "low", y2: "high", stroke: colour, strokeOpacity: 0.5 },
        ),
        Plot.line(data, {
          x: "x",
          y: "y",
          stroke: colour,
          strokeDasharray: DASHES[i % DASHES.length]!,
          strokeWidth: 1.5,
        }),
        Plot.dot(data, { x: "x", y: "y", stroke: colour, fill: colour, symbol: SYMBOLS[i % SYMBOLS.length]!, r: 3.5 }),
      ];
    });
    const type = (scale: "log" | "linear") => (scale === "log" ? ("log" as const) : ("linear" as const));
    const y = type(options.yScale ?? "log");
    const figure = Plot.plot({
      document: window.document as unknown as Document,
      width: 640,
      height: 380,
      marginLeft: 72,
      marginBottom: 42,
      marginTop: options.isAlone ? 30 + 16 * curves.length : 24,
      style: options.isAlone
        ? { background: "white", color: "black", fontSize: "12px" }
        : { background: "transparent", color: "currentColor", fontSize: "12px" },
      x: { type: type(options.scale), label: options.x, tickFormat: (n: number) => n.toLocaleString("en") },
      y: {
        type: y,
        label: options.y,
        grid: true,
        zero: y === "linear",
        nice: true,
        tickFormat: (n: number) => n.toLocaleString("en"),
      },
      marks,
    });
    figure.setAttribute("role", "img");
    figure.setAttribute("aria-label", `${options.y} over ${options.x}: ${curves.map((c) => c.label).join(", ")}`);
    figure.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    return options.isAlone ? withLegend(figure.outerHTML, curves) : figure.outerHTML;
  } finally {
    window.close();
  }
}

/** Puts a white ground and the curves' names into the picture itself. */
function withLegend(svg: string, curves: readonly Curve[]): string {
  const start = svg.indexOf(">") + 1;
  const names = curves.map(({ label }, i) => {
    const colour = PALETTE[i % PALETTE.length]!;
    const line = `<line x1="0" y1="5" x2="28" y2="5" stroke="${colour}" stroke-width="2" stroke-dasharray="${DASHES[i % DASHES.length]!}"/>`;
    const mark = `<path d="${SHAPES[i % SHAPES.length]!}" fill="${colour}"/>`;
    return `<g transform="translate(72,${8 + 16 * i})">${line}${mark}<text x="34" y="9" text-anchor="start" fill="black">${escapeHtml(label)}</text></g>`;
  });
  return `${svg.slice(0, start)}<rect width="100%" height="100%" fill="white"/>${names.join("")}${svg.slice(start)}\n`;
}

/** The legend: symbol, dash and name of each curve, as inline SVG and text. */
export function legendHtml(labels: readonly string[]): string {
  return labels
    .map((label, i) => {
      const colour = PALETTE[i % PALETTE.length]!;
      const dash = DASHES[i % DASHES.length]!;
      return `<span class="key"><svg width="28" height="10" aria-hidden="true"><line x1="0" y1="5" x2="28" y2="5" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}"/><path d="${SHAPES[i % SHAPES.length]!}" fill="${colour}"/></svg>${escapeHtml(label)}</span>`;
    })
    .join(" ");
}

/** The symbols around (14, 5). */
const SHAPES = [
  "M18 5a4 4 0 1 1-8 0a4 4 0 1 1 8 0",
  "M10.5 1.5h7v7h-7z",
  "M14 0.5l4.5 8h-9z",
  "M14 0l4.5 5l-4.5 5l-4.5-5z",
  "M12.5 1h3v2.5h2.5v3h-2.5v2.5h-3v-2.5h-2.5v-3h2.5z",
  "M14 0l1.5 3.5h3.5l-2.8 2.3l1 3.7l-3.2-2.2l-3.2 2.2l1-3.7l-2.8-2.3h3.5z",
];

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]!);
}
