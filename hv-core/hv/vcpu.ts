/**
 * What the hypervisor keeps about a vCPU, beside its processor (hw/cpu.ts): at VCPU_HV_OFFSET in the same 32 KiB.
 * Beside each group stands who writes it.
 */
import { CONT_CONTINUE_OFFSET, CONT_CONTINUE_SIZE, CONT_MODE_OFFSET } from "../abi/continuation";
import { VCPU_DOMAIN_SLOT, VCPU_DOMID, VCPU_FIFO_QUEUES, VCPU_ID, VCPU_IN_USE, VCPU_PAUSE_FLAGS } from "../abi/domain";
import { VCPU_HV_OFFSET, VCPU_SIZE, VCPU_TLB_OFFSET, VCPUS_BASE } from "../abi/layout";
import { Cpu } from "../hw/cpu";
import { Domain } from "./domain";

/** Bits of pauseFlags: the vCPU may run only when all are clear (and its domain is not paused). */
export const VPF_DOWN: u32 = 1; // never brought up, or VCPUOP_down
export const VPF_BLOCKED: u32 = 2; // SCHEDOP_block or HLT: waits for an event
export const VPF_BLOCKED_IN_XEN: u32 = 4; // waits for a device model's answer
export const VPF_POLL: u32 = 8; // SCHEDOP_poll
export const VPF_MEM_PAGING: u32 = 16; // stopped before the paging ring is full (hv/vm-event/slots.ts)
export const VPF_MEM_ACCESS: u32 = 32; // ... the monitor ring
export const VPF_MEM_SHARING: u32 = 64; // ... the sharing ring
export const VPF_VM_EVENT: u32 = 128; // a request of its waits for an answer (hv/vm-event/pause.ts)
export const VPF_WAIT_QUEUE: u32 = 256; // waits for a slot of a ring

/** Everything that a vm_event ring makes a vCPU wait for. */
export const VPF_EVENTS: u32 = VPF_MEM_PAGING | VPF_MEM_ACCESS | VPF_MEM_SHARING | VPF_VM_EVENT | VPF_WAIT_QUEUE;

