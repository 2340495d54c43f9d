/**
 * DOMCTL_monitor_op: events beside page accesses that a monitor may ask for (Xen's public domctl.h). Structure: op u32, event u32, options
 * u8.. @8. Built: single steps, CPUID, guest requests. What this processor does not exit for (control registers, MSRs, breakpoints,
 * descriptor tables) is -EOPNOTSUPP and missing in the capabilities.
 */
import { EEXIST, EINVAL, EOPNOTSUPP, EPERM, OK } from "../../abi/errno";
import {
  MONITOR_CPUID,
  MONITOR_DISABLE,
  MONITOR_ENABLE,
  MONITOR_GET_CAPABILITIES,
  MONITOR_GUEST_REQUEST,
  MONITOR_SINGLESTEP,
} from "../../abi/vm-event";
import { Domain } from "../domain";
import { domainPause, domainUnpause } from "../domain/pause";
import { Vcpu } from "../vcpu";
import { DomainEvents } from "./domain-events";

const CAPABILITIES: u32 = (1 << MONITOR_SINGLESTEP) | (1 << MONITOR_GUEST_REQUEST) | (1 << MONITOR_CPUID);

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
  if (DomainEvents.reports(d, event) == isWanted) return -EEXIST;
  const events = DomainEvents.of(d);
  domainPause(d);
  if (isWanted) events.monitorEvents |= 1 << event;
  else events.monitorEvents &= ~(1 << event);
  if (event == <u32>MONITOR_GUEST_REQUEST) events.guestRequestSync = load<u8>(u, 8);
  domainUnpause(d);
  return OK;
}
