/**
 * From pairs of fresh machines to verdicts. Where a machine's memory and code come to lie, and whether it was made first or second, can be
 * worth some per cent for as long as it lives. So B is the second machine in half of the pairs and the first one in the others, in an order
 * that was drawn; what the place is worth is the same in both halves, what the design is worth is not. The rank-sum test between the
 * halves is exact whatever the place is worth. Nothing is measured here.
 */
import { median } from "simple-statistics";
import { halfDifference, holm, oppositeRatio, rankSum } from "./statistics.ts";

export interface Pair {
  /** Time of the second machine / time of the first. */
  readonly ratio: number;
  /** The second machine had design A. */
  readonly isSwapped: boolean;
}

export interface AbEffort {
  /** Pairs of fresh machines: at least so many, an even number. With 12 the test can say p = 0.002, enough for 20 workloads. */
  readonly pairs: number;
  /** At most so many, as long as the pairs are apart by more than WIDE. */
  readonly mostPairs: number;
  /** Slices of each machine. */
  readonly slices: number;
  /** Milliseconds a slice should take. */
  readonly sliceMs: number;
}

export const AB_NORMAL: AbEffort = { pairs: 12, mostPairs: 24, slices: 7, sliceMs: 6 };

/** A difference below this is not reported: two copies of the same code can differ by as much. */
export const SMALLEST = 0.02;
const ALPHA = 0.05;
/** How sure the ratio has to be before no more is measured. Not what it says decides: otherwise one could measure until the answer pleases. */
const WIDE = 0.02;

export interface Measured {
  readonly name: string;
  readonly pairs: readonly Pair[];
  /** Simulated cost (vmexit cost) of B / A over the same instructions; exact. */
  readonly simulated: number;
}

export type Verdict = "faster" | "slower" | "no evidence";

export interface AbRow extends Measured {
  readonly verdict: Verdict;
  /** Time of B / time of A. */
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  readonly p: number;
  /** What being the second machine is worth, whatever its design. */
  readonly place: number;
}

/** Logarithms of the pairs' ratios: those with B second, and those with A second. */
function halves(pairs: readonly Pair[]): [up: number[], down: number[]] {
  const of = (isSwapped: boolean) => pairs.filter((p) => p.isSwapped === isSwapped).map((p) => Math.log(p.ratio));
  return [of(false), of(true)];
}

const spread = (logs: readonly number[]): number => {
  const middle = median([...logs]);
  return 1.4826 * median(logs.map((x) => Math.abs(x - middle)));
};

/** Width of a 95 % interval of the ratio, as a normal distribution with these spreads would have it. */
export function widthOf(pairs: readonly Pair[]): number {
  const [up, down] = halves(pairs);
  // 1.253: a median is that much less sure than a mean. 1.96 * 2 sides / 2 because half the difference is what is asked for.
  return 1.96 * 1.253 * Math.hypot(spread(up) / Math.sqrt(up.length), spread(down) / Math.sqrt(down.length));
}

/**
 * Pairs until there are enough. `measure` makes two fresh machines and gives time of the second / time of the first; `coin` draws which
 * design comes first in the first pair of two, the other one does in the second.
 */
export function collectPairs(
  measure: (isSwapped: boolean) => number,
  effort: Pick<AbEffort, "pairs" | "mostPairs">,
  coin: () => boolean,
): Pair[] {
  const pairs: Pair[] = [];
  while (pairs.length < effort.pairs || (pairs.length < effort.mostPairs && widthOf(pairs) > WIDE)) {
    const first = coin();
    for (const isSwapped of [first, !first]) pairs.push({ ratio: measure(isSwapped), isSwapped });
  }
  return pairs;
}

export interface Judged {
  readonly verdict: Verdict;
  readonly ratio: number;
  /** Corrected for the number of rows. */
  readonly p: number;
}

/** The verdicts of a table, without intervals. */
export function verdictsOf(table: readonly (readonly Pair[])[]): Judged[] {
  const split = table.map(halves);
  const corrected = holm(split.map(([up, down]) => rankSum(up, down).p));
  return split.map(([up, down], i) => {
    const ratio = halfDifference(up, down);
    const isDifferent = corrected[i]! < ALPHA && Math.abs(ratio - 1) >= SMALLEST;
    return { verdict: isDifferent ? (ratio > 1 ? "slower" : "faster") : "no evidence", ratio, p: corrected[i]! };
  });
}

export function judge(measured: readonly Measured[]): AbRow[] {
  const verdicts = verdictsOf(measured.map((row) => row.pairs));
  return measured.map((row, i) => {
    const [up, down] = halves(row.pairs);
    const { low, high } = oppositeRatio(up, down);
    const place = Math.exp((median([...up]) + median([...down])) / 2);
    return { ...row, ...verdicts[i]!, low, high, place };
  });
}

export function abText(rows: readonly AbRow[], a: string, b: string): string {
  const width = Math.max(...rows.map((row) => row.name.length));
  const lines = rows.map((row) => {
    const { ratio, low, high, p, simulated } = row;
    const unseen = Math.max(SMALLEST, (high - low) / 2);
    const blind = row.verdict === "no evidence" ? `  less than ${(unseen * 100).toFixed(1)} % would not show` : "";
    return `  ${row.name.padEnd(width)}  ${row.verdict.padEnd(11)}  ${ratio.toFixed(3)}x [${low.toFixed(3)}..${high.toFixed(3)}]  p ${p < 0.001 ? "<0.001" : p.toFixed(3)}  simulated ${simulated.toFixed(3)}x${blind}\n`;
  });
  return `time of B (${b}) / time of A (${a}); differences below ${SMALLEST * 100} % are not reported\n${lines.join("")}`;
}
