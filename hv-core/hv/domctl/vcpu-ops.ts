/** Table of domctls, second part: commands about vCPUs and pages. No logic here. */
import {
  DOMCTL_AUDIT_P2M,
  DOMCTL_GETHVMCONTEXT_PARTIAL,
  DOMCTL_GETPAGEFRAMEINFO3,
  DOMCTL_GETVCPUAFFINITY,
  DOMCTL_GETVCPUCONTEXT,
  DOMCTL_GETVCPUEXTSTATE,
  DOMCTL_SENDTRIGGER,
  DOMCTL_SET_BROKEN_PAGE_P2M,
  DOMCTL_SETVCPUAFFINITY,
  DOMCTL_SETVCPUCONTEXT,
  DOMCTL_SETVCPUEXTSTATE,
} from "../../abi/domctl";
import { DOMCTL_GETHVMCONTEXT, DOMCTL_GETVCPUINFO, DOMCTL_SETHVMCONTEXT } from "../../abi/hypercalls";
import { Domain } from "../domain";
import { Vcpu } from "../vcpu";
import { getVcpuAffinity, setVcpuAffinity } from "./affinity";
import { getExtState, setExtState } from "./ext-state";
import { getHvmContext, getHvmContextPartial, setHvmContext } from "./hvm-context";
import { getVcpuInfo } from "./info";
import { auditP2m, getPageFrameInfo, setBrokenPage } from "./page-info";
import { sendTrigger } from "./settings";
import { configure } from "./settings-ops";
import { getVcpuContext, setVcpuContext } from "./vcpu-context";

/** State of the vCPUs and of the pages; what is none of these is a setting (settings-ops.ts). */
export function operateOnVcpu(v: Vcpu, d: Domain, cmd: u32, u: usize): i32 {
  switch (cmd) {
    case DOMCTL_SETVCPUAFFINITY:
      return setVcpuAffinity(v, d, u);
    case DOMCTL_SETVCPUCONTEXT:
      return setVcpuContext(v, d, u);
    case DOMCTL_GETVCPUCONTEXT:
      return getVcpuContext(v, d, u);
    case DOMCTL_GETVCPUEXTSTATE:
      return getExtState(v, d, u);
    case DOMCTL_SETVCPUEXTSTATE:
      return setExtState(v, d, u);
    case DOMCTL_GETVCPUINFO:
      return getVcpuInfo(d, u);
    case DOMCTL_GETVCPUAFFINITY:
      return getVcpuAffinity(v, d, u);
    case DOMCTL_SENDTRIGGER:
      return sendTrigger(d, u);
    case DOMCTL_GETHVMCONTEXT:
      return getHvmContext(v, d, u);
    case DOMCTL_SETHVMCONTEXT:
      return setHvmContext(v, d, u);
    case DOMCTL_GETHVMCONTEXT_PARTIAL:
      return getHvmContextPartial(v, d, u);
    case DOMCTL_GETPAGEFRAMEINFO3:
      return getPageFrameInfo(v, d, u);
    case DOMCTL_SET_BROKEN_PAGE_P2M:
      return setBrokenPage(d, u);
    case DOMCTL_AUDIT_P2M:
      return auditP2m(d, u);
    default:
      return configure(v, d, cmd, u);
  }
}
