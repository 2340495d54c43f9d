/**
 * XENMEM_get_vnumainfo: {domid u16, pad u16, nr_vnodes u32, nr_vcpus u32, nr_vmemranges u32, handles of distances, vcpu_to_vnode,
 * ranges}, 40 bytes for both word sizes. The numbers come back when the caller's room is too small.
 *
 * The size is looked at under the lock, then the lock goes, because memory for a copy must be found; under the lock again the topology
 * may be another one, or none (C-72).
 */
import { EAGAIN, EFAULT, EINVAL, ENOBUFS, EOPNOTSUPP, ESRCH, OK } from "../../abi/errno";
import { DEFECT_VNUMA_FREE } from "../../abi/knobs";
import { W_VNUMA_SIZED } from "../../abi/windows";
import { Hv } from "../../base/assert";
import { Defects } from "../../base/defects";
import { ACCESS_READ, Window } from "../../base/window";
import { FRAME_FREE, Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { findDomain } from "../domain/find";
import { Vcpu } from "../vcpu";
import {
  VNUMA_DISTANCES,
  VNUMA_NODES,
  VNUMA_RANGE_LIST,
  VNUMA_RANGE_SIZE,
  VNUMA_RANGES,
  VNUMA_VCPU_NODES,
  VNUMA_VCPUS,
  Vnuma,
} from "../vnuma/tables";
import { xsmTarget } from "../xsm/dummy";
import { copyFromGuest, copyToGuest, Scratch } from "./guest-copy";

const SIZE: u32 = 40;
const NODES: usize = 4;
const VCPUS: usize = 8;
const RANGES: usize = 12;
const DISTANCES: usize = 16;
const VCPU_NODES: usize = 24;
const RANGE_LIST: usize = 32;
/** The copy, where a window does not lose it while it is small. */
const COPY: usize = 0x40;
const SITE_FREED_TOPOLOGY: u32 = 70;

/** Under the lock: the counts into the structure. @returns whether they fit into what the caller has. */
function countsFit(page: usize, nodes: u32, vcpus: u32, ranges: u32): bool {
  return (
    load<u32>(page, VNUMA_NODES) <= nodes &&
    load<u32>(page, VNUMA_VCPUS) <= vcpus &&
    load<u32>(page, VNUMA_RANGES) <= ranges
  );
}

function giveCounts(page: usize): void {
  const at = Scratch.at;
  store<u32>(at, load<u32>(page, VNUMA_NODES), NODES);
  store<u32>(at, load<u32>(page, VNUMA_VCPUS), VCPUS);
  store<u32>(at, load<u32>(page, VNUMA_RANGES), RANGES);
}

/** Three lists, one after the other: where each begins in the copy. */
function copyTables(page: usize, nodes: u32, vcpus: u32, ranges: u32): void {
  const to = Scratch.at + COPY;
  memory.copy(to, page + VNUMA_DISTANCES, nodes * nodes * 4);
  memory.copy(to + nodes * nodes * 4, page + VNUMA_VCPU_NODES, vcpus * 4);
  memory.copy(to + nodes * nodes * 4 + vcpus * 4, page + VNUMA_RANGE_LIST, ranges * VNUMA_RANGE_SIZE);
}

function giveTables(v: Vcpu, nodes: u32, vcpus: u32, ranges: u32): bool {
  const at = Scratch.at;
  const from = at + COPY;
  const distances = nodes * nodes * 4;
  if (copyToGuest(v, load<u64>(at, DISTANCES), from, distances) != 0) return false;
  if (copyToGuest(v, load<u64>(at, VCPU_NODES), from + distances, vcpus * 4) != 0) return false;
  return copyToGuest(v, load<u64>(at, RANGE_LIST), from + distances + vcpus * 4, ranges * VNUMA_RANGE_SIZE) == 0;
}

export function getVnumaInfo(v: Vcpu, argGva: u64): i64 {
  const at = Scratch.at;
  if (copyFromGuest(v, at, argGva, SIZE) != 0) return -EFAULT;
  if (load<u16>(at, 2) != 0) return -EINVAL;
  const found = findDomain(v, load<u16>(at));
  if (found == 0) return -ESRCH;
  const d = changetype<Domain>(found);
  const denied = xsmTarget(v.domain, d);
  return denied != OK ? denied : topology(v, d, argGva);
}

function topology(v: Vcpu, d: Domain, argGva: u64): i64 {
  const at = Scratch.at;
  Vnuma.lock(d);
  if (d.vnumaMfn == 0) {
    Vnuma.unlock(d);
    return -EOPNOTSUPP;
  }
  const mfn = d.vnumaMfn;
  const page = Vnuma.at(d);
  const fits = countsFit(page, load<u32>(at, NODES), load<u32>(at, VCPUS), load<u32>(at, RANGES));
  giveCounts(page);
  const nodes = load<u32>(page, VNUMA_NODES);
  const vcpus = load<u32>(page, VNUMA_VCPUS);
  const ranges = load<u32>(page, VNUMA_RANGES);
  Vnuma.unlock(d);
  if (!fits) return copyToGuest(v, argGva, at, SIZE) != 0 ? -EFAULT : -ENOBUFS;
  Window.at(W_VNUMA_SIZED, changetype<usize>(d) + offsetof<Domain>("vnumaMfn"), ACCESS_READ); // the domain may be destroyed now
  Vnuma.lock(d);
  const again = copyAgain(d, mfn, nodes, vcpus, ranges);
  Vnuma.unlock(d);
  if (again != OK) return again;
  if (!giveTables(v, nodes, vcpus, ranges)) return -EFAULT;
  return copyToGuest(v, argGva, at, SIZE) != 0 ? -EFAULT : OK;
}

/** -EOPNOTSUPP when the topology is gone by now, -EAGAIN when it has grown. With the defect nobody asks, and reads where it was. */
function copyAgain(d: Domain, mfn: u32, nodes: u32, vcpus: u32, ranges: u32): i32 {
  if (Defects.has(DEFECT_VNUMA_FREE)) {
    Hv.assert((Frame.at(mfn).flags & FRAME_FREE) == 0, SITE_FREED_TOPOLOGY);
    copyTables(Frame.host(mfn), nodes, vcpus, ranges);
    return OK;
  }
  if (d.vnumaMfn == 0) return -EOPNOTSUPP;
  if (!countsFit(Vnuma.at(d), nodes, vcpus, ranges)) return -EAGAIN;
  copyTables(Vnuma.at(d), nodes, vcpus, ranges);
  return OK;
}
