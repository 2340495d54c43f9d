/** May `src` do this domctl to `target`? The class of each operation in the dummy policy, then the rules of a loaded one. */
import {
  DOMCTL_BIND_PT_IRQ,
  DOMCTL_IOPORT_MAPPING,
  DOMCTL_MEM_SHARING_OP,
  DOMCTL_MEMORY_MAPPING,
  DOMCTL_UNBIND_PT_IRQ,
  DOMCTL_VM_EVENT_OP,
} from "../../abi/domctl";
import { OK } from "../../abi/errno";
import { DOMCTL_GETDOMAININFO } from "../../abi/hypercalls";
import { Domain } from "../domain";
import { xsmDmPriv, xsmPriv, xsmXsPriv } from "./dummy";
import { policyAllows } from "./policy";

function dummyAnswer(src: Domain, target: Domain, cmd: u32): i32 {
  switch (cmd) {
    case DOMCTL_MEMORY_MAPPING:
    case DOMCTL_IOPORT_MAPPING:
    case DOMCTL_BIND_PT_IRQ:
    case DOMCTL_UNBIND_PT_IRQ:
    case DOMCTL_VM_EVENT_OP:
    case DOMCTL_MEM_SHARING_OP:
      return xsmDmPriv(src, target);
    case DOMCTL_GETDOMAININFO:
      return xsmXsPriv(src, target);
    default:
      return xsmPriv(src);
  }
}

/** OK or -EPERM; `u` is the union of the structure. */
export function xsmDomctl(src: Domain, target: Domain, cmd: u32, u: usize): i32 {
  const answer = dummyAnswer(src, target, cmd);
  return answer == OK || policyAllows(src, target, cmd, u) ? OK : answer;
}
