/**
 * A domain: 4 KiB each at DOMAINS_BASE, index = slot. dom0 is a domain like any other, slot 0.
 * Beside each group stands who writes it.
 */

import { CONT_LOOKUP_OFFSET, CONT_LOOKUP_SIZE } from "../abi/continuation";
import {
  DOM_ASSIGNED_DEVICES,
  DOM_CONTROLLER_PAUSE,
  DOM_CRASH_REASON,
  DOM_DOMID,
  DOM_EVTCHN_FIFO,
  DOM_EVTCHN_LOCK,
  DOM_GRANT_MFN,
  DOM_HYPERVISOR_PAUSE,
  DOM_IOREQ_LOCK,
  DOM_IS_SHUT_DOWN,
  DOM_LOG_DIRTY_FRAMES,
  DOM_LOG_DIRTY_ROOT,
  DOM_MAX_EVTCHN_PORT,
  DOM_P2M_IOREQ_ENTRIES,
  DOM_P2M_IOREQ_LOCK,
  DOM_P2M_IOREQ_SERVER,
  DOM_P2M_LOCK,
  DOM_PAGING_LOCK,
  DOM_POD_ENTRIES,
  DOM_SHARED_PAGES,
  DOM_SHUTDOWN_CODE,
  DOM_STATE,
} from "../abi/domain";
import { DOMAIN_HASH_BASE, DOMAIN_HASH_BUCKETS, DOMAIN_SIZE, DOMAINS_BASE, MAX_DOMAINS } from "../abi/layout";
import {
  LOCK_EVTCHN_OFFSET,
  LOCK_GRANT_OFFSET,
  LOCK_IO_PORTS_OFFSET,
  LOCK_IOREQ_OFFSET,
  LOCK_P2M_IOREQ_OFFSET,
  LOCK_P2M_OFFSET,
  LOCK_PAGING_OFFSET,
  LOCK_POD_OFFSET,
  LOCK_VNUMA_OFFSET,
} from "../abi/lock-order";
import { FrameOwner } from "../mem/frame-owner";

export const DOMAIN_FREE: u32 = 0;
export const DOMAIN_ALIVE: u32 = 1;
export const DOMAIN_DYING: u32 = 2;
export const DOMAIN_DEAD: u32 = 3;

export const NO_SLOT: u32 = 0xffff_ffff;

/** No ioreq server: the value of Domain.ioreqServer(id) and p2mIoreqServer when there is none. */
export const NO_SERVER: u32 = 0;

@unmanaged
export class Domain {
  state: u32;
  slot: u32;
  domid: u32;
  /** Created as a control domain (dom0). */
  isPrivileged: u32;
  isHvm: u32;
  vcpuCount: u32;
  maxVcpus: u32;
  /** FIFO event channels: address of the event array (evtchn/fifo.ts), 0 = two levels. Written under evtchnLock. */
  evtchnFifo: u32;
  /** Most frames the domain may own (see totPages). Written by: DOMCTL_max_mem. */
  maxPages: u32;
  /** Pause requests by the toolstack (a new domain starts with 1) and by the hypervisor itself. */
  controllerPause: u32;
  hypervisorPause: u32;
  isShuttingDown: u32;
  isShutDown: u32;
  shutdownCode: u32;
  crashReason: u32;
  /** 1 = the word size latched by the guest's hypercall page is 64 bit (shared_info layout). */
  is64: u32;

  // p2m. Written under p2mLock.
  p2mLock: u32;
  p2mRoot: u32;
  p2mMaxMapped: u64;
  p2mDefaultAccess: u32;
  /** Frames of the paging pool in use: EPT tables and the bitmap of dirty pages. */
  p2mTables: u32;
  /** The type's server (spec 03 section 3.6): address of the server, NO_SERVER = none. */
  p2mIoreqServer: u32;
  p2mIoreqFlags: u32;
  p2mIoreqEntries: u64;
  p2mIoreqLock: u32;
  /** Result of the last lookup under the lock (hv/p2m/lookup.ts). */
  lookupMfn: u32;
  lookupType: u32;
  lookupAccess: u32;
  lookupOrder: u32;

