/** DOMCTL_vm_event_op: who may listen to what (spec 04 section 4.6). Structure: op u32, mode u32, port or version u32 @8. */
import { EINVAL, EMLINK, ENODEV, ENOSYS, EXDEV, OK } from "../../abi/errno";
import { KNOB_MEM_PAGING } from "../../abi/knobs";
import {
  VM_EVENT_DISABLE,
  VM_EVENT_ENABLE,
  VM_EVENT_GET_VERSION,
  VM_EVENT_MODE_MONITOR,
  VM_EVENT_MODE_PAGING,
  VM_EVENT_MODE_SHARING,
  VM_EVENT_RESUME,
  VM_EVENT_VERSION,
} from "../../abi/vm-event";
import { Knobs } from "../../base/machine";
import { DOMAIN_ALIVE, Domain } from "../domain";
import { isSharingBuilt } from "../sharing/control";
import { Vcpu } from "../vcpu";
import { vmEventDisable, vmEventEnable } from "./enable";
import { vmEventResponses } from "./response";

/** VM_EVENT_GET_VERSION needs no domain: DOMID_INVALID will do. */
export function isVmEventVersion(u: usize): bool {
  return load<u32>(u) == <u32>VM_EVENT_GET_VERSION;
}

export function vmEventVersion(u: usize): i32 {
  store<u32>(u, VM_EVENT_VERSION, 8);
  return OK;
}

/** Whether this hypervisor has the subsystem that the mode belongs to. */
function isBuilt(mode: u32): bool {
  switch (mode) {
    case VM_EVENT_MODE_PAGING:
      return Knobs.get(KNOB_MEM_PAGING) != 0;
    case VM_EVENT_MODE_MONITOR:
      return true;
    case VM_EVENT_MODE_SHARING:
      return isSharingBuilt();
    default:
      return false;
  }
}

function enable(v: Vcpu, d: Domain, mode: u32, u: usize): i32 {
  if (mode != <u32>VM_EVENT_MODE_MONITOR && d.isHvm == 0) return -ENODEV; // no HAP
  if (mode == <u32>VM_EVENT_MODE_PAGING && d.assignedDevices != 0) return -EMLINK;
  if (mode == <u32>VM_EVENT_MODE_PAGING && (d.podEntries != 0 || d.podCount != 0)) return -EXDEV;
  const port = vmEventEnable(d, mode, v.domid);
  if (port < 0) return port;
  store<u32>(u, port, 8);
  return OK;
}

/**
 * @returns OK; -EINVAL (on oneself, no vCPU yet, disable without a ring), -ENOSYS (unknown mode or operation, or not built), -ENODEV
 * (resume without a ring; not HAP), -EMLINK (paging with a device), -EXDEV (paging a populate-on-demand domain), and what enable.ts answers. Dying domain: OK, nothing done.
 */
export function vmEventOp(v: Vcpu, d: Domain, u: usize): i32 {
  const op = load<u32>(u);
  const mode = load<u32>(u, 4);
  if (op == <u32>VM_EVENT_GET_VERSION) return vmEventVersion(u);
  if (d.slot == v.domainSlot) return -EINVAL;
  if (d.state != DOMAIN_ALIVE) return OK;
  if (d.vcpuCount == 0) return -EINVAL;
  if (!isBuilt(mode)) return -ENOSYS;
  switch (op) {
    case VM_EVENT_ENABLE:
      return enable(v, d, mode, u);
    case VM_EVENT_DISABLE:
      return vmEventDisable(d, mode);
    case VM_EVENT_RESUME:
      return vmEventResponses(d, mode);
    default:
      return -ENOSYS;
  }
}