/** I/O completion (spec 03 section 3.5). */
export const IO_NO_COMPLETION: u32 = 0;
export const IO_MMIO_COMPLETION: u32 = 1;
export const IO_PIO_COMPLETION: u32 = 2;
/** A repeated instruction put together (emulate/rep.ts). */
export const IO_REP_COMPLETION: u32 = 3;

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
  /** Queues of FIFO event channels (evtchn/fifo.ts), 0 = two levels. Written under the domain's event lock. */
  fifoQueues: u32;

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
  /** Slot of the domain. */
  domainSlot: u32;

  // Shutdown (spec 03 section 3.5). Written by: hv/domain/shutdown.ts.
  pausedForShutdown: u32;
  deferShutdown: u32;

  // A preempted hypercall: the first three arguments it is run again with (hv/hypercall/continuation.ts).
  continueArg1: u64;
  continueArg2: u64;
  continueArg3: u64;

  // Ports of the per-vCPU VIRQs, two bytes each: use virqPort().
  virqPort0: u64;
  private _virqPort1: u64;
  private _virqPort2: u64;
  private _virqPort3: u64;
  private _virqPort4: u64;
  private _virqPort5: u64;

  // Runstate (VCPUOP_get_runstate_info): state, since when, and ns spent in running, runnable, blocked, offline.
  runstate: u32;
  private _pad2: u32;
  runstateEntry: u64;
  runstateTime0: u64;
  runstateTime1: u64;
  runstateTime2: u64;
  runstateTime3: u64;
  /** Linear address of the registered runstate area, 0 = none; written as a 64-bit or 32-bit structure. */
  runstateArea: u64;
  runstateArea64: u32;
  private _pad3: u32;

  // I/O in flight, second part (hv/ioreq, hv/emulate). Written by: emulate and ioreq code of this vCPU.
  /** Bit n = server n of the domain has a request of this vCPU that is not completed. */
  ioPending: u32;
  /** IOREQ_TYPE_* as sent: differs from ioKind when a port access became a PCI configuration access. */
  ioSentType: u32;
  ioSentAddr: u64;
  /** The page whose emulation runs, looked up under the p2m lock that is still held: gfn (all ones = none) and type. */
  mmioGfn: u64;
  mmioType: u32;
  /** An NMI waits for delivery. */
  nmiPending: u32;
  /** LAPIC errors that the next write to ESR makes visible. */
  lapicErrors: u32;
  /** 1 while the request in flight is a broadcast: no instruction waits for its data. */
  ioBroadcast: u32;
  /** Instruction length of the event in injectEvent, for software events. */
  injectLength: u32;
  /** An EPT misconfiguration exit may find everything repaired (spec 02 section 2.4). Written under the p2m lock. */
  eptSpuriousMisconfig: u32;

  // Processors it may run on, and those it would like to (DOMCTL_setvcpuaffinity): bit n = processor n.
  hardAffinity: u64;
  softAffinity: u64;

  // A write that a monitor has been told of and that is made when the vCPU goes on (hv/vm-event/pending-write.ts).
  pendingWrite: u32;
  pendingMsr: u32;
  pendingValue: u64;

  @inline static at(slot: u32): Vcpu {
    return changetype<Vcpu>(VCPUS_BASE + <usize>slot * VCPU_SIZE + VCPU_HV_OFFSET);
  }

  @inline get cpu(): Cpu {
    return changetype<Cpu>(changetype<usize>(this) - VCPU_HV_OFFSET);
  }

  @inline get domain(): Domain {
    return Domain.at(this.domainSlot);
  }

  /** Port bound to a VIRQ on this vCPU, 0 = none. */
  @inline virqPort(virq: u32): u32 {
    return load<u16>(changetype<usize>(this) + offsetof<Vcpu>("virqPort0") + ((<usize>virq) << 1));
  }

  @inline setVirqPort(virq: u32, port: u32): void {
    store<u16>(changetype<usize>(this) + offsetof<Vcpu>("virqPort0") + ((<usize>virq) << 1), <u16>port);
  }

  /** LAPIC register at byte offset `offset` (0..0x3f0) of the xAPIC page. */
  @inline lapicReg(offset: u32): u32 {
    return load<u32>(changetype<usize>(this) + offsetof<Vcpu>("lapic") + ((offset >> 4) << 2));
  }

  @inline setLapicReg(offset: u32, value: u32): void {
    store<u32>(changetype<usize>(this) + offsetof<Vcpu>("lapic") + ((offset >> 4) << 2), value);
  }
}

if (offsetof<Vcpu>() > <usize>(VCPU_TLB_OFFSET - VCPU_HV_OFFSET)) ERROR("Vcpu outgrew its place");
if (offsetof<Vcpu>("inUse") != VCPU_IN_USE) ERROR("Vcpu.inUse moved");
if (offsetof<Vcpu>("domid") != VCPU_DOMID) ERROR("Vcpu.domid moved");
if (offsetof<Vcpu>("id") != VCPU_ID) ERROR("Vcpu.id moved");
if (offsetof<Vcpu>("domainSlot") != VCPU_DOMAIN_SLOT) ERROR("Vcpu.domainSlot moved");
if (offsetof<Vcpu>("fifoQueues") != VCPU_FIFO_QUEUES) ERROR("Vcpu.fifoQueues moved");
if (offsetof<Vcpu>("pauseFlags") != VCPU_PAUSE_FLAGS) ERROR("Vcpu.pauseFlags moved");
if (
  offsetof<Vcpu>("hypercall64") != CONT_MODE_OFFSET ||
  offsetof<Vcpu>("continueArg1") != CONT_CONTINUE_OFFSET ||
  offsetof<Vcpu>("virqPort0") - CONT_CONTINUE_OFFSET != CONT_CONTINUE_SIZE
)
  ERROR("the hypercall state of Vcpu moved: abi/continuation.ts");