  // ioreq servers. Written under ioreqLock with the domain paused.
  ioreqLock: u32;
  ioreqServer0: u32; // eight addresses: use ioreqServer(id)
  ioreqServer1: u32;
  ioreqServer2: u32;
  ioreqServer3: u32;
  ioreqServer4: u32;
  ioreqServer5: u32;
  ioreqServer6: u32;
  ioreqServer7: u32;
  ioreqGfnMask: u32;
  ioreqLegacyMask: u32;
  pciCf8: u32;

  // Event channels (hv/evtchn): the first sixteen buckets of 256 ports, each one machine frame, 0 = not there yet.
  evtchnLock: u32;
  evtchnBucket0: u32;
  evtchnBucket1: u32;
  evtchnBucket2: u32;
  evtchnBucket3: u32;
  evtchnBucket4: u32;
  evtchnBucket5: u32;
  evtchnBucket6: u32;
  evtchnBucket7: u32;
  evtchnBucket8: u32;
  evtchnBucket9: u32;
  evtchnBucket10: u32;
  evtchnBucket11: u32;
  evtchnBucket12: u32;
  evtchnBucket13: u32;
  evtchnBucket14: u32;
  evtchnBucket15: u32;
  sharedInfoMfn: u32;

  // Callback (HVM_PARAM_CALLBACK_IRQ) and the rest of the HVM parameters: use param(i).
  param0: u64;
  private _params1: u64;
  private _params2: u64;
  private _params3: u64;
  private _params4: u64;
  private _params5: u64;
  private _params6: u64;
  private _params7: u64;
  private _params8: u64;
  private _params9: u64;
  private _params10: u64;
  private _params11: u64;
  private _params12: u64;
  private _params13: u64;
  private _params14: u64;
  private _params15: u64;
  private _params16: u64;
  private _params17: u64;
  private _params18: u64;
  private _params19: u64;
  private _params20: u64;
  private _params21: u64;
  private _params22: u64;
  private _params23: u64;
  private _params24: u64;
  private _params25: u64;
  private _params26: u64;
  private _params27: u64;
  private _params28: u64;
  private _params29: u64;
  private _params30: u64;
  private _params31: u64;
  private _params32: u64;
  private _params33: u64;
  private _params34: u64;
  private _params35: u64;
  private _params36: u64;
  private _params37: u64;
  private _params38: u64;

  // I/O capabilities (hv/iocap): heads of the three rangesets.
  iomemCaps: u32;
  irqCaps: u32;
  ioportCaps: u32;
  private _pad1: u32;

  /** Memory map given by XENMEM_set_memory_map: frame that holds it and its number of entries. */
  memoryMapMfn: u32;
  memoryMapEntries: u32;
  /** Domain this one is the device model of (DOMCTL_set_target) + 1, 0 = none. */
  targetDomid: u32;
  private _pad2: u32;
  /** UUID, 16 bytes. */
  handle0: u64;
  handle1: u64;
  /** Virtual time of creation (system time of the guest starts here). */
  createdAt: u64;
  /** vCPU slots: first one; the domain's vCPUs are consecutive. */
  firstVcpu: u32;
  /** Most frames that EPT tables may take (DOMCTL_set_paging_mempool_size). */
  pagingPool: u32;
  /** Highest event channel port, given at creation. */
  maxEvtchnPort: u32;
  /** XEN_DOMCTL_CDF_* given at creation. */
  createFlags: u32;
  /** arch.emulation_flags and misc_flags given at creation. */
  emulationFlags: u32;
  miscFlags: u32;
  ssidref: u32;
  /** Frame with the buckets of ports from 16 on, 0 = none (evtchn/port.ts). */
  evtchnMoreMfn: u32;
  /** Deadlines of the two watchdogs (SCHEDOP_watchdog, ids 1 and 2) in virtual time, 0 = off. */
  watchdog0: u64;
  watchdog1: u64;

