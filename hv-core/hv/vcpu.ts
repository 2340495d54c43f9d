/**
 * What the hypervisor keeps about a vCPU, beside its processor (hw/cpu.ts): at VCPU_HV_OFFSET in the same 32 KiB.
 * Beside each group stands who writes it.
 */
import { VCPU_HV_OFFSET, VCPU_SIZE, VCPU_TLB_OFFSET, VCPUS_BASE } from "../abi/layout";
import { Cpu } from "../hw/cpu";

/** Bits of pauseFlags: the vCPU may run only when all are clear (and its domain is not paused). */
export const VPF_DOWN: u32 = 1; // never brought up, or VCPUOP_down
export const VPF_BLOCKED: u32 = 2; // SCHEDOP_block or HLT: waits for an event
export const VPF_BLOCKED_IN_XEN: u32 = 4; // waits for a device model's answer
export const VPF_POLL: u32 = 8; // SCHEDOP_poll

/** I/O completion (spec 03 section 3.5). */
export const IO_NO_COMPLETION: u32 = 0;
export const IO_MMIO_COMPLETION: u32 = 1;
export const IO_PIO_COMPLETION: u32 = 2;

export const NO_DEADLINE: u64 = 0xffff_ffff_ffff_ffff;

@unmanaged
export class Vcpu {
  /** 1 once the slot is in use. Written by: domain creation. */
  inUse: u32;
  /** Index in the machine = slot. */
  slot: u32;
  domid: u32;
  /** vcpu_id inside the domain. */
  id: u32;
  /** Written by: scheduler, hypercalls of this vCPU, evtchn notification. */
  pauseFlags: u32;
  /** Set by VCPUOP_initialise or by the toolstack's context. */
  initialised: u32;
  /** 1 while in 64-bit guest code at the last hypercall: decides structure layouts. */
  hypercall64: u32;
  /** Vector set with HVMOP_set_evtchn_upcall_vector, 0 = none. */
  upcallVector: u32;

  // vcpu_info: machine frame and offset in it. Written by: domain creation, add_to_physmap, VCPUOP_register_vcpu_info.
  vcpuInfoMfn: u32;
  vcpuInfoOffset: u32;
  vcpuInfoRegistered: u32;
  private _pad0: u32;

  // Deadlines in virtual TSC ticks, NO_DEADLINE = off. Written by: hypercalls, LAPIC, scheduler.
  singleshotDeadline: u64;
  periodicDeadline: u64;
  periodicPeriod: u64;
  pollDeadline: u64;
  lapicDeadline: u64;

  // Ports polled by SCHEDOP_poll: -1 = any of pollPorts in the mailbox of the call; one port is the common case.
  pollPort: i32;
  pollCount: u32;

  // I/O in flight (spec 03 section 3.5): the latched request. Written by: emulate and ioreq code of this vCPU.
  ioAddr: u64;
  ioData: u64;
  ioCount: u32;
  ioSize: u32;
  /** STATE_IOREQ_* of the latched request. */
  ioState: u32;
  /** IOREQ_TYPE_* | dir << 8 | dataIsPtr << 9 | df << 10. */
  ioKind: u32;
  ioCompletion: u32;
  /** The domain shut down while the request was being sent: it counts as not sent. */
  ioSuspended: u32;
  mapcacheInvalidate: u32;
  /** Why a hypercall was preempted: the instruction is run again. */
  retry: u32;

  // Event to be injected on behalf of a device model (DMOP_inject_event), as cpu.entryEvent; 0 = none.
  injectEvent: u32;
  injectError: u32;
  injectCr2: u64;

  // Local APIC, xAPIC page (hv/irq/lapic.ts): registers at their own offsets >> 4, 64 of them.
  lapic: u64; // start of 64 u32 registers: use lapicReg()
  private _lapic1: u64;
  private _lapic2: u64;
  private _lapic3: u64;
  private _lapic4: u64;
  private _lapic5: u64;
  private _lapic6: u64;
  private _lapic7: u64;
  private _lapic8: u64;
  private _lapic9: u64;
  private _lapic10: u64;
  private _lapic11: u64;
  private _lapic12: u64;
  private _lapic13: u64;
  private _lapic14: u64;
  private _lapic15: u64;
  private _lapic16: u64;
  private _lapic17: u64;
  private _lapic18: u64;
  private _lapic19: u64;
  private _lapic20: u64;
  private _lapic21: u64;
  private _lapic22: u64;
  private _lapic23: u64;
  private _lapic24: u64;
  private _lapic25: u64;
  private _lapic26: u64;
  private _lapic27: u64;
  private _lapic28: u64;
  private _lapic29: u64;
  private _lapic30: u64;
  private _lapic31: u64;
  apicBase: u64;
  lapicTimerPeriod: u64;
  /** Virtual time at which the LAPIC timer's current count was loaded. */
  lapicTimerStart: u64;

  // MSRs that only Xen implements; the silicon's own are in the Cpu.
  msrMtrrDefType: u64;
  msrMiscEnable: u64;

  /** Exits in a row with the same reason, gpa and rip (livelock guard, run/vcpu.ts). */
  sameExits: u32;
  private _pad1: u32;

  @inline static at(slot: u32): Vcpu {
    return changetype<Vcpu>(VCPUS_BASE + <usize>slot * VCPU_SIZE + VCPU_HV_OFFSET);
  }

  @inline get cpu(): Cpu {
    return changetype<Cpu>(changetype<usize>(this) - VCPU_HV_OFFSET);
  }

  /** LAPIC register at byte offset `offset` (0..0x3f0) of the xAPIC page. */
  @inline lapicReg(offset: u32): u32 {
    return load<u32>(changetype<usize>(this) + offsetof<Vcpu>("lapic") + (offset >> 4 << 2));
  }

  @inline setLapicReg(offset: u32, value: u32): void {
    store<u32>(changetype<usize>(this) + offsetof<Vcpu>("lapic") + (offset >> 4 << 2), value);
  }
}

if (offsetof<Vcpu>() > VCPU_TLB_OFFSET - VCPU_HV_OFFSET) ERROR("Vcpu outgrew its place");
