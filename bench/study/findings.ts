/** What the points say in sentences: how each design grows, and where one overtakes another. */
import { type Curve, crossings, growthOf } from "../growth.ts";
import type { Point, Study } from "./study.ts";

export function phasesOf(points: readonly Point[]): string[] {
  return [...new Set(points.map((point) => point.phase))];
}

type Reading = (point: Point) => readonly [size: number, cost: number, spread?: number];

const simulated: Reading = (p) => [p.size, p.cycles];
/** Three deviations: on a shared machine less is no difference. */
const measured: Reading = (p) => [p.size, p.nanoseconds, 3 * p.mad];

function curve(points: readonly Point[], variant: string, phase: string, of: Reading): Curve {
  return points.filter((p) => p.variant === variant && p.phase === phase).map(of);
}

const short = (n: number): string =>
  n >= 100 || Number.isInteger(n) ? Math.round(n).toLocaleString("en") : n.toPrecision(3);

const factor = (x: number): string => (x >= 100 ? Math.round(x).toLocaleString("en") : x.toPrecision(2));

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

/** Sentences about one phase, by exact simulated cost; the host's time is named where it disagrees. */
export function findings(study: Study, points: readonly Point[], phase: string): string[] {
  const said: string[] = [];
  const labels = study.variants.map((v) => v.label);
  const where = (size: number): string => `${short(size)} ${study.sizeLabel}`;
  for (const label of labels) {
    const points1 = curve(points, label, phase, simulated);
    const growth = growthOf(points1.map(([size, cost]) => [size, cost]));
    const [first, last] = [points1[0]!, points1.at(-1)!];
    said.push(
      `${label}: ${short(first[1])} simulated cycles at ${short(first[0])}, ${short(last[1])} at ${where(last[0])}: ${growth.word} (exponent ${growth.exponent.toFixed(2)}).`,
    );
  }
  said.push(...ratios(study, points, phase));
  for (let i = 0; i < labels.length; i++)
    for (let j = i + 1; j < labels.length; j++) {
      const [a, b] = [labels[i]!, labels[j]!];
      for (const [of, by] of [
        [simulated, "simulated cost"],
        [measured, "this computer's time"],
      ] as const) {
        const at = crossings(curve(points, a, phase, of), curve(points, b, phase, of));
        if (at.length > 0)
          said.push(`${a} and ${b} cross at about ${at.map(short).join(", ")} ${study.sizeLabel} by ${by}.`);
      }
    }
  return said;
}
