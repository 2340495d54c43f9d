/** The unit build hv-core/units/p2m.ts: one domain's p2m, from inside. */
import { loadUnits } from "../support/units.ts";

export interface P2mExports {
  setup(frames: number, superpages: number): number;
  renew(slot: number): number;
  set(slot: number, gfn: bigint, mfn: number, order: number, type: number, access: number): number;
  lookup(slot: number, gfn: bigint): number;
  lookupMfn(slot: number): number;
  lookupAccess(slot: number): number;
  lookupOrder(slot: number): number;
  changeTypeOne(slot: number, gfn: bigint, from: number, to: number): number;
  changeTypeGlobal(slot: number, from: number, to: number): void;
  changeTypeRange(slot: number, start: bigint, end: bigint, from: number, to: number): void;
  finishTypeChange(slot: number, first: bigint, count: bigint): number;
  resolve(slot: number, gfn: bigint): number;
  memoryTypesRecalculate(slot: number): void;
  entryAt(slot: number, gfn: bigint, level: number): bigint;
  setTypeServer(slot: number, server: number, flags: number): void;
  ioreqEntries(slot: number): bigint;
  isSpuriousExpected(slot: number): number;
  misconfigExit(slot: number, gfn: bigint): number;
  violationExit(slot: number, gfn: bigint, qualification: number): number;
  isNmiBlocked(slot: number): number;
  crashReason(slot: number): number;
  setIoPermission(slot: number, has: number): void;
  setDefaultMtrr(slot: number, value: bigint): void;
  setVariableMtrr(slot: number, index: number, base: bigint, mask: bigint): void;
  setNxSuperpages(value: number): void;
  counter(index: number): bigint;
  hardware(slot: number, gfn: bigint): bigint;
  setPool(slot: number, tables: number): void;
  tables(slot: number): number;
  maxMapped(slot: number): bigint;
  fillTlb(slot: number): void;
  isTlbEmpty(slot: number): number;
  freeFrames(): number;
  destroy(slot: number): void;
  /** Bits of broken invariants P-1.., 0 = none. */
  check(slot: number): number;
  audit(slot: number): number;
  pin(slot: number, start: bigint, end: bigint, type: number): number;
  setXenHeap(mfn: number, count: number, has: number): void;
  setFixedMtrr(slot: number, msr: number, value: bigint): void;
  takeLocks(slot: number, first: number, second: number): void;
  addPage(slot: number, gfn: bigint, mfn: number, order: number): number;
  removePage(slot: number, gfn: bigint, mfn: number): number;
  ownFrame(slot: number): number;
  m2p(mfn: number): bigint;
  mapcacheInvalidate(slot: number): number;
  lookupWith(slot: number, gfn: bigint, q: number): number;
  cache(slot: number, gfn: bigint, mfn: number): void;
  setLogDirtyMode(slot: number, mode: number): void;
  setDying(slot: number): void;
  isMarkedDirty(slot: number, gfn: bigint): number;
  markDirty(slot: number, gfn: bigint): void;
  corrupt(slot: number, gfn: bigint, level: number, entry: bigint): void;
  setMaxMapped(slot: number, gfn: bigint): void;
  setIoreqEntries(slot: number, count: bigint): void;
  leaveLocked(slot: number): void;
  classesOf(type: number): number;
  setApicBase(slot: number, value: bigint): void;
  setIdtVectoring(slot: number, value: number): void;
  entryEvent(slot: number): number;
}

export const FRAMES = 2048;
export const INVALID_MFN = 0xffff_ffff;
/** Bit 63 of what `hardware` answers: EPT misconfiguration. */
export const MISCONFIG = 1n << 63n;

export async function startP2m(superpages = 1): Promise<{ p2m: P2mExports; slot: number }> {
  const { exports: p2m } = await loadUnits<P2mExports>("p2m", FRAMES);
  const slot = p2m.setup(FRAMES, superpages);
  if (slot !== 1) throw new Error(`the world did not start: ${slot}`);
  return { p2m, slot };
}