  /** Bit n = ioreq server n exists and is enabled. Written under ioreqLock with the domain paused. */
  ioreqEnabled: u32;
  /** Interrupt lines and I/O APIC: their address (irq/irq-lines.ts), 0 = the domain has none. */
  irqLines: u32;
  /** gfns of the pool (HVM_PARAM_IOREQ_SERVER_PFN + bit) that a server uses now. */
  ioreqGfnUsed: u64;

  // What domctls set (hv/domctl). Written by: the toolstack.
  /** Seconds that the domain's wall clock is ahead of the machine's (settimeoffset). */
  timeOffset: u64;
  /** Port that hears of a suspend, 0 = none (subscribe). */
  suspendPort: u32;
  isDebugged: u32;
  /** A listener is required before memory events are given up (set_access_required). */
  accessRequired: u32;
  tscMode: u32;
  tscKhz: u32;
  tscIncarnation: u32;
  nodeAffinity: u64;
  schedWeight: u32;
  schedCap: u32;
  /** Held during a domctl by a vCPU of this domain, as slot + 1 (hv/domctl/lock.ts). */
  hypercallLock: u32;
  /** Frames set aside for it and not yet taken (XENMEM_claim_pages). */
  claimedPages: u32;
  /** Next frame that destroydomain looks at. */
  relinquishNext: u32;

  // The clock chip of an HVM domain (hv/time/rtc.ts): register chosen, register B, seconds ahead of the wall clock, time being set.
  rtcIndex: u32;
  rtcControl: u32;
  rtcOffset: i64;
  rtcHeld: i64;
  // p2m, second part. Written under p2mLock.
  /** Level-1 entries of type map_foreign. */
  p2mForeignEntries: u64;
  /** A present entry changed: TLBs are flushed when the lock's outermost holder lets go (p2m/p2m.ts). */
  p2mNeedFlush: u32;
  /** What a recalculated RAM page becomes: ram_logdirty (1) or ram_rw (0). Not the same as logDirtyMode (spec 03, S-2). */
  p2mGlobalLogDirty: u32;
  /** Rangeset of gfns that are tracked on their own (dirty VRAM), 0 = none yet. */
  p2mLogDirtyRanges: u32;

  // Log-dirty (hv/logdirty). Written under pagingLock.
  pagingLock: u32;
  /** 1 = the toolstack asked for the bitmap of written pages. */
  logDirtyMode: u32;
  /** Root node of the bitmap, 0 = no page is dirty; frames that it takes from the paging pool. */
  logDirtyRoot: u32;
  logDirtyFrames: u32;
  /** Dirty pages that could not be noted because the paging pool was empty. */
  logDirtyFailed: u32;
  /** Pages noted since the last CLEAN. */
  logDirtyCount: u32;
  /** A CLEAN or PEEK that was preempted: its caller's domid + 1 (0 = none), its operation, the pages it has done. */
  logDirtyCaller: u32;
  logDirtyOp: u32;
  logDirtyDone: u64;
  /** The tracked video memory: gfns [vramFirst, vramEnd); equal = none. */
  vramFirst: u64;
  vramEnd: u64;

  // Populate on demand (hv/pod). Written under podLock.
  /** Pages of the p2m that are promised but have no memory yet. Written under p2mLock. */
  podEntries: u64;
  /** Pages in the cache, and its two lists: aligned runs of 512 frames, single frames (linked by Frame.next, 0 = end). */
  podCount: u32;
  podSuper: u32;
  podSingle: u32;
  podLock: u32;
  /** Highest gfn that a guest's touch has populated, and where the last sweep for empty pages stopped. */
  podMaxGuest: u64;
  podSweepAt: u64;
  /** Next slot of the ring of recently populated gfns (hv/pod/history.ts). */
  podHistoryNext: u32;
  private _pad5: u32;

  /** Frame with the pinned memory types (p2m/pinned.ts), 0 = none yet, and how many there are. */
  pinnedMfn: u32;
  pinnedCount: u32;

