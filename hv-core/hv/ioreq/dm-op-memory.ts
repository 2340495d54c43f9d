/** dm_ops 11, 12 and 15: memory types and dirty pages. `args` is the union of struct dm_op (spec 03 sections 3.2 and 3.6). */

import { EAGAIN, EINVAL, ERESTART, OK } from "../../abi/errno";
import { AS_XEN, KNOB_SET_TYPE_CHECK } from "../../abi/knobs";
import { MUTATION_SET_TYPE_NO_LOOK, MUTATION_SET_TYPE_UNLOCKED } from "../../abi/mutations";
import {
  HVMMEM_IOREQ_SERVER,
  HVMMEM_MMIO_DM,
  HVMMEM_RAM_RO,
  HVMMEM_RAM_RW,
  P2M_ALLOC,
  P2M_INVALID,
  P2M_IOREQ_SERVER,
  P2M_MMIO_DM,
  P2M_RAM_RO,
  P2M_RAM_RW,
  P2M_RAM_SHARED,
  P2M_UNSHARE,
} from "../../abi/p2m-types";
import { W_PAGE_NOT_COUNTED, W_TYPE_SERVER_CHECKED } from "../../abi/windows";
import { Knobs } from "../../base/machine";
import { Mutation } from "../../base/mutation";
import { ACCESS_WRITE, Window } from "../../base/window";
import { Domain, NO_SERVER } from "../domain";
import { P2m } from "../p2m/p2m";
import { P2mType } from "../p2m/types";
import { pagingPopulate } from "../paging/populate";
import { memTypeMap, memTypeResumeAt } from "./mem-type";

/** gfns changed before the hypercall lets others have a turn. */
const BATCH: u64 = 256;

/**
 * {nr u32 @0, mem_type u16 @4, pad u16 @6, first_pfn u64 @8}. After -ERESTART nr and first_pfn say what is left.
 * Partial success is possible: gfns before the one that failed are changed.
 */
export function dmSetMemType(d: Domain, args: usize): i32 {
  const nr = <u64>load<u32>(args);
  const memType = <u32>load<u16>(args, 4);
  const first = load<u64>(args, 8);
  const last = first + nr - 1;
  if (load<u16>(args, 6) != 0 || first > last || last > d.p2mMaxMapped) return -EINVAL;
  const type = p2mTypeOf(memType);
  if (type == <u32>P2M_INVALID) return -EINVAL;
  // Looked at once, before the loop, as in Xen: an unmap in between leaves pages of the type without a server (S-3).
  if (type == <u32>P2M_IOREQ_SERVER && d.p2mIoreqServer == NO_SERVER) return -EINVAL;
  Window.at(W_TYPE_SERVER_CHECKED, changetype<usize>(d), ACCESS_WRITE); // an unmap may come now
  for (let done: u64 = 0; done < nr; ) {
    const rc = changeOne(d, first + done, type);
    if (rc != OK) return rc;
    done++;
    if (done < nr && done % BATCH == 0) {
      store<u32>(args, <u32>(nr - done));
      store<u64>(args, first + done, 8);
      return -ERESTART;
    }
  }
  return OK;
}

/** The p2m type behind a public memory type; P2M_INVALID for one that cannot be asked for. */
function p2mTypeOf(memType: u32): u32 {
  switch (memType) {
    case HVMMEM_RAM_RW:
      return P2M_RAM_RW;
    case HVMMEM_RAM_RO:
      return P2M_RAM_RO;
    case HVMMEM_MMIO_DM:
      return P2M_MMIO_DM;
    case HVMMEM_IOREQ_SERVER:
      return P2M_IOREQ_SERVER;
    default:
      return P2M_INVALID;
  }
}

function changeOne(d: Domain, gfn: u64, to: u32): i32 {
  const isLocked = !Mutation.is(MUTATION_SET_TYPE_UNLOCKED);
  if (isLocked) P2m.lock(d);
  const from = P2m.lookup(d, gfn, P2M_ALLOC | P2M_UNSHARE);
  let rc: i32;
  const isServed =
    Mutation.is(MUTATION_SET_TYPE_NO_LOOK) || to != <u32>P2M_IOREQ_SERVER || d.p2mIoreqServer != NO_SERVER;
  if (to == <u32>P2M_IOREQ_SERVER) Window.at(W_PAGE_NOT_COUNTED, changetype<usize>(d), ACCESS_WRITE); // an unmap may see no page
  if (!isServed && Knobs.get(KNOB_SET_TYPE_CHECK) != <u32>AS_XEN) rc = -EINVAL;
  else if (from == <u32>P2M_RAM_SHARED || P2mType.isPaging(from)) rc = -EAGAIN;
  else if (!isAllowed(from, to)) rc = -EINVAL;
  else rc = P2m.changeTypeOne(d, gfn, from, to);
  if (isLocked) P2m.unlock(d);
  if (P2mType.isPaging(from)) pagingPopulate(d, gfn);
  return rc;
}

/** Only plain RAM becomes an ioreq_server page, and such a page only becomes plain RAM again. */
function isAllowed(from: u32, to: u32): bool {
  if (to == <u32>P2M_IOREQ_SERVER) return from == <u32>P2M_RAM_RW;
  if (from == <u32>P2M_IOREQ_SERVER) return to == <u32>P2M_RAM_RW;
  return P2mType.isRam(from) || (P2mType.isHole(from) && to == <u32>P2M_MMIO_DM);
}

/** {id u16 @0, type u16 @2, flags u32 @4, opaque u64 @8}: opaque is where a preempted call goes on. */
export function dmMapMemType(d: Domain, caller: u32, args: usize): i32 {
  const from = load<u64>(args, 8);
  const rc = memTypeMap(d, load<u16>(args), caller, load<u16>(args, 2), load<u32>(args, 4), from);
  if (rc == -ERESTART) store<u64>(args, memTypeResumeAt(from), 8);
  return rc;
}
