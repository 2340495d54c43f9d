/** The decision order of an EPT violation (spec 02 section 2.2), each step with its verdict. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CTR_LOGDIRTY_FAULTS, CTR_P2M_SHATTERED, CTR_REPLAYS } from "../../hv-core/abi/counters.ts";
import {
  CRASH_BROKEN_FRAME,
  CRASH_EPT_VIOLATION,
  CRASH_EVENT_DELIVERY,
  CRASH_POD_EMPTY,
} from "../../hv-core/abi/crash.ts";
import * as t from "../../hv-core/abi/p2m-types.ts";
import { INVALID_MFN, type P2mExports, startP2m } from "./p2m-exports.ts";

const GFN = 0x10;
const READ = 1 | (3 << 7);
const WRITE = 2 | (3 << 7);
const FETCH = 4 | (3 << 7);
/** Rights in the entry, bits 3 to 5 of the qualification. */
const allowed = (rights: number): number => rights << 3;
const RETRY = 1;
const CRASH = 4;

let p2m: P2mExports;
let slot: number;
beforeAll(async () => {
  ({ p2m, slot } = await startP2m());
});
beforeEach(() => {
  slot = p2m.renew(slot);
  p2m.setNxSuperpages(0);
  p2m.setTypeServer(slot, 0, 0);
});

function map(type: number, { gfn = GFN, order = 0, mfn = 0x40000 } = {}): void {
  expect(p2m.set(slot, BigInt(gfn), mfn, order, type, t.P2M_ACCESS_RWX)).toBe(0);
}

/** What becomes of an access: "again", "emulated", or the reason of the crash. There is no instruction at rip, so emulation is a #GP(0). */
function outcome(qualification: number, gfn = GFN): string | number {
  const before = p2m.counter(CTR_REPLAYS);
  const verdict = p2m.violationExit(slot, BigInt(gfn), qualification);
  if (verdict === CRASH) return p2m.crashReason(slot);
  return p2m.counter(CTR_REPLAYS) > before ? "emulated" : verdict === RETRY ? "again" : `verdict ${verdict}`;
}

it("step 1: our own handlers come before the map, which is not even looked at", () => {
  p2m.setApicBase(slot, BigInt(GFN << 12) | 0x900n);
  map(t.P2M_RAM_RW);
  expect(outcome(WRITE | allowed(5))).toBe("emulated");
  p2m.setApicBase(slot, 0xfee00900n); // V-8: it has moved away since the fault
  expect(outcome(WRITE | allowed(5))).toBe("again");
});

it("an IRET that let NMIs through and exited blocks them again until it is made", () => {
  map(t.P2M_RAM_RW);
  const UNBLOCKED = 1 << 12;
  expect([outcome(READ), p2m.isNmiBlocked(slot)]).toEqual(["again", 0]);
  expect([outcome(READ | UNBLOCKED), p2m.isNmiBlocked(slot)]).toEqual(["again", 1]);
});

describe("step 2: the lookup", () => {
  it("a promise without memory crashes the domain", () => {
    map(t.P2M_POPULATE_ON_DEMAND, { mfn: INVALID_MFN });
    expect(outcome(READ)).toBe(CRASH_POD_EMPTY);
  });

  it("a broken frame crashes the domain", () => {
    map(t.P2M_RAM_BROKEN);
    expect(outcome(READ)).toBe(CRASH_BROKEN_FRAME);
  });
});

it("step 4a: a fetch from a superpage splits it, a fetch from a small page or of nothing does not", () => {
  p2m.setNxSuperpages(1);
  map(t.P2M_RAM_RW, { gfn: 0x200, order: 9 });
  const before = p2m.counter(CTR_P2M_SHATTERED);
  expect(outcome(READ | allowed(3), 0x205)).toBe("again");
  expect(outcome(FETCH, 0x205)).toBe("again"); // of what was not present then
  expect(Number(p2m.counter(CTR_P2M_SHATTERED) - before)).toBe(0);
  expect(outcome(FETCH | allowed(3), 0x205)).toBe("again");
  expect(outcome(FETCH | allowed(7), 0x205)).toBe("again");
  expect(Number(p2m.counter(CTR_P2M_SHATTERED) - before)).toBe(1);
  p2m.setPool(slot, p2m.tables(slot));
  map(t.P2M_RAM_RW, { gfn: 0x400, order: 9 });
  expect(outcome(FETCH | allowed(3), 0x405)).toBe(12); // no frame for the table
});

