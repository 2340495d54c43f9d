/** DOMCTL_getdomaininfo and getvcpuinfo, layouts of 4.17 (spec 05 section 5.2). */
import { CTR_LOOP_STEPS } from "../../abi/counters";
import { CDF_XS, DOMINF_DEBUGGED } from "../../abi/domctl";
import { EINVAL, ESRCH, OK } from "../../abi/errno";
import {
  DOMID_FIRST_RESERVED,
  DOMINF_BLOCKED,
  DOMINF_DYING,
  DOMINF_HAP,
  DOMINF_HVM,
  DOMINF_PAUSED,
  DOMINF_RUNNING,
  DOMINF_SHUTDOWN,
  DOMINF_SHUTDOWN_SHIFT,
  DOMINF_XS,
} from "../../abi/hypercalls";
import { KNOB_PADDR_BITS } from "../../abi/knobs";
import { Count } from "../../base/counters";
import { Knobs, Machine } from "../../base/machine";
import { Frame } from "../../mem/frame-table";
import { DOMAIN_ALIVE, Domain } from "../domain";
import { DomainTable } from "../domain/table";
import { cpuTime } from "../sched/runstate";
import { Vcpu, VPF_BLOCKED, VPF_DOWN, VPF_POLL } from "../vcpu";
import { DomctlEra } from "./era-0a/era";

const U: usize = 16;
const INFO_SIZE: usize = 112;
/** Without the width of addresses and the architecture's words. */
const INFO_SIZE_0A: usize = 96;

/** The domain with the smallest id not below `domid`; 0 = none. The list is walked from its start, as Xen's for_each_domain does. */
function findFrom(domid: u32): usize {
  let at = DomainTable.first();
  while (at != 0) {
    Count.one(CTR_LOOP_STEPS);
    const d = changetype<Domain>(at);
    if (d.domid >= domid) return at;
    at = DomainTable.after(d);
  }
  return 0;
}

function isBlocked(d: Domain): bool {
  let any = false;
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    const v = Vcpu.at(d.firstVcpu + id);
    if ((v.pauseFlags & VPF_DOWN) != 0) continue;
    if ((v.pauseFlags & (VPF_BLOCKED | VPF_POLL)) == 0) return false;
    any = true;
  }
  return any;
}

/** Whether the vCPU has a processor now. One whose turn goes on after the host's look has none: nobody runs while dom0 asks. */
function isOnProcessor(v: Vcpu): bool {
  return Machine.get().currentVcpu == v.slot + 1;
}

function isRunning(d: Domain): bool {
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    if (isOnProcessor(Vcpu.at(d.firstVcpu + id))) return true;
  }
  return false;
}

function flagsOf(d: Domain): u32 {
  let flags: u32 = d.shutdownCode << DOMINF_SHUTDOWN_SHIFT;
  if (d.state != DOMAIN_ALIVE) flags |= DOMINF_DYING;
  if (d.isHvm != 0) flags |= DOMINF_HVM | DOMINF_HAP;
  if (d.isDebugged != 0) flags |= DOMINF_DEBUGGED;
  if (d.isShutDown != 0) flags |= DOMINF_SHUTDOWN;
  if (d.controllerPause != 0) flags |= DOMINF_PAUSED;
  if (isBlocked(d)) flags |= DOMINF_BLOCKED;
  if (isRunning(d)) flags |= DOMINF_RUNNING;
  if ((d.createFlags & CDF_XS) != 0) flags |= DOMINF_XS;
  return flags;
}

/** gfn of the shared_info page, all ones while it is not mapped. */
function sharedInfoGfn(d: Domain): u64 {
  if (d.sharedInfoMfn == 0) return 0xffff_ffff_ffff_ffff;
  return Frame.at(d.sharedInfoMfn).m2p; // INVALID_M2P is all ones
}

function vcpuTotals(d: Domain, info: usize): void {
  let online: u32 = 0;
  let time: u64 = 0;
  Count.add(CTR_LOOP_STEPS, d.vcpuCount);
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    const v = Vcpu.at(d.firstVcpu + id);
    if ((v.pauseFlags & VPF_DOWN) == 0) online++;
    time += cpuTime(v);
  }
  store<u64>(info, time, 56);
  store<u32>(info, online, 64);
  store<u32>(info, d.vcpuCount - 1, 68); // all ones without vCPUs
}

/** The domain that getdomaininfo would answer about, 0 = none. */
export function findInfoDomain(op: usize): usize {
  const domid = load<u16>(op, 8);
  return domid >= <u16>DOMID_FIRST_RESERVED ? 0 : findFrom(domid);
}

/** The answer about `found` stands in the structure: the domain itself, or the next one with a higher id. 0: why there is none. */
export function getDomainInfo(op: usize, found: usize): i32 {
  if (found == 0) return load<u16>(op, 8) >= <u16>DOMID_FIRST_RESERVED ? -EINVAL : -ESRCH;
  const d = changetype<Domain>(found);
  const info = op + U;
  memory.fill(info, 0, DomctlEra.is0a ? INFO_SIZE_0A : INFO_SIZE);
  store<u16>(op, <u16>d.domid, 8);
  store<u16>(info, <u16>d.domid);
  store<u32>(info, flagsOf(d), 4);
  store<u64>(info, d.totPages, 8);
  store<u64>(info, d.maxPages, 16);
  store<u64>(info, d.claimedPages, 24);
  store<u64>(info, sharedInfoGfn(d), 48);
  vcpuTotals(d, info);
  store<u32>(info, d.ssidref, 72);
  store<u64>(info, d.handle0, 76);
  store<u64>(info, d.handle1, 84);
  if (DomctlEra.is0a) return OK;
  store<u8>(info, <u8>Knobs.get(KNOB_PADDR_BITS), 96);
  store<u32>(info, d.emulationFlags, 104);
  store<u32>(info, d.miscFlags, 108);
  return OK;
}

/** {vcpu u32, online u8, blocked u8, running u8, cpu_time u64 @8, cpu u32 @16}. -EINVAL beyond max_vcpus, -ESRCH when absent. */
export function getVcpuInfo(d: Domain, u: usize): i32 {
  const id = load<u32>(u);
  if (id >= d.maxVcpus) return -EINVAL;
  if (id >= d.vcpuCount) return -ESRCH;
  const v = Vcpu.at(d.firstVcpu + id);
  store<u8>(u, (v.pauseFlags & VPF_DOWN) == 0 ? 1 : 0, 4);
  store<u8>(u, (v.pauseFlags & VPF_BLOCKED) != 0 ? 1 : 0, 5);
  store<u8>(u, isOnProcessor(v) ? 1 : 0, 6);
  store<u64>(u, cpuTime(v), 8);
  store<u32>(u, v.slot, 16);
  return OK;
}
