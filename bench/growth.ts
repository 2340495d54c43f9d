/** How cost grows with size: the exponent of the power law that fits best, and where two curves cross. */
import { linearRegression, linearRegressionLine, rSquared } from "simple-statistics";

export interface Growth {
  /** 0 constant, 1 linear, 2 quadratic: slope of log(cost) over log(size). */
  readonly exponent: number;
  /** How well the power law fits, 0..1; meaningless for a constant. */
  readonly fit: number;
  readonly word: string;
}

const WORDS: readonly (readonly [limit: number, word: string])[] = [
  [-0.15, "falling"],
  [0.15, "constant"],
  [0.75, "less than linear"],
  [1.25, "linear"],
  [1.75, "more than linear"],
  [Number.POSITIVE_INFINITY, "quadratic or worse"],
];

/** Over three decades a cost may double with a small exponent: that is not constant. */
const STAYS = Math.log(1.25);

function wordFor(exponent: number, change: number): string {
  const word = WORDS.find(([limit]) => exponent < limit)![1];
  if (word !== "constant" || Math.abs(change) < STAYS) return word;
  return change > 0 ? "growing slowly" : "falling slowly";
}

/** @param points [size, cost], sizes and costs above 0, at least two sizes */
export function growthOf(points: readonly (readonly [size: number, cost: number])[]): Growth {
  const logs = points
    .filter(([size, cost]) => size > 0 && cost > 0)
    .map(([size, cost]) => [Math.log(size), Math.log(cost)]);
  if (logs.length < 2) return { exponent: 0, fit: 0, word: "not known" };
  const line = linearRegression(logs);
  const exponent = Math.abs(line.m) < 0.005 ? 0 : line.m;
  const [first, last] = [logs[0]![1]!, logs.at(-1)![1]!];
  return {
    exponent,
    fit: rSquared(logs, linearRegressionLine(line)),
    word: wordFor(exponent, last - first),
  };
}

/** A curve of sizes, costs, and how uncertain each cost is. */
export type Curve = readonly (readonly [size: number, cost: number, spread?: number])[];

/** Sizes at which two curves over the same sizes cross, by interpolation between logarithms; points that are within their spreads say nothing. */
export function crossings(a: Curve, b: Curve): number[] {
  const other = new Map(b.map(([size, cost, spread]) => [size, [cost, spread ?? 0] as const]));
  const differences = a.flatMap(([size, cost, spread]) => {
    const [otherCost, otherSpread] = other.get(size) ?? [cost, 0];
    const isApart = Math.abs(cost - otherCost) > (spread ?? 0) + otherSpread && Math.min(size, cost, otherCost) > 0;
    return isApart ? [[Math.log(size), Math.log(cost / otherCost)] as const] : [];
  });
  const found: number[] = [];
  for (let i = 1; i < differences.length; i++) {
    const [[x0, d0], [x1, d1]] = [differences[i - 1]!, differences[i]!];
    if (d0 !== 0 && d1 !== 0 && d0 < 0 !== d1 < 0) found.push(Math.exp(x0 + ((x1 - x0) * d0) / (d0 - d1)));
  }
  return found;
}
