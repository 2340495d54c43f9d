/** Table of domctls, third part: settings of a domain. No logic here, but for a setting of one word. */
import {
  DOMCTL_GET_ADDRESS_SIZE,
  DOMCTL_GET_CPU_POLICY,
  DOMCTL_GETNODEAFFINITY,
  DOMCTL_GETTSCINFO,
  DOMCTL_MEM_SHARING_OP,
  DOMCTL_MONITOR_OP,
  DOMCTL_SCHEDULER_OP,
  DOMCTL_SET_ACCESS_REQUIRED,
  DOMCTL_SET_ADDRESS_SIZE,
  DOMCTL_SET_CPU_POLICY,
  DOMCTL_SET_TARGET,
  DOMCTL_SET_VIRQ_HANDLER,
  DOMCTL_SETDEBUGGING,
  DOMCTL_SETNODEAFFINITY,
  DOMCTL_SETTIMEOFFSET,
  DOMCTL_SETTSCINFO,
  DOMCTL_SETVNUMAINFO,
  DOMCTL_SOFT_RESET,
  DOMCTL_SUBSCRIBE,
  DOMCTL_VM_EVENT_OP,
} from "../../abi/domctl";
import { EPERM, OK } from "../../abi/errno";
import { DOMCTL_SETDOMAINHANDLE } from "../../abi/hypercalls";
import { Domain } from "../domain";
import { sharingDomctl } from "../sharing/control";
import { Vcpu } from "../vcpu";
import { vmEventOp } from "../vm-event/domctl";
import { monitorOp } from "../vm-event/monitor-op";
import { getNodeAffinity, schedulerOp, setNodeAffinity } from "./affinity";
import { getCpuPolicy, setCpuPolicy } from "./cpu-policy";
import { operateOnDevices } from "./devices-ops";
import {
  addressSize,
  setDebugging,
  setHandle,
  setTarget,
  setTimeOffset,
  softReset,
  subscribe,
  takeVirq,
} from "./settings";
import { getTscInfo, setTscInfo } from "./tsc";
import { setVnumaInfo } from "./vnuma";

/** What is set or read of a domain as a whole; what is none of these is about I/O resources (devices-ops.ts). */
export function configure(v: Vcpu, d: Domain, cmd: u32, u: usize): i32 {
  switch (cmd) {
    case DOMCTL_SCHEDULER_OP:
      return schedulerOp(d, u);
    case DOMCTL_SETDOMAINHANDLE:
      return setHandle(d, u);
    case DOMCTL_SETDEBUGGING:
      return setDebugging(v, d, u);
    case DOMCTL_SETTIMEOFFSET:
      return setTimeOffset(d, u);
    case DOMCTL_SOFT_RESET:
      return softReset(v, d);
    case DOMCTL_SUBSCRIBE:
      return subscribe(d, u);
    case DOMCTL_SET_ADDRESS_SIZE:
    case DOMCTL_GET_ADDRESS_SIZE:
      return addressSize(d, cmd, u);
    case DOMCTL_SET_TARGET:
      return setTarget(v, d, u);
    case DOMCTL_GETTSCINFO:
      return getTscInfo(v, d, u);
    case DOMCTL_SETTSCINFO:
      return setTscInfo(v, d, u);
    case DOMCTL_GET_CPU_POLICY:
      return getCpuPolicy(v, d, u);
    case DOMCTL_SET_CPU_POLICY:
      return setCpuPolicy(v, d, u);
    case DOMCTL_SET_ACCESS_REQUIRED:
      if (d.slot == v.domainSlot) return -EPERM;
      d.accessRequired = load<u8>(u);
      return OK;
    case DOMCTL_VM_EVENT_OP:
      return vmEventOp(v, d, u);
    case DOMCTL_MONITOR_OP:
      return monitorOp(v, d, u);
    case DOMCTL_SET_VIRQ_HANDLER:
      return takeVirq(d, u);
    case DOMCTL_MEM_SHARING_OP:
      return sharingDomctl(d, u);
    case DOMCTL_SETVNUMAINFO:
      return setVnumaInfo(v, d, u);
    case DOMCTL_SETNODEAFFINITY:
      return setNodeAffinity(v, d, u);
    case DOMCTL_GETNODEAFFINITY:
      return getNodeAffinity(v, d, u);
    default:
      return operateOnDevices(v, d, cmd, u);
  }
}
