/**
 * Benchmark build (target `p2m-bench` of asconfig.json, bench/suites/p2m-recalc.ts): bulk type changes of a large p2m, lazily and by
 * a sweep. The entries alias a few frames, so that a map of a million pages fits anywhere. Not part of any shipped build.
 */
import "../base/abort";
import { KNOB_TLB_ENTRIES } from "../abi/knobs";
import { P2M_ACCESS_RWX, P2M_RAM_LOGDIRTY, P2M_RAM_RW } from "../abi/p2m-types";
import { EPTE_EMT_MASK, EPTE_RECALC } from "../base/epte";
import { Knobs } from "../base/machine";
import { Domain } from "../hv/domain";
import { domainCreate } from "../hv/domain/create";
import { createVcpus } from "../hv/domain/vcpu-create";
import { P2mEntry } from "../hv/p2m/entry";
import { P2m } from "../hv/p2m/p2m";
import { Vcpu } from "../hv/vcpu";
import { Frame } from "../mem/frame-table";
import { machineInit } from "../run/machine-init";

const SLOT: u32 = 1;
const ALIASED: u32 = 256;

/** A domain of one vCPU whose first `pages` gfns are mapped by 4 KiB entries. @returns 0 or -errno. */
export function benchCreate(frames: u32, pages: u32): i32 {
  Knobs.set(KNOB_TLB_ENTRIES, 1024);
  const error = machineInit(frames, 1);
  if (error != 0) return error;
  const d = Domain.at(domainCreate(1, 1, 100));
  d.pagingPool = frames;
  createVcpus(d);
  Vcpu.at(d.firstVcpu).initialised = 1;
  for (let gfn: u32 = 0; gfn < pages; gfn++) {
    const rc = P2m.set(d, gfn, frames - 1 - (gfn & (ALIASED - 1)), 0, P2M_RAM_RW, P2M_ACCESS_RWX);
    if (rc != 0) return rc;
  }
  return 0;
}

/** The root as it would be after every path had been repaired, at the price of one store. */
function validateRoot(d: Domain): void {
  const entry = P2mEntry.read(d.p2mRoot, 0);
  store<u64>(Frame.host(d.p2mRoot), entry & ~(EPTE_EMT_MASK | EPTE_RECALC));
}

/** `n` lazy changes of everything: what the caller waits for, flush included. */
export function benchLazy(n: u32): void {
  const d = Domain.at(SLOT);
  for (let i: u32 = 0; i < n; i++) {
    validateRoot(d);
    const on = (i & 1) == 0;
    P2m.changeEntryTypeGlobal(d, on ? P2M_RAM_RW : P2M_RAM_LOGDIRTY, on ? P2M_RAM_LOGDIRTY : P2M_RAM_RW);
  }
}

/** `n` times: a lazy change of everything and the first touch of one page, which repairs a path of four levels. */
export function benchLazyAndTouch(n: u32, gfn: u32): void {
  const d = Domain.at(SLOT);
  for (let i: u32 = 0; i < n; i++) {
    const on = (i & 1) == 0;
    P2m.changeEntryTypeGlobal(d, on ? P2M_RAM_RW : P2M_RAM_LOGDIRTY, on ? P2M_RAM_LOGDIRTY : P2M_RAM_RW);
    P2m.lock(d);
    P2m.resolve(d, gfn);
    P2m.unlock(d);
  }
}

/** A lazy change of everything, and then every page is touched. @returns tables repaired. */
export function benchLazyAndTouchAll(pages: u32, on: u32): u32 {
  const d = Domain.at(SLOT);
  P2m.changeEntryTypeGlobal(d, on ? P2M_RAM_RW : P2M_RAM_LOGDIRTY, on ? P2M_RAM_LOGDIRTY : P2M_RAM_RW);
  let repaired: u32 = 0;
  for (let gfn: u32 = 0; gfn < pages; gfn += 512) {
    P2m.lock(d);
    if (P2m.resolve(d, gfn) > 0) repaired++;
    P2m.unlock(d);
  }
  return repaired;
}

/** The other way: every page's type is changed at once, under one lock, with one flush. @returns pages changed. */
export function benchSweep(pages: u32, on: u32): u32 {
  const d = Domain.at(SLOT);
  const from = on ? P2M_RAM_RW : P2M_RAM_LOGDIRTY;
  const to = on ? P2M_RAM_LOGDIRTY : P2M_RAM_RW;
  let changed: u32 = 0;
  P2m.lock(d);
  for (let gfn: u32 = 0; gfn < pages; gfn++) if (P2m.changeTypeOne(d, gfn, from, to) == 0) changed++;
  P2m.unlock(d);
  return changed;
}

export { memTypeCreate, memTypeKnob, memTypeLeft, memTypeMapAll, memTypeSetAll, memTypeSettle } from "./mem-type-bench";
export { selectCreate, selectMany } from "./select-bench";
export { benchCopy, benchWalk } from "./sharing-bench";
