/**
 * The ioreq_server page type (spec 03 sections 3.6 and 3.7): which server gets the accesses to pages of the type, and what happens
 * when it lets go. Each decision of the design is a knob (abi/knobs.ts); together they are the variants that were discussed.
 *
 * Types of single pages are set by dm-op-memory.ts. The accesses are routed in emulate/do-io.ts. Next: mem-type-reset.ts.
 */

import { EBUSY, EINVAL, OK } from "../../abi/errno";
import { DMOP_MEM_ACCESS_READ, DMOP_MEM_ACCESS_WRITE } from "../../abi/hypercalls";
import { MAX_NR_IOREQ_SERVERS } from "../../abi/ioreq";
import {
  AS_FIXED,
  KNOB_DESTROY_TYPE,
  KNOB_MAP_LEFT,
  KNOB_TYPE_READ,
  KNOB_TYPE_SERVERS,
  KNOB_UNMAP_PAUSE,
} from "../../abi/knobs";
import { MUTATION_DESTROY_KEEPS_TYPE } from "../../abi/mutations";
import { HVMMEM_IOREQ_SERVER, P2M_IOREQ_SERVER, P2M_RAM_RW } from "../../abi/p2m-types";
import { W_TYPE_SERVER_CLEARED } from "../../abi/windows";
import { Lock } from "../../base/lock";
import { Knobs } from "../../base/machine";
import { Mutation } from "../../base/mutation";
import { ACCESS_WRITE, Window } from "../../base/window";
import { Domain, NO_SERVER } from "../domain";
import { domainPause, domainUnpause } from "../domain/pause";
import { P2m } from "../p2m/p2m";
import { IoreqLock } from "./lock";
import { SWEEP_BATCH, typeReset, typeResetAll, typeSweep } from "./mem-type-reset";
import { IoreqServer, ioreqServerOf } from "./server";
import { TypeOwner } from "./type-owner";

/** p2m_set_ioreq_server. @returns OK; -EINVAL (not this server's), -EBUSY (somebody's already, or pages are left). */
function setServer(d: Domain, s: IoreqServer, flags: u32): i32 {
  Lock.acquire(TypeOwner.lockOf(d));
  const rc = flags == 0 ? release(d, s) : take(d, s, flags);
  Lock.release(TypeOwner.lockOf(d));
  return rc;
}

function take(d: Domain, s: IoreqServer, flags: u32): i32 {
  const isShared = Knobs.get(KNOB_TYPE_SERVERS) != 0;
  if (d.p2mIoreqServer != NO_SERVER && (!isShared || s.typeFlags != 0)) return -EBUSY;
  if (d.p2mIoreqServer == NO_SERVER && d.p2mIoreqEntries != 0 && Knobs.get(KNOB_MAP_LEFT) == 0) return -EBUSY;
  if (d.p2mIoreqServer == NO_SERVER) d.p2mIoreqServer = s.address;
  s.typeFlags = flags;
  d.p2mIoreqFlags |= flags;
  return OK;
}

function release(d: Domain, s: IoreqServer): i32 {
  if (s.typeFlags == 0) return -EINVAL;
  s.typeFlags = 0;
  d.p2mIoreqServer = NO_SERVER;
  d.p2mIoreqFlags = 0;
  for (let id: u32 = 0; id < <u32>MAX_NR_IOREQ_SERVERS; id++) {
    const address = d.ioreqServer(id);
    if (address == NO_SERVER || IoreqServer.at(address).typeFlags == 0) continue;
    if (d.p2mIoreqServer == NO_SERVER) d.p2mIoreqServer = address;
    d.p2mIoreqFlags |= IoreqServer.at(address).typeFlags;
  }
  return OK;
}

/**
 * The server is destroyed: it loses the type. Its pages keep theirs on Xen 4.17, and writes to them never end (spec 03 section 3.8,
 * S-1); with the knob they become RAM.
 */
export function memTypeForgetServer(d: Domain, s: IoreqServer): void {
  if (s.typeFlags == 0) return;
  setServer(d, s, 0);
  if (Mutation.is(MUTATION_DESTROY_KEEPS_TYPE)) return;
  if (Knobs.get(KNOB_DESTROY_TYPE) == <u32>AS_FIXED && d.p2mIoreqServer == NO_SERVER) typeResetAll(d);
}

/**
 * DMOP_map_mem_type_to_ioreq_server: gives the accesses to pages of the type to server `id`, or with flags 0 takes them away.
 *
 * @param from gfn at which a preempted call goes on, 0 at first.
 * @returns OK; -EINVAL (type, flags, not mapped), -ENOENT, -EPERM, -EBUSY, -ENOMEM; -ERESTART with the next `from` in memTypeResumeAt.
 */
export function memTypeMap(d: Domain, id: u32, caller: u32, type: u32, flags: u32, from: u64): i32 {
  // Whoever says that a call goes on is believed, as in Xen: a sweep changes nothing that does not have to change anyway.
  if (from == 0) {
    const known: u32 =
      Knobs.get(KNOB_TYPE_READ) != 0 ? DMOP_MEM_ACCESS_READ | DMOP_MEM_ACCESS_WRITE : DMOP_MEM_ACCESS_WRITE;
    if (type != <u32>HVMMEM_IOREQ_SERVER || (flags & ~known) != 0) return -EINVAL;
    const rc = change(d, id, caller, flags);
    if (rc != OK) return rc;
  }
  return flags == 0 && d.p2mIoreqServer == NO_SERVER ? typeSweep(d, from) : OK;
}

function change(d: Domain, id: u32, caller: u32, flags: u32): i32 {
  const isPausing = Knobs.get(KNOB_UNMAP_PAUSE) != 0;
  IoreqLock.acquire(d);
  const found = ioreqServerOf(d, id, caller);
  let rc = found;
  if (found >= 0) {
    if (isPausing) domainPause(d);
    rc = setServer(d, IoreqServer.at(found), flags);
    if (rc == OK) rc = isPausing ? afterwards(d, flags) : OK;
    if (isPausing) domainUnpause(d);
  }
  IoreqLock.release(d);
  return rc == OK && !isPausing ? afterwards(d, flags) : rc;
}

/** Window: the server is gone, pages still have the type, and nobody answers for them. */
function afterwards(d: Domain, flags: u32): i32 {
  Window.at(W_TYPE_SERVER_CLEARED, TypeOwner.lockOf(d), ACCESS_WRITE);
  if (flags != 0) return refresh(d);
  return d.p2mIoreqServer == NO_SERVER ? typeReset(d) : refresh(d);
}

/** Pages of the type that were there before get the rights that the flags ask for now. */
function refresh(d: Domain): i32 {
  if (d.p2mIoreqEntries == 0) return OK;
  P2m.lock(d);
  let gfn: u64 = 0;
  while (gfn <= d.p2mMaxMapped) {
    const type = P2m.lookup(d, gfn, 0);
    const next = P2m.next(d, gfn);
    if (type == <u32>P2M_IOREQ_SERVER) {
      P2m.changeTypeOne(d, gfn, P2M_IOREQ_SERVER, P2M_RAM_RW);
      P2m.changeTypeOne(d, gfn, P2M_RAM_RW, P2M_IOREQ_SERVER);
    }
    gfn = next;
  }
  P2m.unlock(d);
  return OK;
}

/** Where a preempted memTypeMap goes on. */
export function memTypeResumeAt(from: u64): u64 {
  return from + SWEEP_BATCH;
}
