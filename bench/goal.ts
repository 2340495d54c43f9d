/** What the project promises of a row, and what the table says about it: kept, or missed by how much, and what limits it. */
import type { Ratio } from "./statistics.ts";

export interface Goal {
  /** The time may be at most so many times that of the row it is compared with. */
  readonly atMost: number;
  /** What stands in the way, from the .wat or a profile: said when the goal is missed. */
  readonly limit: string;
}

export interface GoalText {
  /** For the row. */
  readonly cell: string;
  /** Below the table; only for a goal that is missed. */
  readonly note?: string;
}

const percent = (x: number): string => `${(100 * x).toFixed(x < 0.1 ? 1 : 0)} %`;

export function goalText(name: string, { atMost, limit }: Goal, ratio: Ratio | null): GoalText {
  const aim = `<= ${atMost}`;
  if (ratio === null) return { cell: `${aim}: nothing to compare with` };
  if (ratio.high <= atMost) return { cell: `${aim}: kept` };
  if (ratio.value <= atMost) return { cell: `${aim}: kept, within the noise` };
  const missed = percent(ratio.value / atMost - 1);
  if (ratio.low <= atMost) return { cell: `${aim}: missed by ${missed}, within the noise` };
  return { cell: `${aim}: MISSED by ${missed}`, note: `${name} misses its goal of ${aim} by ${missed}: ${limit}` };
}
