/**
 * Door 1 from the hypervisor's side: the exit reason picks the handler. A table only; the dense switch becomes one jump.
 * Before: run/vcpu.ts. After: the file named on-*.
 */
import { CRASH_UNKNOWN_EXIT } from "../../abi/crash";
import {
  EXIT_CPUID,
  EXIT_CR_ACCESS,
  EXIT_EPT_MISCONFIG,
  EXIT_EPT_VIOLATION,
  EXIT_EXCEPTION,
  EXIT_GDTR_IDTR,
  EXIT_HLT,
  EXIT_INTERRUPT_WINDOW,
  EXIT_INVD,
  EXIT_IO_INSTRUCTION,
  EXIT_LDTR_TR,
  EXIT_MONITOR,
  EXIT_MONITOR_TRAP_FLAG,
  EXIT_MWAIT,
  EXIT_PAUSE,
  EXIT_PML_FULL,
  EXIT_RDMSR,
  EXIT_RDPMC,
  EXIT_TRIPLE_FAULT,
  EXIT_VMCALL,
  EXIT_WBINVD,
  EXIT_WRMSR,
  EXIT_XSETBV,
} from "../../abi/exits";
import { Machine } from "../../base/machine";
import { Run } from "../../hw/run";
import { domainCrash } from "../domain/shutdown";
import { Vcpu } from "../vcpu";
import { Verdict } from "../verdict";
import { injectGp, injectUd } from "./inject";
import { onCpuid } from "./on-cpuid";
import { onEptMisconfig } from "./on-ept-misconfig";
import { onEptViolation } from "./on-ept-violation";
import { onHlt } from "./on-hlt";
import { onBreakpoint, onCrAccess, onTableAccess } from "./on-intercept";
import { onIo } from "./on-io";
import { onRdmsr, onWrmsr } from "./on-msr";
import { onPmlFull } from "./on-pml-full";
import { onSingleStep } from "./on-single-step";
import { onTripleFault } from "./on-triple-fault";
import { onVmcall } from "./on-vmcall";
import { onXsetbv } from "./on-xsetbv";

/** Cache maintenance has nothing to do: there are no caches. */
function onCacheFlush(v: Vcpu): Verdict {
  Run.skip(v.cpu);
  return Verdict.Done;
}

/** A spin loop: the rest of the turn goes to the others. */
function onPause(v: Vcpu): Verdict {
  Run.skip(v.cpu);
  Machine.get().yielded = 1;
  return Verdict.Done;
}

/** An exit that nothing here asks the processor for. */
function onUnknown(v: Vcpu): Verdict {
  domainCrash(v.domain, CRASH_UNKNOWN_EXIT);
  return Verdict.Crash;
}

export function dispatchExit(v: Vcpu, reason: u32): Verdict {
  switch (reason) {
    case EXIT_TRIPLE_FAULT:
      return onTripleFault(v);
    case EXIT_INTERRUPT_WINDOW:
      return Verdict.Done; // irq/assist.ts injects at the next entry
    case EXIT_CPUID:
      return onCpuid(v);
    case EXIT_HLT:
      return onHlt(v);
    case EXIT_INVD:
    case EXIT_WBINVD:
      return onCacheFlush(v);
    case EXIT_RDPMC:
      return injectGp(v); // no counters
    case EXIT_VMCALL:
      return onVmcall(v);
    case EXIT_IO_INSTRUCTION:
      return onIo(v);
    case EXIT_RDMSR:
      return onRdmsr(v);
    case EXIT_WRMSR:
      return onWrmsr(v);
    case EXIT_MONITOR_TRAP_FLAG:
      return onSingleStep(v);
    case EXIT_MWAIT:
    case EXIT_MONITOR:
      return injectUd(v); // hidden features
    case EXIT_XSETBV:
      return onXsetbv(v);
    case EXIT_PAUSE:
      return onPause(v);
    case EXIT_EPT_VIOLATION:
      return onEptViolation(v);
    case EXIT_EPT_MISCONFIG:
      return onEptMisconfig(v);
    case EXIT_EXCEPTION:
      return onBreakpoint(v);
    case EXIT_CR_ACCESS:
      return onCrAccess(v);
    case EXIT_GDTR_IDTR:
    case EXIT_LDTR_TR:
      return onTableAccess(v);
    case EXIT_PML_FULL:
      return onPmlFull(v);
    default:
      return onUnknown(v);
  }
}
