/** Every suite by name, with about how long it takes: one line to add a suite. */
import type { Effort } from "./harness.ts";
import type { Table } from "./report.ts";
import { buffersSuite } from "./suites/buffers.ts";
import { explorerSuite } from "./suites/explorer.ts";
import { guestMipsSuite } from "./suites/guest-mips.ts";
import { hypercallSuite } from "./suites/hypercalls.ts";
import { ioSuite } from "./suites/io.ts";
import { ioAccountSuite } from "./suites/io-account.ts";
import { p2mRecalcSuite } from "./suites/p2m-recalc.ts";
import { selectSuite } from "./suites/select.ts";
import { sharingSuite } from "./suites/sharing.ts";
import { travelSuite } from "./suites/travel.ts";
import { walkSuite } from "./suites/walk.ts";

export interface Suite {
  readonly run: (effort: Effort) => Table;
  /** Builds it measures. */
  readonly builds: readonly ("release" | "silicon" | "race" | "p2m-bench" | "io-bench")[];
  /** Seconds it takes on the machine it was written on, quick and normal: for the estimate that is printed. */
  readonly seconds: readonly [quick: number, normal: number];
}

export const SUITES: Readonly<Record<string, Suite>> = {
  "guest-mips": { run: guestMipsSuite, builds: ["silicon"], seconds: [8, 25] },
  io: { run: ioSuite, builds: ["release"], seconds: [3, 10] },
  "p2m-recalc": { run: p2mRecalcSuite, builds: ["p2m-bench"], seconds: [4, 12] },
  select: { run: selectSuite, builds: ["p2m-bench"], seconds: [4, 12] },
  sharing: { run: sharingSuite, builds: ["release"], seconds: [10, 30] },
  walk: { run: walkSuite, builds: ["silicon"], seconds: [8, 20] },
  hypercalls: { run: hypercallSuite, builds: ["release"], seconds: [5, 15] },
  buffers: { run: buffersSuite, builds: ["release"], seconds: [5, 15] },
  "io-account": { run: ioAccountSuite, builds: ["release", "io-bench"], seconds: [15, 45] },
  travel: { run: travelSuite, builds: ["release"], seconds: [10, 25] },
  explorer: { run: explorerSuite, builds: ["race"], seconds: [15, 40] },
};
