/** B-2 to B-6 with reclaim, migration and fork all at once: the verdicts are those of the table in docs/hypercall-buffers.md. */
import { expect, it } from "vitest";
import { COLUMNS, exploreMatrix, LONG_COLUMNS } from "../../host/lib/process/matrix.ts";
import { STRATEGY_LIST } from "../../host/lib/process/strategies.ts";
import { raceBuild } from "./support.ts";

it.each(STRATEGY_LIST.map((s) => [s.name, s] as const))("%s", (_, strategy) => {
  const verdicts = (columns: typeof COLUMNS) =>
    exploreMatrix(raceBuild, columns, [strategy]).cells.map((cell) => [cell.column, cell.holds]);
  expect(verdicts(LONG_COLUMNS)).toEqual(verdicts(COLUMNS));
});
