/**
 * DOMCTL_get_cpu_policy and set_cpu_policy: {nr_leaves u32, nr_msrs u32, leaves handle, msrs handle, err_leaf u32, err_subleaf u32,
 * err_msr u32}. A new policy is read and checked as a whole before anything of it counts; the structure says where it is wrong.
 * Rows V352..V357 of the recorded Xen.
 */
import { CTR_LOOP_STEPS } from "../../abi/counters";
import {
  CPUID_LEAF_SIZE,
  CPUID_MAX_LEAVES,
  CPUID_NO_SUBLEAF,
  POLICY_MAX_MSRS,
  POLICY_MSR_SIZE,
} from "../../abi/domctl";
import { E2BIG, EEXIST, EFAULT, EINVAL, ENOBUFS, EOVERFLOW, ERANGE, OK } from "../../abi/errno";
import { KNOB_PADDR_BITS } from "../../abi/knobs";
import { Count } from "../../base/counters";
import { Knobs } from "../../base/machine";
import { CpuidTable } from "../cpuid/table";
import { Domain } from "../domain";
import { domainPauseSync, domainUnpause } from "../domain/pause";
import { CPUID_MAX_BASIC, CPUID_MAX_EXTENDED, cpuidRowAt } from "../exits/cpuid-leaves";
import { copyFromGuest, copyToGuest, Scratch } from "../hypercall/guest-copy";
import { Vcpu } from "../vcpu";

const NR_LEAVES: usize = 0;
const NR_MSRS: usize = 4;
const LEAVES: usize = 8;
const MSRS: usize = 16;
const ERROR_LEAF: usize = 24;
const ERROR_SUBLEAF: usize = 28;
const ERROR_MSR: usize = 32;
const NOWHERE: u32 = 0xffff_ffff;

/** Where a policy is put together: leaves, then MSRs. */
const STAGE: usize = 0x1000;
const STAGE_MSRS: usize = STAGE + 120 * 24;

const MSR_PLATFORM_INFO: u32 = 0xce;
const PLATFORM_CPUID_FAULTING: u64 = 0x8000_0000;
const MSR_ARCH_CAPABILITIES: u32 = 0x10a;

const LAST_BASIC: u32 = 0xd;
const LAST_EXTENDED: u32 = 0x8000_0021;
const FIRST_HYPERVISOR: u32 = 0x4000_0000;
const SECOND_HYPERVISOR: u32 = 0x4000_0100;

/** Subleaves that a leaf has: 0 = it has none, and says CPUID_NO_SUBLEAF. */
function subleaves(leaf: u32): u32 {
  switch (leaf) {
    case 4:
      return 6;
    case 7:
      return 3;
    case 0xb:
      return 2;
    case 0xd:
      return 63;
    default:
      return 0;
  }
}

function isLeaf(leaf: u32): bool {
  if (leaf <= LAST_BASIC || leaf == FIRST_HYPERVISOR || leaf == SECOND_HYPERVISOR) return true;
  return leaf >= 0x8000_0000 && leaf <= LAST_EXTENDED;
}

function isInRange(leaf: u32, subleaf: u32): bool {
  if (!isLeaf(leaf)) return false;
  const most = subleaves(leaf);
  return most == 0 ? subleaf == <u32>CPUID_NO_SUBLEAF : subleaf < most;
}

function wrongAt(u: usize, leaf: u32, subleaf: u32, msr: u32, error: i32): i32 {
  store<u32>(u, leaf, ERROR_LEAF);
  store<u32>(u, subleaf, ERROR_SUBLEAF);
  store<u32>(u, msr, ERROR_MSR);
  return error;
}

