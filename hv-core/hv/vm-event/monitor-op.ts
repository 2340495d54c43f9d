/**
 * DOMCTL_monitor_op: events beside page accesses that a monitor may ask for (Xen's public domctl.h). Structure: op u32, event u32, options
 * u8.. @8. Built: writes to control registers and MSRs, single steps, INT3, descriptor-table instructions, CPUID, guest requests. The others
 * (debug exceptions, interrupts, exits, unimplemented emulation, page faults in the guest) are -EOPNOTSUPP and missing in the capabilities.
 */
import { EEXIST, EINVAL, EOPNOTSUPP, EPERM, OK } from "../../abi/errno";
import {
  MONITOR_CPUID,
  MONITOR_DESC_ACCESS,
  MONITOR_DISABLE,
  MONITOR_ENABLE,
  MONITOR_GET_CAPABILITIES,
  MONITOR_GUEST_REQUEST,
  MONITOR_MOV_TO_MSR,
  MONITOR_SINGLESTEP,
  MONITOR_SOFTWARE_BREAKPOINT,
  MONITOR_WRITE_CTRLREG,
} from "../../abi/vm-event";
import { Domain } from "../domain";
import { domainPause, domainUnpause } from "../domain/pause";
import { Vcpu } from "../vcpu";
import { DomainEvents } from "./domain-events";
import { CONTROL_REGISTERS, monitoredApply, monitoredSetControlRegister, monitoredSetMsr } from "./monitored";

const CAPABILITIES: u32 =
  (1 << MONITOR_WRITE_CTRLREG) |
  (1 << MONITOR_MOV_TO_MSR) |
  (1 << MONITOR_SOFTWARE_BREAKPOINT) |
  (1 << MONITOR_DESC_ACCESS) |
  (1 << MONITOR_SINGLESTEP) |
  (1 << MONITOR_GUEST_REQUEST) |
  (1 << MONITOR_CPUID);

/** Writes to one register. @returns OK; -EINVAL (no such register), -EEXIST, -ENOMEM. */
function registers(d: Domain, event: u32, u: usize, isWanted: bool): i32 {
  const isMsr = event == <u32>MONITOR_MOV_TO_MSR;
  if (!isMsr && (load<u8>(u, 8) >= <u8>CONTROL_REGISTERS || load<u64>(u, 8) >> 24 != 0)) return -EINVAL;
  domainPause(d);
  const rc = isMsr
    ? monitoredSetMsr(d, load<u32>(u, 8), load<u8>(u, 12) != 0, isWanted)
    : monitoredSetControlRegister(
        d,
        load<u8>(u, 8),
        load<u8>(u, 9) != 0,
        load<u8>(u, 10) != 0,
        load<u64>(u, 16),
        isWanted,
      );
  monitoredApply(d);
  domainUnpause(d);
  return rc;
}

/**
 * @returns OK; -EPERM (oneself), -EOPNOTSUPP (operation or event), -EINVAL (no such event number), -EEXIST (it is so already).
 */
export function monitorOp(v: Vcpu, d: Domain, u: usize): i32 {
  if (d.slot == v.domainSlot) return -EPERM;
  const op = load<u32>(u);
  const event = load<u32>(u, 4);
  if (op == <u32>MONITOR_GET_CAPABILITIES) {
    store<u32>(u, CAPABILITIES, 4);
    return OK;
  }
  if (op != <u32>MONITOR_ENABLE && op != <u32>MONITOR_DISABLE) return -EOPNOTSUPP;
  if (event > 31) return -EINVAL;
  if (((CAPABILITIES >> event) & 1) == 0) return -EOPNOTSUPP;
  const isWanted = op == <u32>MONITOR_ENABLE;
  if (event == <u32>MONITOR_WRITE_CTRLREG || event == <u32>MONITOR_MOV_TO_MSR) return registers(d, event, u, isWanted);
  if (DomainEvents.reports(d, event) == isWanted) return -EEXIST;
  const events = DomainEvents.of(d);
  domainPause(d);
  if (isWanted) events.monitorEvents |= 1 << event;
  else events.monitorEvents &= ~(1 << event);
  if (event == <u32>MONITOR_GUEST_REQUEST) events.guestRequestSync = load<u8>(u, 8);
  monitoredApply(d);
  domainUnpause(d);
  return OK;
}
