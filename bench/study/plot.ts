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
  /** For a picture that stands alone: this title and the names of the curves inside, black on white. */
  readonly title?: string;
}

/** Okabe and Ito's palette: told apart by people who do not see all colours, on white and on black. */
export const PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
const SYMBOLS = ["circle", "square", "triangle", "diamond", "cross", "star"] as const;
const DASHES = ["", "6 3", "2 3", "8 3 2 3", "1 3", "12 4"];

/** Below the title of a picture that stands alone. */
const LEGEND_AT = 46;

/** 10,000 and 10 M: ten digits would not fit beside the axis. */
const tickText = (n: number): string => (n >= 1e6 ? `${(n / 1e6).toLocaleString("en")} M` : n.toLocaleString("en"));

/** More than these would not stand beside each other on an axis. */
const MOST_SIZES = 12;

/** A little more than the values, so that a flat curve looks flat and a steep one fills the height: a factor of 4 at least. */
function logDomain(values: readonly number[]): [low: number, high: number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const widen = Math.sqrt(Math.max(1.25, 4 / (high / low)));
  return [low / widen, high * widen];
}

/** 1, 2, 5 in each decade, or only powers of ten when there are many. */
function logTicks([low, high]: readonly [number, number]): number[] {
  const decades = Math.log10(high / low);
  const heads = decades > 3 ? [1] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
    for (const head of heads) {
      // 1e-2 * 5 is not 0.05
      const tick = Number((head * 10 ** power).toPrecision(3));
      if (tick >= low && tick <= high) ticks.push(tick);
    }
  return ticks;
}

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
    const sizes = [...new Set(curves.flatMap((curve) => curve.points.map((p) => p.x)))];
    const heights = curves.flatMap((curve) => curve.points.flatMap((p) => [p.y, p.low ?? p.y, p.high ?? p.y]));
    const type = (scale: "log" | "linear") => (scale === "log" ? ("log" as const) : ("linear" as const));
    const y = type(options.yScale ?? "log");
    const ticks = y === "log" ? logTicks(logDomain(heights)) : undefined;
    const figure = Plot.plot({
      document: window.document as unknown as Document,
      width: 640,
      height: 380,
      marginLeft: 72,
      marginRight: 30,
      marginBottom: 48,
      marginTop: options.title ? LEGEND_AT + 16 * curves.length + 12 : 24,
      style: options.title
        ? { background: "white", color: "black", fontSize: "12px" }
        : { background: "transparent", color: "currentColor", fontSize: "12px" },
      x: { type: type(options.scale), label: options.x, axis: null },
      y: {
        type: y,
        label: options.y,
        axis: null,
        zero: y === "linear",
        ...(y === "log" ? { domain: logDomain(heights) } : { nice: true }),
      },
      // Axes of their own: those of a logarithmic scale leave out labels.
      marks: [
        Plot.gridY(...(ticks ? [ticks] : [])),
        Plot.axisY(...(ticks ? [ticks] : []), {
          label: options.title ? null : `↑ ${options.y}`,
          labelAnchor: "top",
          text: tickText,
        }),
        Plot.axisX(...(sizes.length <= MOST_SIZES ? [sizes] : []), {
          label: `${options.x} →`,
          labelAnchor: "right",
          text: tickText,
        }),
        ...marks,
      ],
    });
    figure.setAttribute("role", "img");
    figure.setAttribute("aria-label", `${options.y} over ${options.x}: ${curves.map((c) => c.label).join(", ")}`);
    figure.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    return options.title ? withLegend(figure.outerHTML, options.title, options.y, curves) : figure.outerHTML;
  } finally {
    window.close();
  }
}

/** Puts a white ground, a title and the curves' names into the picture itself; rules for pages are left out. */
function withLegend(svg: string, title: string, unit: string, curves: readonly Curve[]): string {
  const start = svg.indexOf(">") + 1;
  const names = curves.map(({ label }, i) => {
    const colour = PALETTE[i % PALETTE.length]!;
    const line = `<line x1="0" y1="5" x2="28" y2="5" stroke="${colour}" stroke-width="2" stroke-dasharray="${DASHES[i % DASHES.length]!}"/>`;
    const mark = `<path d="${SHAPES[i % SHAPES.length]!}" fill="${colour}"/>`;
    return `<g transform="translate(72,${LEGEND_AT + 16 * i})">${line}${mark}<text x="34" y="9" text-anchor="start" fill="black">${escapeHtml(label)}</text></g>`;
  });
  return `${svg.slice(0, start)}<rect width="100%" height="100%" fill="white"/><text x="72" y="20" text-anchor="start" font-size="15" font-weight="600" fill="black">${escapeHtml(title)}</text><text x="72" y="37" text-anchor="start" fill="#444">${escapeHtml(unit)}</text>${names.join("")}${svg.slice(start).replace(/<style>.*?<\/style>/s, "")}\n`;
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
