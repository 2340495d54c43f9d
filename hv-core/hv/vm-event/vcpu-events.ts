/** What vm_event keeps about a vCPU: at VCPU_EVENTS_OFFSET, behind the hypervisor's record (hv/vcpu.ts). */
import { VCPU_EVENTS_OFFSET, VCPU_HV_OFFSET, VCPU_TLB_OFFSET } from "../../abi/layout";
import { EV_READ_MAX } from "../../abi/vm-event";
import { Vcpu } from "../vcpu";

// Bits of `work`: what has to be done before the vCPU enters the guest again (resume.ts).
/** It waited for a slot: the event in the latch is sent now. */
export const WORK_LATCHED: u32 = 1;
/** A response set its registers. */
export const WORK_REGISTERS: u32 = 2;
/** A response said that the instruction is to be emulated. */
export const WORK_EMULATE: u32 = 4;
/** A write to a control register or MSR waits (pending-write.ts). */
export const WORK_WRITE: u32 = 8;

/** GPRs, RFLAGS and RIP: what SET_REGISTERS may change. */
export const LATCHED_REGISTERS: u32 = 18;

/** Pages that one delivery of an event can need: descriptor tables, TSS, two of a stack, and page tables. */
export const OPEN_PAGES: u32 = 8;

@unmanaged
export class VcpuEvents {
  /** Requests of this vCPU that pause it until they are answered. VPF_VM_EVENT is set as long as there are any. */
  pauseCount: u32;
  /** WORK_*. */
  work: u32;

  // The event that found no slot. Written by: this vCPU.
  latchMode: u32;
  latchSync: u32;
  latchReason: u32;
  latchFlags: u32;
  latchGfn: u64;
  latchOffset: u64;
  latchGla: u64;

  // Written by: responses, while the vCPU is paused.
  /** EVF_* of the response that asked for emulation. */
  emulateFlags: u32;
  /** The emulated instruction left the guest by itself (CPUID, VMCALL, ...): its exit reason + 1, for run/vcpu.ts to handle. */
  emulatedExit: u32;
  /** The page whose access was violated: emulation may fetch from it. */
  emulateGfn: u64;
  /** 1 = one instruction, then an event (SINGLESTEP). */
  singleStep: u32;
  readSize: u32;
  registers: u64; // start of LATCHED_REGISTERS: use register()
  private _r1: u64;
  private _r2: u64;
  private _r3: u64;
  private _r4: u64;
  private _r5: u64;
  private _r6: u64;
  private _r7: u64;
  private _r8: u64;
  private _r9: u64;
  private _r10: u64;
  private _r11: u64;
  private _r12: u64;
  private _r13: u64;
  private _r14: u64;
  private _r15: u64;
  private _r16: u64;
  private _r17: u64;
  /** Pages that a listener has let an event be delivered through so far, gfn + 1 each; 0 = none (access/emulate.ts). */
  openPage0: u64;
  private _openPage1: u64;
  private _openPage2: u64;
  private _openPage3: u64;
  private _openPage4: u64;
  private _openPage5: u64;
  private _openPage6: u64;
  private _openPage7: u64;

  @inline static of(v: Vcpu): VcpuEvents {
    return changetype<VcpuEvents>(changetype<usize>(v) + (VCPU_EVENTS_OFFSET - VCPU_HV_OFFSET));
  }

  @inline register(index: u32): u64 {
    return load<u64>(changetype<usize>(this) + offsetof<VcpuEvents>("registers") + ((<usize>index) << 3));
  }

  @inline setRegister(index: u32, value: u64): void {
    store<u64>(changetype<usize>(this) + offsetof<VcpuEvents>("registers") + ((<usize>index) << 3), value);
  }

  /** Place `index` (below OPEN_PAGES) of the open pages. */
  @inline openPage(index: u32): usize {
    return changetype<usize>(this) + offsetof<VcpuEvents>("openPage0") + ((<usize>index) << 3);
  }

  /** Data that an emulated instruction reads (EV_READ_MAX bytes). */
  @inline get readBytes(): usize {
    return changetype<usize>(this) + offsetof<VcpuEvents>();
  }
}

if (offsetof<VcpuEvents>() + EV_READ_MAX > <usize>(VCPU_TLB_OFFSET - VCPU_EVENTS_OFFSET))
  ERROR("VcpuEvents outgrew its place");
if (offsetof<Vcpu>() > <usize>(VCPU_EVENTS_OFFSET - VCPU_HV_OFFSET)) ERROR("Vcpu runs into VcpuEvents");
