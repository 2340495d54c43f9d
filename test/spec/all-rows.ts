/** The rows of all specifications. */
import type { SpecRow } from "./rows.ts";
import { ROWS_01 } from "./rows-01.ts";
import { ROWS_02 } from "./rows-02.ts";
import { ROWS_03 } from "./rows-03.ts";
import { ROWS_04 } from "./rows-04.ts";
import { ROWS_04_SHARING } from "./rows-04-sharing.ts";
import { ROWS_05 } from "./rows-05.ts";
import { ROWS_06 } from "./rows-06.ts";
import { ROWS_07 } from "./rows-07.ts";

export const ALL_ROWS: readonly SpecRow[] = [
  ...ROWS_01,
  ...ROWS_02,
  ...ROWS_03,
  ...ROWS_04,
  ...ROWS_04_SHARING,
  ...ROWS_05,
  ...ROWS_06,
  ...ROWS_07,
];
