/**
 * The hypercall table, and the two ways to it: VMCALL by a guest (`hypercallFromGuest`) and a call by dom0, which the host plays
 * (run/host-call.ts). Registers: 64-bit code rdi rsi rdx r10 r8, 32-bit code ebx ecx edx esi edi; number and result in rax
 * (spec 08 section 8.1).
 */
import { CTR_HYPERCALLS } from "../../abi/counters";
import { ENOSYS, EPERM, ERESTART } from "../../abi/errno";
import {
  HC_CONSOLE_IO,
  HC_DM_OP,
  HC_DOMCTL,
  HC_EVENT_CHANNEL_OP,
  HC_GRANT_TABLE_OP,
  HC_HVM_OP,
  HC_HYPFS_OP,
  HC_MEMORY_OP,
  HC_MMUEXT_OP,
  HC_MULTICALL,
  HC_PHYSDEV_OP,
  HC_PLATFORM_OP,
  HC_SCHED_OP,
  HC_SET_TIMER_OP,
  HC_SYSCTL,
  HC_VCPU_OP,
  HC_VM_ASSIST,
  HC_XEN_VERSION,
  HC_XENPMU_OP,
  HC_XSM_OP,
} from "../../abi/hypercalls";
import { TRC_HYPERCALL, TRC_HYPERCALL_RESULT } from "../../abi/trace-events";
import { Count } from "../../base/counters";
import { Trace } from "../../base/trace";
import { Cpu } from "../../hw/cpu";
import { Mode } from "../../hw/mode";
import { reapDeadDomains } from "../domain/destroy";
import { domctl } from "../domctl/domctl";
import { eventChannelOp } from "../evtchn/op";
import { grantTableOp } from "../grant/op";
import { physdevOp } from "../iocap/physdev";
import { dmOp } from "../ioreq/dm-op";
import { schedOp } from "../sched/sched-op";
import { setTimerOp } from "../sched/set-timer-op";
import { vcpuOp } from "../sched/vcpu-op";
import { Vcpu } from "../vcpu";
import { xsmOp } from "../xsm/policy";
import { consoleIo } from "./console-io";
import { hvmOp } from "./hvm-op";
import { memoryOp } from "./memory-op";
import { multicall } from "./multicall";
import { hypfsOp, mmuextOp, pagingContinuation, platformOp, vmAssist, xenPmuOp } from "./small-ops";
import { sysctl } from "./sysctl";
import { xenVersion } from "./xen-version";

/** Internal: the continuation of a paging domctl. */
const HC_ARCH_1 = 49;

/** set_timer_op's argument has 64 bits: one register, or two in 32-bit code. */
function timerArgument(v: Vcpu, a1: u64, a2: u64): i64 {
  return <i64>(v.hypercall64 != 0 ? a1 : (a1 & 0xffff_ffff) | (a2 << 32));
}

function table(v: Vcpu, nr: u32, a1: u64, a2: u64, a3: u64): i64 {
  switch (nr) {
    case HC_PLATFORM_OP:
      return platformOp(v, a1);
    case HC_MEMORY_OP:
      return memoryOp(v, a1, a2);
    case HC_MULTICALL:
      return multicall(v, a1, <u32>a2);
    case HC_SET_TIMER_OP:
      return setTimerOp(v, timerArgument(v, a1, a2));
    case HC_XEN_VERSION:
      return xenVersion(v, <u32>a1, a2);
    case HC_CONSOLE_IO:
      return consoleIo(v, <u32>a1, <u32>a2, a3);
    case HC_GRANT_TABLE_OP:
      return grantTableOp(v, <u32>a1, a2, <u32>a3);
    case HC_VM_ASSIST:
      return vmAssist(<u32>a1, <u32>a2);
    case HC_MMUEXT_OP:
      return mmuextOp(<u32>a2);
    case HC_VCPU_OP:
      return vcpuOp(v, <u32>a1, <u32>a2, a3);
    case HC_SCHED_OP:
      return schedOp(v, <u32>a1, a2);
    case HC_EVENT_CHANNEL_OP:
      return eventChannelOp(v, <u32>a1, a2);
    case HC_PHYSDEV_OP:
      return physdevOp(v, <u32>a1, a2);
    case HC_HVM_OP:
      return hvmOp(v, <u32>a1, a2);
    case HC_SYSCTL:
      return sysctl(v, a1);
    case HC_XSM_OP:
      return xsmOp(v, a1);
    case HC_DOMCTL:
      return domctl(v, a1, a2);
    case HC_XENPMU_OP:
      return xenPmuOp();
    case HC_HYPFS_OP:
      return hypfsOp(v, <u32>a1);
    case HC_ARCH_1:
      return pagingContinuation(v, a1);
    case HC_DM_OP:
      return dmOp(v, <u32>a1 & 0xffff, <u32>a2, a3);
    default:
      return -ENOSYS;
  }
}

/** One hypercall by `v`, with v.hypercall64 saying how structures look. @returns its result, or -ERESTART (continuation.ts). */
export function hypercallDispatch(v: Vcpu, nr: u32, a1: u64, a2: u64, a3: u64, a4: u64, a5: u64): i64 {
  Count.one(CTR_HYPERCALLS);
  Trace.event(TRC_HYPERCALL, v.slot, nr, a1, a2);
  v.continueArg1 = a1; // a call that is preempted goes on with the same arguments unless it says otherwise
  v.continueArg2 = a2;
  v.continueArg3 = a3;
  const result = table(v, nr, a1, a2, a3);
  Trace.event(TRC_HYPERCALL_RESULT, v.slot, nr, <u64>result, 0);
  reapDeadDomains();
  return result;
}

function call64(v: Vcpu, c: Cpu): i64 {
  return hypercallDispatch(v, <u32>c.rax, c.rdi, c.rsi, c.rdx, c.r10, c.r8);
}

function call32(v: Vcpu, c: Cpu): i64 {
  const mask: u64 = 0xffff_ffff;
  return hypercallDispatch(v, <u32>c.rax, c.rbx & mask, c.rcx & mask, c.rdx & mask, c.rsi & mask, c.rdi & mask);
}

/**
 * VMCALL or VMMCALL. @returns true when the call is done and rip may advance; false when it goes on at the same instruction, with
 * the argument registers rewritten.
 */
export function hypercallFromGuest(v: Vcpu): bool {
  const c = v.cpu;
  if (c.cpl != 0) {
    c.rax = <u64>-EPERM;
    return true;
  }
  const is64 = Mode.is64(c);
  v.hypercall64 = is64 ? 1 : 0;
  const result = is64 ? call64(v, c) : call32(v, c);
  if (result == -ERESTART) {
    rewriteArguments(v, c, is64);
    return false;
  }
  c.rax = is64 ? <u64>result : <u64>(<u32>result);
  return true;
}

function rewriteArguments(v: Vcpu, c: Cpu, is64: bool): void {
  if (is64) {
    c.rdi = v.continueArg1;
    c.rsi = v.continueArg2;
    c.rdx = v.continueArg3;
    return;
  }
  c.rbx = <u32>v.continueArg1;
  c.rcx = <u32>v.continueArg2;
  c.rdx = <u32>v.continueArg3;
}