  // Memory sharing (hv/sharing). Written under p2mLock, but for the two flags, which the toolstack sets.
  /** 1 = pages of the domain may be shared. */
  sharingEnabled: u32;
  /** Entries of the p2m that show a shared frame. */
  sharedPages: u32;
  /** Devices passed through: sharing and they exclude each other. */
  assignedDevices: u32;
  /** Domain this one is a fork of, as slot + 1; 0 = none. Forks that have this one as their parent. */
  forkParent: u32;
  forks: u32;
  /** Next gfn that a preempted destroydomain looks for shared pages at. */
  unshareNext: u64;

  // Grants (hv/grant). The lock comes before the domain's p2m lock.
  grantLock: u32;
  /** Frame that heads the grant table, 0 = nobody has asked for it yet. Written under grantLock. */
  grantMfn: u32;
  /** Limits given at creation: frames of entries, frames of maptrack, highest version. */
  grantMaxFrames: u32;
  grantMaxMaptrack: u32;
  grantMaxVersion: u32;

  /** Ports that are the machine's (hv/iocap/port-mapping.ts): first mapping, 0 = none. Written under ioPortLock, by device models. */
  ioPortMappings: u32;
  ioPortLock: u32;
  /** Frame of the CPUID table that the toolstack changed, 0 = none yet, and its entries (hv/cpuid/table.ts). */
  cpuidMfn: u32;
  cpuidCount: u32;
  /** The toolstack has let it run once: its CPU policy is fixed. */
  hasRun: u32;
  /** Answered and kept for 2014's toolstack: bits of addresses it may be given memory with, 0 = any. */
  machineAddressSize: u32;
  suppressFaults: u32;
  /** Virtual NUMA topology: its frame, 0 = none (hv/vnuma/tables.ts). Written under vnumaLock. */
  vnumaLock: u32;
  vnumaMfn: u32;
  /** Status and enable registers of the power-management device (hv/time/pm-ports.ts). */
  pmStatus: u32;
  pmEnable: u32;
  migrateDisabled: u32;

  /** Slot + 1 of the next domain: with the same hash, and with the next higher id (hv/domain/table.ts). */
  nextInHash: u32;
  nextInList: u32;

  @inline static at(slot: u32): Domain {
    return changetype<Domain>(DOMAINS_BASE + <usize>slot * DOMAIN_SIZE);
  }

  /** The domain with this id, dying ones included; null (0) when there is none. */
  static find(domid: u32): usize {
    let next: u32 = load<u16>(DOMAIN_HASH_BASE + <usize>(domid % DOMAIN_HASH_BUCKETS) * 2);
    while (next != 0) {
      const d = Domain.at(next - 1);
      if (d.domid == domid) return changetype<usize>(d);
      next = d.nextInHash;
    }
    return 0;
  }

  /** Frames of the domain that count as its memory (mem/frame-owner.ts). */
  @inline get totPages(): u32 {
    return FrameOwner.of(this.slot).counted;
  }

  @inline param(index: u32): u64 {
    return load<u64>(changetype<usize>(this) + offsetof<Domain>("param0") + ((<usize>index) << 3));
  }

  @inline setParam(index: u32, value: u64): void {
    store<u64>(changetype<usize>(this) + offsetof<Domain>("param0") + ((<usize>index) << 3), value);
  }

  /** Address of the ioreq server with this id, NO_SERVER when there is none. */
  @inline ioreqServer(id: u32): u32 {
    return load<u32>(changetype<usize>(this) + offsetof<Domain>("ioreqServer0") + ((<usize>id) << 2));
  }

  @inline setIoreqServer(id: u32, server: u32): void {
    store<u32>(changetype<usize>(this) + offsetof<Domain>("ioreqServer0") + ((<usize>id) << 2), server);
  }
}

