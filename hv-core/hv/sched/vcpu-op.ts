/** HYPERVISOR_vcpu_op: bringing vCPUs up and down, their timers, their shared areas (spec 08 section 8.6). */
import { EEXIST, EFAULT, EINVAL, ENOENT, ENOSYS, OK } from "../../abi/errno";
import {
  SHUTDOWN_POWEROFF,
  VCPUOP_DOWN,
  VCPUOP_GET_RUNSTATE_INFO,
  VCPUOP_INITIALISE,
  VCPUOP_IS_UP,
  VCPUOP_REGISTER_RUNSTATE_AREA,
  VCPUOP_REGISTER_VCPU_INFO,
  VCPUOP_SET_PERIODIC_TIMER,
  VCPUOP_SET_SINGLESHOT_TIMER,
  VCPUOP_STOP_PERIODIC_TIMER,
  VCPUOP_STOP_SINGLESHOT_TIMER,
  VCPUOP_UP,
} from "../../abi/hypercalls";
import { Machine } from "../../base/machine";
import { findVcpu } from "../domain/find";
import { domainShutdown } from "../domain/shutdown";
import { hasOnlineVcpu, vcpuKick } from "../domain/vcpu-state";
import { copyFromGuest, copyToGuest, Scratch } from "../hypercall/guest-copy";
import { VCPU_INFO_TIME, vcpuInfoHost } from "../hypercall/shared-info";
import { nsToTicks } from "../time/time";
import { timerArm } from "../time/timers";
import { NO_DEADLINE, Vcpu, VPF_DOWN } from "../vcpu";
import { runstateFill, runstatePublish } from "./runstate";
import { setSingleshot } from "./set-timer-op";
import { VCPU_HVM_CONTEXT_SIZE, vcpuLoadContext } from "./vcpu-context";
import { vcpuInfoRegister } from "./vcpu-info";

const VCPU_TIME_INFO_SIZE: u32 = 32;
const MIN_PERIOD_NS: u64 = 1_000_000;
/** Longest period: 2^59 ns, so that a deadline never wraps. */
const MAX_PERIOD_NS: u64 = (<u64>1) << 59;
const VCPUOP_SEND_NMI = 11;
const VCPUOP_GET_PHYSID = 12;
const VCPUOP_REGISTER_VCPU_TIME_MEMORY_AREA = 13;

function initialise(v: Vcpu, target: Vcpu, argGva: u64): i32 {
  const context = Scratch.at;
  if (copyFromGuest(v, context, argGva, VCPU_HVM_CONTEXT_SIZE) != 0) return -EFAULT;
  if (target.initialised != 0) return -EEXIST;
  return vcpuLoadContext(target, context);
}

function up(target: Vcpu): i32 {
  if (target.initialised == 0) return -EINVAL;
  target.pauseFlags &= ~VPF_DOWN;
  return OK;
}

/** Off-line; a domain without any vCPU left powers off. */
export function vcpuDown(v: Vcpu): void {
  v.pauseFlags |= VPF_DOWN;
  const d = v.domain;
  if (!hasOnlineVcpu(d)) domainShutdown(d, SHUTDOWN_POWEROFF);
}

function setPeriodic(v: Vcpu, target: Vcpu, argGva: u64): i32 {
  if (copyFromGuest(v, Scratch.at, argGva, 8) != 0) return -EFAULT;
  const period = load<u64>(Scratch.at);
  if (period < MIN_PERIOD_NS || period > MAX_PERIOD_NS) return -EINVAL;
  target.periodicPeriod = nsToTicks(period);
  target.periodicDeadline = Machine.get().now + target.periodicPeriod;
  timerArm(target.periodicDeadline);
  return OK;
}

/** {timeout_abs_ns u64, flags u32}. The flag "only in the future" has no effect any more in 4.17. */
function setSingleshotOp(v: Vcpu, target: Vcpu, argGva: u64): i32 {
  if (v.slot != target.slot) return -EINVAL;
  if (copyFromGuest(v, Scratch.at, argGva, 12) != 0) return -EFAULT;
  setSingleshot(target, load<u64>(Scratch.at));
  return OK;
}

