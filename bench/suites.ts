/** Every suite by name, with about how long it takes and what of it can be swept: one line to add a suite. */
import type { Effort } from "./harness.ts";
import type { Table } from "./report.ts";
import { BUFFER_SWEEPS, buffersSuite } from "./suites/buffers.ts";
import { EVENT_SWEEPS, eventsSuite } from "./suites/events.ts";
import { explorerSuite } from "./suites/explorer.ts";
import { guestMipsSuite } from "./suites/guest-mips.ts";
import { HYPERCALL_SWEEPS, hypercallSuite } from "./suites/hypercalls.ts";
import { IO_SWEEPS, ioSuite } from "./suites/io.ts";
import { IO_ACCOUNT_SWEEPS, ioAccountSuite } from "./suites/io-account.ts";
import { MEM_TYPE_SWEEPS, memTypeSuite } from "./suites/mem-type.ts";
import { p2mRecalcSuite, RECALC_SWEEPS } from "./suites/p2m-recalc.ts";
import { P2M_WALK_SWEEPS, p2mWalkSuite } from "./suites/p2m-walk.ts";
import { SELECT_SWEEPS, selectSuite } from "./suites/select.ts";
import { SHARING_SWEEPS, sharingSuite } from "./suites/sharing.ts";
import { TLB_SWEEPS, tlbSuite } from "./suites/tlb.ts";
import { travelSuite } from "./suites/travel.ts";
import { violationsSuite } from "./suites/violations.ts";
import { walkSuite } from "./suites/walk.ts";
import type { Sweep } from "./sweep.ts";

export interface Suite {
  readonly run: (effort: Effort) => Table;
  /** Builds it measures. */
  readonly builds: readonly ("release" | "silicon" | "race" | "p2m-bench" | "io-bench")[];
  /** Seconds it takes on the machine it was written on, quick and normal: for the estimate that is printed. */
  readonly seconds: readonly [quick: number, normal: number];
  /** How its paths grow (vmexit bench growth). */
  readonly sweeps?: readonly Sweep[];
}

export const SUITES: Readonly<Record<string, Suite>> = {
  "guest-mips": { run: guestMipsSuite, builds: ["silicon", "release"], seconds: [16, 40] },
  io: { run: ioSuite, builds: ["release"], seconds: [4, 25], sweeps: IO_SWEEPS },
  "p2m-recalc": { run: p2mRecalcSuite, builds: ["p2m-bench"], seconds: [3, 10], sweeps: RECALC_SWEEPS },
  "p2m-walk": { run: p2mWalkSuite, builds: ["silicon", "p2m-bench"], seconds: [10, 60], sweeps: P2M_WALK_SWEEPS },
  "mem-type": { run: memTypeSuite, builds: ["p2m-bench"], seconds: [4, 20], sweeps: MEM_TYPE_SWEEPS },
  violations: { run: violationsSuite, builds: ["release"], seconds: [2, 12] },
  events: { run: eventsSuite, builds: ["release"], seconds: [1, 6], sweeps: EVENT_SWEEPS },
  select: { run: selectSuite, builds: ["p2m-bench"], seconds: [2, 16], sweeps: SELECT_SWEEPS },
  sharing: { run: sharingSuite, builds: ["release", "p2m-bench"], seconds: [6, 20], sweeps: SHARING_SWEEPS },
  walk: { run: walkSuite, builds: ["silicon"], seconds: [10, 30] },
  tlb: { run: tlbSuite, builds: ["silicon"], seconds: [3, 22], sweeps: TLB_SWEEPS },
  hypercalls: { run: hypercallSuite, builds: ["release"], seconds: [2, 12], sweeps: HYPERCALL_SWEEPS },
  buffers: { run: buffersSuite, builds: ["release"], seconds: [4, 33], sweeps: BUFFER_SWEEPS },
  "io-account": {
    run: ioAccountSuite,
    builds: ["release", "io-bench"],
    seconds: [12, 80],
    sweeps: IO_ACCOUNT_SWEEPS,
  },
  travel: { run: travelSuite, builds: ["release"], seconds: [10, 25] },
  explorer: { run: explorerSuite, builds: ["race"], seconds: [25, 60] },
};