// Step 5 and what follows: [type, read, write].
it.each([
  ["mmio_dm", t.P2M_MMIO_DM, "emulated", "emulated"],
  ["ram_ro", t.P2M_RAM_RO, "again", "emulated"],
  ["grant_map_ro", t.P2M_GRANT_MAP_RO, CRASH_EPT_VIOLATION, "emulated"],
  ["ioreq_server", t.P2M_IOREQ_SERVER, "again", "emulated"],
  ["ram_rw", t.P2M_RAM_RW, "again", "again"],
  ["ram_logdirty", t.P2M_RAM_LOGDIRTY, "again", "again"],
  ["ram_paging_in", t.P2M_RAM_PAGING_IN, "again", "again"],
  ["grant_map_rw", t.P2M_GRANT_MAP_RW, CRASH_EPT_VIOLATION, CRASH_EPT_VIOLATION],
  ["mmio_direct", t.P2M_MMIO_DIRECT, CRASH_EPT_VIOLATION, CRASH_EPT_VIOLATION],
] as const)("step 5 to 9: a read and a write of %s", (_, type, read, write) => {
  p2m.setTypeServer(slot, 1, 2);
  if (type !== t.P2M_MMIO_DM) map(type);
  expect(outcome(READ)).toBe(read);
  slot = p2m.renew(slot);
  p2m.setTypeServer(slot, 1, 2);
  if (type !== t.P2M_MMIO_DM) map(type);
  expect(outcome(WRITE | allowed(5))).toBe(write);
  p2m.setTypeServer(slot, 0, 0);
});

it("step 5: during the delivery of an event there is no instruction to emulate: the domain crashes", () => {
  p2m.setIdtVectoring(slot, 0x8000_0b0e);
  expect(outcome(WRITE)).toBe(CRASH_EVENT_DELIVERY);
});

it("step 8: the event whose delivery met a page that is fine by now is delivered again", () => {
  map(t.P2M_RAM_RW);
  p2m.setIdtVectoring(slot, 0x8000_0b0e);
  expect(outcome(WRITE | allowed(5))).toBe("again");
  expect(p2m.entryEvent(slot) >>> 0).toBe(0x8000_0b0e);
});

it("step 8: the mark comes first: when memory ends in between, a page that is marked stays read-only", () => {
  p2m.setLogDirtyMode(slot, 1);
  map(t.P2M_RAM_LOGDIRTY, { gfn: 0x200, order: 9 });
  p2m.setPool(slot, p2m.tables(slot) + 4); // four frames for the bitmap, none for a table that splits the superpage
  expect(outcome(WRITE | allowed(5), 0x205)).toBe("again");
  expect([p2m.isMarkedDirty(slot, 0x205n), p2m.lookup(slot, 0x205n)]).toEqual([1, t.P2M_RAM_LOGDIRTY]);
  p2m.setLogDirtyMode(slot, 0);
});

it("step 8: a write to a tracked page makes it writable and is counted; a read does neither", () => {
  const faults = () => Number(p2m.counter(CTR_LOGDIRTY_FAULTS));
  map(t.P2M_RAM_LOGDIRTY);
  const before = faults();
  expect(outcome(READ | allowed(4))).toBe("again");
  expect(faults() - before).toBe(0);
  expect(outcome(WRITE | allowed(5))).toBe("again");
  expect([faults() - before, p2m.lookup(slot, BigInt(GFN))]).toEqual([1, t.P2M_RAM_RW]);
});