if (offsetof<Domain>() > <usize>DOMAIN_SIZE) ERROR("Domain outgrew its place");
if (MAX_DOMAINS > 0x7ff0) ERROR("more domains than ids");
if (offsetof<Domain>("state") != DOM_STATE) ERROR("Domain.state moved");
if (offsetof<Domain>("domid") != DOM_DOMID) ERROR("Domain.domid moved");
if (offsetof<Domain>("isShutDown") != DOM_IS_SHUT_DOWN) ERROR("Domain.isShutDown moved");
if (offsetof<Domain>("shutdownCode") != DOM_SHUTDOWN_CODE) ERROR("Domain.shutdownCode moved");
if (offsetof<Domain>("crashReason") != DOM_CRASH_REASON) ERROR("Domain.crashReason moved");
if (offsetof<Domain>("controllerPause") != DOM_CONTROLLER_PAUSE) ERROR("Domain.controllerPause moved");
if (offsetof<Domain>("hypervisorPause") != DOM_HYPERVISOR_PAUSE) ERROR("Domain.hypervisorPause moved");
if (offsetof<Domain>("p2mLock") != DOM_P2M_LOCK) ERROR("Domain.p2mLock moved");
if (offsetof<Domain>("p2mIoreqServer") != DOM_P2M_IOREQ_SERVER) ERROR("Domain.p2mIoreqServer moved");
if (offsetof<Domain>("p2mIoreqEntries") != DOM_P2M_IOREQ_ENTRIES) ERROR("Domain.p2mIoreqEntries moved");
if (offsetof<Domain>("p2mIoreqLock") != DOM_P2M_IOREQ_LOCK) ERROR("Domain.p2mIoreqLock moved");
if (offsetof<Domain>("ioreqLock") != DOM_IOREQ_LOCK) ERROR("Domain.ioreqLock moved");
if (offsetof<Domain>("maxEvtchnPort") != DOM_MAX_EVTCHN_PORT) ERROR("Domain.maxEvtchnPort moved");
if (offsetof<Domain>("podEntries") != DOM_POD_ENTRIES) ERROR("Domain.podEntries moved");
if (offsetof<Domain>("sharedPages") != DOM_SHARED_PAGES) ERROR("Domain.sharedPages moved");
if (offsetof<Domain>("assignedDevices") != DOM_ASSIGNED_DEVICES) ERROR("Domain.assignedDevices moved");
if (offsetof<Domain>("grantMfn") != DOM_GRANT_MFN) ERROR("Domain.grantMfn moved");
if (offsetof<Domain>("evtchnLock") != DOM_EVTCHN_LOCK) ERROR("Domain.evtchnLock moved");
if (offsetof<Domain>("evtchnFifo") != DOM_EVTCHN_FIFO) ERROR("Domain.evtchnFifo moved");
if (offsetof<Domain>("pagingLock") != DOM_PAGING_LOCK) ERROR("Domain.pagingLock moved");
if (offsetof<Domain>("logDirtyRoot") != DOM_LOG_DIRTY_ROOT) ERROR("Domain.logDirtyRoot moved");
if (offsetof<Domain>("logDirtyFrames") != DOM_LOG_DIRTY_FRAMES) ERROR("Domain.logDirtyFrames moved");
if (
  offsetof<Domain>("ioreqLock") != LOCK_IOREQ_OFFSET ||
  offsetof<Domain>("p2mLock") != LOCK_P2M_OFFSET ||
  offsetof<Domain>("p2mIoreqLock") != LOCK_P2M_IOREQ_OFFSET ||
  offsetof<Domain>("podLock") != LOCK_POD_OFFSET ||
  offsetof<Domain>("pagingLock") != LOCK_PAGING_OFFSET ||
  offsetof<Domain>("evtchnLock") != LOCK_EVTCHN_OFFSET ||
  offsetof<Domain>("grantLock") != LOCK_GRANT_OFFSET ||
  offsetof<Domain>("ioPortLock") != LOCK_IO_PORTS_OFFSET ||
  offsetof<Domain>("vnumaLock") != LOCK_VNUMA_OFFSET
)
  ERROR("a lock of Domain moved: abi/lock-order.ts");
if (
  offsetof<Domain>("lookupMfn") != CONT_LOOKUP_OFFSET ||
  offsetof<Domain>("ioreqLock") - CONT_LOOKUP_OFFSET != CONT_LOOKUP_SIZE
)
  ERROR("Domain.lookup* moved: abi/continuation.ts");
