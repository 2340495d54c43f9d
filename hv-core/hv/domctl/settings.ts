/** Domctls that set or read one thing of a domain: handle, debugger, clock, suspend port, address size, triggers, VIRQs, target. */
import { DOMCTL_GET_ADDRESS_SIZE, SENDTRIGGER_NMI, SENDTRIGGER_POWER, SENDTRIGGER_SLEEP } from "../../abi/domctl";
import { EBUSY, EINVAL, ENOSYS, EOPNOTSUPP, ESRCH, OK } from "../../abi/errno";
import { AS_FIXED, KNOB_VIRQ_HANDLER } from "../../abi/knobs";
import { PAGE_SIZE } from "../../abi/layout";
import { Knobs } from "../../base/machine";
import { Frame } from "../../mem/frame-table";
import { DOMAIN_ALIVE, Domain } from "../domain";
import { findOtherDomain, findVcpu, isPvDomain } from "../domain/find";
import { domainPauseSync, domainUnpause } from "../domain/pause";
import { domainResume } from "../domain/shutdown";
import { vcpuInfoDefault } from "../domain/vcpu-create";
import { vcpuKick } from "../domain/vcpu-state";
import { evtchnReset } from "../evtchn/bind";
import { isGlobalVirq, setVirqHandler, virqHandler } from "../evtchn/virq";
import { vcpuInfoForget } from "../sched/vcpu-info";
import { PM_POWER_BUTTON, PM_SLEEP_BUTTON, PmPorts } from "../time/pm-ports";
import { wallClockUpdate } from "../time/pvclock";
import { Vcpu } from "../vcpu";

const BITS_64: u32 = 64;

export function resumeDomain(v: Vcpu, d: Domain): i32 {
  domainPauseSync(v, d);
  if (d.isShutDown != 0) domainResume(d);
  domainUnpause(d);
  return OK;
}

/**
 * A domain that is shut down starts afresh in its own memory (kexec): its event channels are closed, its vCPUs' registrations and
 * the contents of shared_info are gone, and it counts as running again.
 */
export function softReset(v: Vcpu, d: Domain): i32 {
  if (d.isShutDown == 0) return -EINVAL;
  domainPauseSync(v, d);
  evtchnReset(d);
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    const subject = Vcpu.at(d.firstVcpu + id);
    vcpuInfoForget(subject);
    vcpuInfoDefault(d, subject);
    subject.runstateArea = 0;
  }
  if (d.sharedInfoMfn != 0) memory.fill(Frame.host(d.sharedInfoMfn), 0, PAGE_SIZE);
  domainResume(d);
  domainUnpause(d);
  return OK;
}

export function setHandle(d: Domain, u: usize): i32 {
  d.handle0 = load<u64>(u);
  d.handle1 = load<u64>(u, 8);
  return OK;
}

/** {enable u8}: getdomaininfo shows it. */
export function setDebugging(v: Vcpu, d: Domain, u: usize): i32 {
  domainPauseSync(v, d);
  d.isDebugged = load<u8>(u) != 0 ? 1 : 0;
  domainUnpause(d);
  return OK;
}

/** {seconds i64}: the wall clock in shared_info is written again. */
export function setTimeOffset(d: Domain, u: usize): i32 {
  d.timeOffset = load<u64>(u);
  if (d.sharedInfoMfn != 0) wallClockUpdate(d);
  return OK;
}

/** {port u32}: any number is taken; the event goes out when the domain suspends, if the port can send then. */
export function subscribe(d: Domain, u: usize): i32 {
  d.suspendPort = load<u32>(u);
  return OK;
}

/** {size u32}: word size of a PV domain; there are none of 32 bits. */
export function addressSize(d: Domain, cmd: u32, u: usize): i32 {
  if (!isPvDomain(d)) return -EOPNOTSUPP;
  if (cmd == <u32>DOMCTL_GET_ADDRESS_SIZE) {
    store<u32>(u, BITS_64);
    return OK;
  }
  const size = load<u32>(u);
  if (size == BITS_64) return OK;
  return size == 32 ? -EOPNOTSUPP : -EINVAL;
}

/**
 * {trigger u32, vcpu u32}. RESET and INIT are not for x86. Power and sleep buttons need the power-management device, which asserts its
 * interrupt for one that is enabled; a domain without one has no button.
 */
export function sendTrigger(d: Domain, u: usize): i32 {
  const trigger = load<u32>(u);
  const found = findVcpu(d, load<u32>(u, 4));
  if (found == 0) return -ESRCH;
  if (trigger == <u32>SENDTRIGGER_NMI) {
    const subject = changetype<Vcpu>(found);
    subject.nmiPending = 1;
    vcpuKick(subject);
    return OK;
  }
  if (trigger != <u32>SENDTRIGGER_POWER && trigger != <u32>SENDTRIGGER_SLEEP) return -ENOSYS;
  if (isPvDomain(d)) return -EINVAL;
  PmPorts.press(d, trigger == <u32>SENDTRIGGER_POWER ? PM_POWER_BUTTON : PM_SLEEP_BUTTON);
  return OK;
}

/**
 * {virq u32}: one handler for the whole machine, the last one wins. With the knob domctl.virqHandler = fixed (as Xen does today):
 * -EBUSY while the handler there is has the VIRQ bound, -EINVAL for a dying domain.
 */
export function takeVirq(d: Domain, u: usize): i32 {
  const virq = load<u32>(u);
  if (!isGlobalVirq(virq)) return -EINVAL;
  if (Knobs.get(KNOB_VIRQ_HANDLER) == <u32>AS_FIXED) {
    if (d.state != DOMAIN_ALIVE) return -EINVAL;
    const now = virqHandler(virq);
    if (now.slot != d.slot && now.vcpuCount != 0 && Vcpu.at(now.firstVcpu).virqPort(virq) != 0) return -EBUSY;
  }
  setVirqHandler(virq, d);
  return OK;
}

/** {target u32}: `d` becomes the device model of it. Once only. */
export function setTarget(v: Vcpu, d: Domain, u: usize): i32 {
  const found = findOtherDomain(load<u32>(u));
  if (found == 0) return -ESRCH;
  const target = changetype<Domain>(found);
  if (target.slot == d.slot || d.slot == v.domainSlot) return -EINVAL;
  if (isPvDomain(target)) return -EOPNOTSUPP;
  if (d.targetDomid != 0) return -EINVAL;
  d.targetDomid = target.domid + 1;
  return OK;
}