function getRunstate(v: Vcpu, target: Vcpu, argGva: u64): i32 {
  const size = runstateFill(target, Scratch.at, v.hypercall64 != 0);
  return copyToGuest(v, argGva, Scratch.at, size) != 0 ? -EFAULT : OK;
}

/** {area handle}: a linear address that must be writable now and is written again whenever the vCPU gets the processor. */
function registerRunstate(v: Vcpu, target: Vcpu, argGva: u64): i32 {
  const is64 = v.hypercall64 != 0;
  if (copyFromGuest(v, Scratch.at, argGva, is64 ? 8 : 4) != 0) return -EFAULT;
  target.runstateArea = is64 ? load<u64>(Scratch.at) : load<u32>(Scratch.at);
  target.runstateArea64 = is64 ? 1 : 0;
  if (target.slot == v.slot) runstatePublish(target);
  return OK;
}

/**
 * {area handle}: a second place for the vCPU's vcpu_time_info. Virtual time is exact, so what is written now stays right;
 * an area that cannot be written is not an error, as in Xen.
 */
function registerTimeArea(v: Vcpu, target: Vcpu, argGva: u64): i32 {
  const is64 = v.hypercall64 != 0;
  if (copyFromGuest(v, Scratch.at, argGva, is64 ? 8 : 4) != 0) return -EFAULT;
  const area = is64 ? load<u64>(Scratch.at) : load<u32>(Scratch.at);
  const info = vcpuInfoHost(target);
  if (info != 0) copyToGuest(v, area, info + VCPU_INFO_TIME, VCPU_TIME_INFO_SIZE);
  return OK;
}

/** {mfn u64, offset u32, rsvd u32}. */
function registerVcpuInfo(v: Vcpu, target: Vcpu, argGva: u64): i32 {
  if (copyFromGuest(v, Scratch.at, argGva, 16) != 0) return -EFAULT;
  return vcpuInfoRegister(target, load<u64>(Scratch.at), load<u32>(Scratch.at, 8));
}

export function vcpuOp(v: Vcpu, cmd: u32, vcpuId: u32, arg: u64): i64 {
  const found = findVcpu(v.domain, vcpuId);
  if (found == 0) return -ENOENT;
  const target = changetype<Vcpu>(found);
  switch (cmd) {
    case VCPUOP_INITIALISE:
      return initialise(v, target, arg);
    case VCPUOP_UP:
      return up(target);
    case VCPUOP_DOWN:
      vcpuDown(target);
      return OK;
    case VCPUOP_IS_UP:
      return (target.pauseFlags & VPF_DOWN) == 0 ? 1 : 0;
    case VCPUOP_GET_RUNSTATE_INFO:
      return getRunstate(v, target, arg);
    case VCPUOP_REGISTER_RUNSTATE_AREA:
      return registerRunstate(v, target, arg);
    case VCPUOP_SET_PERIODIC_TIMER:
      return setPeriodic(v, target, arg);
    case VCPUOP_STOP_PERIODIC_TIMER:
      target.periodicDeadline = NO_DEADLINE;
      return OK;
    case VCPUOP_SET_SINGLESHOT_TIMER:
      return setSingleshotOp(v, target, arg);
    case VCPUOP_STOP_SINGLESHOT_TIMER:
      if (v.slot != target.slot) return -EINVAL;
      v.singleshotDeadline = NO_DEADLINE;
      return OK;
    case VCPUOP_REGISTER_VCPU_INFO:
      return registerVcpuInfo(v, target, arg);
    case VCPUOP_SEND_NMI:
      target.nmiPending = 1;
      vcpuKick(target);
      return OK;
    case VCPUOP_GET_PHYSID:
      return -EINVAL; // vCPUs are not pinned to processors
    case VCPUOP_REGISTER_VCPU_TIME_MEMORY_AREA:
      return registerTimeArea(v, target, arg);
    default:
      return -ENOSYS;
  }
}
