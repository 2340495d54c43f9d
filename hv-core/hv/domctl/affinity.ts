/**
 * Where vCPUs run: set/getvcpuaffinity, set/getnodeaffinity, scheduler_op. One processor executes and gives turns, so affinities
 * are kept and reported; they choose nothing. Rows V222..V249 of the recorded Xen.
 */
import { NR_PCPUS, VCPUAFFINITY_HARD, VCPUAFFINITY_SOFT } from "../../abi/domctl";
import { EFAULT, EINVAL, ESRCH, OK } from "../../abi/errno";
import { Domain } from "../domain";
import { findVcpu } from "../domain/find";
import { Vcpu } from "../vcpu";
import { bitmapBits, bitmapFromGuest, bitmapToGuest } from "./bitmap";

// {vcpu u32, flags u32, hard bitmap, soft bitmap}
const FLAGS: usize = 4;
const HARD: usize = 8;
const SOFT: usize = 24;
const ONLINE: u64 = ((<u64>1) << NR_PCPUS) - 1;
/** Bits of a node mask. */
const NODES: u32 = 64;
const ONLINE_NODES: u64 = 1;

/** Scheduler whose parameters exist: credit2. */
const SCHEDULER_CREDIT2: u32 = 6;
const SCHED_PUTINFO: u32 = 0;
const SCHED_GETINFO: u32 = 1;

/** The vCPU of the structure, or a negative error. */
function check(d: Domain, u: usize): i32 {
  const id = load<u32>(u);
  if (id >= d.maxVcpus) return -EINVAL;
  if (findVcpu(d, id) == 0) return -ESRCH;
  return load<u32>(u, FLAGS) == 0 ? -EINVAL : OK;
}

export function getVcpuAffinity(v: Vcpu, d: Domain, u: usize): i32 {
  const error = check(d, u);
  if (error != OK) return error;
  const subject = changetype<Vcpu>(findVcpu(d, load<u32>(u)));
  const flags = load<u32>(u, FLAGS);
  let result: i32 = OK;
  if ((flags & VCPUAFFINITY_HARD) != 0) result = bitmapToGuest(v, u + HARD, subject.hardAffinity, NR_PCPUS);
  if (result == OK && (flags & VCPUAFFINITY_SOFT) != 0)
    result = bitmapToGuest(v, u + SOFT, subject.softAffinity, NR_PCPUS);
  return result;
}

/**
 * A hard affinity must leave a processor that is on line; what is effective goes back. A soft affinity that cannot be read undoes the
 * hard one. As in Xen, an answer that cannot be written undoes nothing, and the hard one's is forgotten when a soft one follows.
 */
export function setVcpuAffinity(v: Vcpu, d: Domain, u: usize): i32 {
  const error = check(d, u);
  if (error != OK) return error;
  const subject = changetype<Vcpu>(findVcpu(d, load<u32>(u)));
  const flags = load<u32>(u, FLAGS);
  const old = subject.hardAffinity;
  let result: i32 = OK;
  if ((flags & VCPUAFFINITY_HARD) != 0) {
    if (!bitmapFromGuest(v, u + HARD, NR_PCPUS)) return -EFAULT;
    const hard = bitmapBits() & ONLINE;
    if (hard == 0) return -EINVAL;
    subject.hardAffinity = hard;
    result = bitmapToGuest(v, u + HARD, hard, NR_PCPUS);
  }
  if ((flags & VCPUAFFINITY_SOFT) == 0) return result;
  if (!bitmapFromGuest(v, u + SOFT, NR_PCPUS)) {
    subject.hardAffinity = old;
    return -EFAULT;
  }
  subject.softAffinity = bitmapBits() & ONLINE;
  return bitmapToGuest(v, u + SOFT, subject.softAffinity & subject.hardAffinity, NR_PCPUS);
}

export function getNodeAffinity(v: Vcpu, d: Domain, u: usize): i32 {
  return bitmapToGuest(v, u, d.nodeAffinity, NODES);
}

export function setNodeAffinity(v: Vcpu, d: Domain, u: usize): i32 {
  if (!bitmapFromGuest(v, u, NODES)) return -EFAULT;
  const nodes = bitmapBits();
  if ((nodes & ONLINE_NODES) == 0) return -EINVAL;
  d.nodeAffinity = nodes & ONLINE_NODES;
  return OK;
}

/** {sched_id u32, cmd u32, weight u16, cap u16}: weight and cap are kept for the toolstack; turns are equal here. */
export function schedulerOp(d: Domain, u: usize): i32 {
  if (load<u32>(u) != SCHEDULER_CREDIT2) return -EINVAL;
  const cmd = load<u32>(u, 4);
  if (cmd == SCHED_GETINFO) {
    store<u16>(u, <u16>d.schedWeight, 8);
    store<u16>(u, <u16>d.schedCap, 10);
    return OK;
  }
  if (cmd != SCHED_PUTINFO) return -EINVAL;
  const weight = load<u16>(u, 8);
  if (weight != 0) d.schedWeight = weight;
  const cap = load<u16>(u, 10);
  if (cap != 0xffff) d.schedCap = cap;
  return OK;
}