/** Leaves in and range; the words stay where they were read. */
function readLeaves(v: Vcpu, u: usize): i32 {
  const count = load<u32>(u, NR_LEAVES);
  const stage = Scratch.at + STAGE;
  if (copyFromGuest(v, stage, load<u64>(u, LEAVES), count * CPUID_LEAF_SIZE) != 0) return -EFAULT;
  for (let i: u32 = 0; i < count; i++) {
    Count.one(CTR_LOOP_STEPS);
    const at = stage + <usize>i * CPUID_LEAF_SIZE;
    if (!isInRange(load<u32>(at), load<u32>(at, 4)))
      return wrongAt(u, load<u32>(at), load<u32>(at, 4), NOWHERE, -ERANGE);
  }
  return OK;
}

function readMsrs(v: Vcpu, u: usize): i32 {
  const count = load<u32>(u, NR_MSRS);
  const stage = Scratch.at + STAGE_MSRS;
  if (copyFromGuest(v, stage, load<u64>(u, MSRS), count * POLICY_MSR_SIZE) != 0) return -EFAULT;
  for (let i: u32 = 0; i < count; i++) {
    const at = stage + <usize>i * POLICY_MSR_SIZE;
    const msr = load<u32>(at);
    if (load<u32>(at, 4) != 0) return wrongAt(u, NOWHERE, NOWHERE, msr, -EINVAL);
    if (msr != MSR_PLATFORM_INFO && msr != MSR_ARCH_CAPABILITIES) return wrongAt(u, NOWHERE, NOWHERE, msr, -ERANGE);
    if (load<u64>(at, 8) >> 32 != 0) return wrongAt(u, NOWHERE, NOWHERE, msr, -EOVERFLOW);
  }
  return OK;
}

/** What no domain here may be told: more leaves or wider addresses than there are. */
function checkCompatible(u: usize): i32 {
  const count = load<u32>(u, NR_LEAVES);
  for (let i: u32 = 0; i < count; i++) {
    const at = Scratch.at + STAGE + <usize>i * CPUID_LEAF_SIZE;
    const leaf = load<u32>(at);
    const eax = load<u32>(at, 8);
    let isWrong = leaf == 0 && eax > CPUID_MAX_BASIC;
    if (leaf == 0x8000_0000) isWrong = eax > CPUID_MAX_EXTENDED;
    if (leaf == 0x8000_0008) isWrong = (eax & 0xff) > Knobs.get(KNOB_PADDR_BITS);
    if (isWrong) return wrongAt(u, leaf, CPUID_NO_SUBLEAF, NOWHERE, -EINVAL);
  }
  const msrs = load<u32>(u, NR_MSRS);
  for (let i: u32 = 0; i < msrs; i++) {
    const at = Scratch.at + STAGE_MSRS + <usize>i * POLICY_MSR_SIZE;
    const allowed = load<u32>(at) == MSR_PLATFORM_INFO ? PLATFORM_CPUID_FAULTING : 0;
    if ((load<u64>(at, 8) & ~allowed) != 0) return wrongAt(u, NOWHERE, NOWHERE, load<u32>(at), -EINVAL);
  }
  return OK;
}

/** New entries that the table would need, beside those it has. */
function countNew(d: Domain, count: u32): u32 {
  let fresh: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const at = Scratch.at + STAGE + <usize>i * CPUID_LEAF_SIZE;
    if (d.cpuidCount == 0 || CpuidTable.find(d, load<u32>(at), load<u32>(at, 4)) == 0) fresh++;
  }
  return fresh;
}

function update(v: Vcpu, d: Domain, u: usize): i32 {
  const leaves = load<u32>(u, NR_LEAVES);
  wrongAt(u, NOWHERE, NOWHERE, NOWHERE, OK);
  if (leaves > <u32>CPUID_MAX_LEAVES || load<u32>(u, NR_MSRS) > <u32>POLICY_MAX_MSRS) return -E2BIG;
  let error = readLeaves(v, u);
  if (error == OK) error = readMsrs(v, u);
  if (error == OK) error = checkCompatible(u);
  if (error != OK || leaves == 0) return error;
  if (d.cpuidCount + countNew(d, leaves) > <u32>CPUID_MAX_LEAVES) return -E2BIG;
  error = CpuidTable.prepare(d);
  for (let i: u32 = 0; error == OK && i < leaves; i++)
    error = CpuidTable.put(d, Scratch.at + STAGE + <usize>i * CPUID_LEAF_SIZE, CPUID_MAX_LEAVES);
  return error;
}

