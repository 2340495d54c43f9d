/** Table of domctls, first part: commands about the life and the resources of a domain. Before: domctl.ts. No logic here. */
import { DOMCTL_SOFT_RESET_CONT } from "../../abi/domctl";
import { EINVAL } from "../../abi/errno";
import {
  DOMCTL_DESTROYDOMAIN,
  DOMCTL_GET_PAGING_MEMPOOL_SIZE,
  DOMCTL_HYPERCALL_INIT,
  DOMCTL_MAX_MEM,
  DOMCTL_MAX_VCPUS,
  DOMCTL_PAUSEDOMAIN,
  DOMCTL_RESUMEDOMAIN,
  DOMCTL_SET_PAGING_MEMPOOL_SIZE,
  DOMCTL_SHADOW_OP,
  DOMCTL_UNPAUSEDOMAIN,
} from "../../abi/hypercalls";
import { Domain } from "../domain";
import { domainDestroy } from "../domain/destroy";
import { controllerPause, controllerUnpause } from "../domain/pause";
import { hypercallPageFill } from "../hypercall/hypercall-page";
import { shadowOp } from "../logdirty/shadow-op";
import { Vcpu } from "../vcpu";
import { getPagingPool, setMaxMem, setMaxVcpus, setPagingPool } from "./resources";
import { resumeDomain } from "./settings";
import { operateOnVcpu } from "./vcpu-ops";

/** Life and resources of a domain; what is none of these is about vCPUs and pages (vcpu-ops.ts). */
export function operate(v: Vcpu, d: Domain, cmd: u32, u: usize, isResuming: bool): i32 {
  switch (cmd) {
    case DOMCTL_DESTROYDOMAIN:
      return domainDestroy(d);
    case DOMCTL_PAUSEDOMAIN:
      return controllerPause(d);
    case DOMCTL_UNPAUSEDOMAIN:
      return controllerUnpause(d);
    case DOMCTL_SHADOW_OP:
      return shadowOp(v, d, u, isResuming);
    case DOMCTL_MAX_MEM:
      return setMaxMem(d, load<u64>(u));
    case DOMCTL_MAX_VCPUS:
      return setMaxVcpus(d, load<u32>(u));
    case DOMCTL_HYPERCALL_INIT:
      return hypercallPageFill(d, load<u64>(u));
    case DOMCTL_SOFT_RESET_CONT:
      return -EINVAL; // internal to the hypervisor
    case DOMCTL_RESUMEDOMAIN:
      return resumeDomain(v, d);
    case DOMCTL_GET_PAGING_MEMPOOL_SIZE:
      return getPagingPool(d, u);
    case DOMCTL_SET_PAGING_MEMPOOL_SIZE:
      return setPagingPool(d, load<u64>(u));
    default:
      return operateOnVcpu(v, d, cmd, u);
  }
}
