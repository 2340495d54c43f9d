/**
 * Benchmark build (part of target `p2m-bench`, bench/suites/mem-type.ts): map_mem_type_to_ioreq_server in every design, over up to a million
 * pages of the type that share a few frames, with up to 128 vCPUs whose TLBs have to forget them.
 */
import { ERESTART, OK } from "../abi/errno";
import { BUFIOREQ_OFF } from "../abi/ioreq";
import { KNOB_TLB_ENTRIES } from "../abi/knobs";
import { HVMMEM_IOREQ_SERVER, P2M_ACCESS_RWX, P2M_IOREQ_SERVER, P2M_RAM_RW } from "../abi/p2m-types";
import { Knobs } from "../base/machine";
import { Domain } from "../hv/domain";
import { domainCreate } from "../hv/domain/create";
import { createVcpus } from "../hv/domain/vcpu-create";
import { ioreqServerCreate, ioreqServerSetState } from "../hv/ioreq/life-cycle";
import { memTypeMap, memTypeResumeAt } from "../hv/ioreq/mem-type";
import { P2m } from "../hv/p2m/p2m";
import { Vcpu } from "../hv/vcpu";
import { machineInit } from "../run/machine-init";

const SLOT: u32 = 1;
const DOM0: u32 = 0;
const SERVER: u32 = 0;
const ALIASED: u32 = 256;
const TLB: u32 = 256;

/** A domain of `vcpus` running vCPUs with `pages` pages of RAM and one enabled server. @returns 0 or -errno. */
export function memTypeCreate(frames: u32, pages: u32, vcpus: u32): i32 {
  Knobs.set(KNOB_TLB_ENTRIES, TLB);
  const error = machineInit(frames, 1);
  if (error != 0) return error;
  const slot = domainCreate(1, vcpus, 1023);
  if (slot < 0) return slot;
  const d = Domain.at(slot);
  d.pagingPool = frames;
  createVcpus(d);
  for (let i: u32 = 0; i < vcpus; i++) Vcpu.at(d.firstVcpu + i).initialised = 1;
  const id = ioreqServerCreate(d, DOM0, BUFIOREQ_OFF);
  if (id < 0) return id;
  const rc = ioreqServerSetState(d, id, DOM0, true);
  if (rc != OK) return rc;
  for (let gfn: u32 = 0; gfn < pages; gfn++) {
    const set = P2m.set(d, gfn, frames - 1 - (gfn & (ALIASED - 1)), 0, P2M_RAM_RW, P2M_ACCESS_RWX);
    if (set != 0) return set;
  }
  return 0;
}

/** A design is a set of knobs; to be called after memTypeCreate. */
export function memTypeKnob(index: u32, value: u32): void {
  Knobs.set(index, value);
}

/** What an unmap left for later happens: with a server again, marked pages would keep the type. */
export function memTypeSettle(pages: u32): void {
  const d = Domain.at(SLOT);
  P2m.lock(d);
  for (let gfn: u32 = 0; gfn < pages; gfn += 512) P2m.resolve(d, gfn);
  P2m.unlock(d);
}

/** Every page gets the type. @returns pages that did. */
export function memTypeSetAll(pages: u32): u32 {
  const d = Domain.at(SLOT);
  let changed: u32 = 0;
  P2m.lock(d);
  for (let gfn: u32 = 0; gfn < pages; gfn++) {
    if (P2m.changeTypeOne(d, gfn, P2M_RAM_RW, P2M_IOREQ_SERVER) == 0) changed++;
  }
  P2m.unlock(d);
  return changed;
}

/** The dm_op with all its continuations. @returns 0 or -errno. */
export function memTypeMapAll(flags: u32): i32 {
  const d = Domain.at(SLOT);
  let from: u64 = 0;
  while (true) {
    const rc = memTypeMap(d, SERVER, DOM0, HVMMEM_IOREQ_SERVER, flags, from);
    if (rc != -ERESTART) return rc;
    from = memTypeResumeAt(from);
  }
}

/** Pages that still have the type. */
export function memTypeLeft(): u32 {
  return <u32>Domain.at(SLOT).p2mIoreqEntries;
}
