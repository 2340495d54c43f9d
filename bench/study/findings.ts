/** What the points say in words: who is the cheapest where, how each design grows, and where one overtakes another. */
import { type Curve, crossings, type Growth, growthOf } from "../growth.ts";
import type { Point, Study } from "./study.ts";

export function phasesOf(points: readonly Point[]): string[] {
  return [...new Set(points.map((point) => point.phase))];
}

type Reading = (point: Point) => readonly [size: number, cost: number, spread?: number];

/** Three deviations: on a shared machine less is no difference. */
const measured: Reading = (p) => [p.size, p.nanoseconds, 3 * p.mad];

function curve(points: readonly Point[], variant: string, phase: string, of: Reading): Curve {
  return points.filter((p) => p.variant === variant && p.phase === phase).map(of);
}

export const short = (n: number): string =>
  n >= 100 || Number.isInteger(n) ? Math.round(n).toLocaleString("en") : n.toPrecision(3);

export interface SummaryRow {
  readonly label: string;
  /** Simulated cycles at the smallest and at the largest size. */
  readonly first: number;
  readonly last: number;
  readonly growth: Growth;
}

/** One row a design. */
export function summaryRows(study: Study, points: readonly Point[], phase: string): SummaryRow[] {
  return study.variants.map(({ label }) => {
    const of = curve(points, label, phase, (p) => [p.size, p.cycles]);
    return { label, first: of[0]![1], last: of.at(-1)![1], growth: growthOf(of.map(([size, cost]) => [size, cost])) };
  });
}

export const factor = (x: number): string => {
  if (x >= 100) return Math.round(x).toLocaleString("en");
  return x > 0.8 && x < 1.25 ? x.toFixed(2) : x.toPrecision(2);
};

/** Each design beside the first one, at the smallest and the largest size; by time where that is apart beyond the noise. */
function ratios(study: Study, points: readonly Point[], phase: string): string[] {
  const [base, ...others] = study.variants.map((v) => v.label);
  const at = (label: string, size: number) =>
    points.find((p) => p.variant === label && p.size === size && p.phase === phase)!;
  const sizes = [study.sizes[0]!, study.sizes.at(-1)!];
  return others.map((label) => {
    const parts = sizes.map((size) => {
      const [a, b] = [at(label, size), at(base!, size)];
      const isApart = Math.abs(a.nanoseconds - b.nanoseconds) > 3 * (a.mad + b.mad);
      const time = isApart
        ? `${factor(a.nanoseconds / b.nanoseconds)} times its time here`
        : "no different in time here";
      const cost = b.cycles > 0 ? `${factor(a.cycles / b.cycles)} times the simulated cost` : "no simulated cost";
      return `${cost} and ${time} at ${short(size)}`;
    });
    return `${label}, beside ${base}: ${parts.join("; ")} ${study.sizeLabel}.`;
  });
}

/** Exact costs that differ by less are called the same: a model of orders of magnitude does not tell them apart. */
const SAME = 0.02;
const same = (a: number, b: number): boolean => Math.abs(a - b) <= SAME * Math.max(a, b);

/** Which design is the cheapest from where to where, by simulated cost. */
function cheapest(study: Study, points: readonly Point[], phase: string): string {
  const labels = study.variants.map((v) => v.label);
  const best = study.sizes.map((size) => {
    const here = points.filter((p) => p.size === size && p.phase === phase);
    const least = Math.min(...here.map((p) => p.cycles));
    return labels.filter((label) => same(here.find((p) => p.variant === label)!.cycles, least)).join(" or ");
  });
  const spans: { who: string; from: number; to: number }[] = [];
  study.sizes.forEach((size, i) => {
    const last = spans.at(-1);
    if (last && last.who === best[i]) last.to = size;
    else spans.push({ who: best[i]!, from: size, to: size });
  });
  if (spans.length === 1) return `Cheapest by simulated cost at every size: ${spans[0]!.who}.`;
  const parts = spans.map(
    ({ who, from, to }) => `${who} at ${from === to ? short(from) : `${short(from)} to ${short(to)}`}`,
  );
  return `Cheapest by simulated cost: ${parts.join("; ")} ${study.sizeLabel}.`;
}

/** What stands out in one phase: who is the cheapest where, and where curves cross. */
export function notable(study: Study, points: readonly Point[], phase: string): string[] {
  const said = [cheapest(study, points, phase)];
  const labels = study.variants.map((v) => v.label);
  const simulatedCurve: Reading = (p) => [p.size, p.cycles, (p.cycles * SAME) / 2];
  for (let i = 0; i < labels.length; i++)
    for (let j = i + 1; j < labels.length; j++) {
      const [a, b] = [labels[i]!, labels[j]!];
      for (const [of, by] of [
        [simulatedCurve, "simulated cost"],
        [measured, "this computer's time"],
      ] as const) {
        const at = crossings(curve(points, a, phase, of), curve(points, b, phase, of));
        if (at.length > 0)
          said.push(`${a} and ${b} cross at about ${at.map(short).join(", ")} ${study.sizeLabel} by ${by}.`);
      }
    }
  return said;
}

/** Sentences about one phase, by exact simulated cost; the host's time is named where it disagrees. */
export function findings(study: Study, points: readonly Point[], phase: string): string[] {
  const growth = summaryRows(study, points, phase).map(
    (row) =>
      `${row.label}: ${short(row.first)} simulated cycles at ${short(study.sizes[0]!)}, ${short(row.last)} at ${short(study.sizes.at(-1)!)} ${study.sizeLabel}: ${row.growth.word} (exponent ${row.growth.exponent.toFixed(2)}).`,
  );
  return [...notable(study, points, phase), ...growth, ...ratios(study, points, phase)];
}