/** Not for the caller itself, which would wait for its own pause; -EEXIST once the domain has run. */
export function setCpuPolicy(v: Vcpu, d: Domain, u: usize): i32 {
  if (d.slot == v.domainSlot) return -EINVAL;
  domainPauseSync(v, d);
  const result = d.hasRun != 0 ? -EEXIST : update(v, d, u);
  domainUnpause(d);
  return result;
}

/** One leaf to the stage: from the domain's table, or the row that everybody has. */
function stageLeaf(index: u32, from: usize): void {
  memory.copy(Scratch.at + STAGE + <usize>index * CPUID_LEAF_SIZE, from, CPUID_LEAF_SIZE);
}

function isHypervisorLeaf(leaf: u32): bool {
  return leaf >= FIRST_HYPERVISOR && leaf < 0x8000_0000;
}

/** Puts all leaves of the domain together, in order of nothing in particular. @returns how many. */
function collect(d: Domain): u32 {
  let count: u32 = 0;
  for (let i: u32 = 0; cpuidRowAt(i) != 0; i++) {
    const row = cpuidRowAt(i);
    const leaf = load<u32>(row);
    if (isHypervisorLeaf(leaf)) continue;
    const subleaf: u32 = subleaves(leaf) == 0 ? CPUID_NO_SUBLEAF : load<u32>(row, 4);
    if (d.cpuidCount != 0 && CpuidTable.find(d, leaf, subleaf) != 0) continue;
    stageLeaf(count, row);
    store<u32>(Scratch.at + STAGE + <usize>count * CPUID_LEAF_SIZE, subleaf, 4);
    count++;
  }
  for (let i: u32 = 0; i < d.cpuidCount && count < <u32>CPUID_MAX_LEAVES; i++)
    stageLeaf(count++, CpuidTable.entry(d, i));
  return count;
}

function stageMsrs(): void {
  const at = Scratch.at + STAGE_MSRS;
  memory.fill(at, 0, POLICY_MAX_MSRS * POLICY_MSR_SIZE);
  store<u32>(at, MSR_PLATFORM_INFO);
  store<u64>(at, PLATFORM_CPUID_FAULTING, 8);
  store<u32>(at + POLICY_MSR_SIZE, MSR_ARCH_CAPABILITIES);
}

/** A NULL handle asks how much room the list needs; otherwise the number becomes what was written. -ENOBUFS when the room is short. */
export function getCpuPolicy(v: Vcpu, d: Domain, u: usize): i32 {
  const leaves = load<u64>(u, LEAVES);
  const count = collect(d);
  if (leaves == 0) {
    store<u32>(u, CPUID_MAX_LEAVES, NR_LEAVES);
  } else {
    if (load<u32>(u, NR_LEAVES) < count) return -ENOBUFS;
    if (copyToGuest(v, leaves, Scratch.at + STAGE, count * CPUID_LEAF_SIZE) != 0) return -EFAULT;
    store<u32>(u, count, NR_LEAVES);
  }
  const msrs = load<u64>(u, MSRS);
  if (msrs != 0) {
    if (load<u32>(u, NR_MSRS) < <u32>POLICY_MAX_MSRS) return -ENOBUFS;
    stageMsrs();
    if (copyToGuest(v, msrs, Scratch.at + STAGE_MSRS, POLICY_MAX_MSRS * POLICY_MSR_SIZE) != 0) return -EFAULT;
  }
  store<u32>(u, POLICY_MAX_MSRS, NR_MSRS);
  return OK;
}
