/**
 * Domain control, in the shape of libxc: one typed function per DOMCTL (spec 05 sections 5.1 and 5.3, interface of Xen 4.17).
 * Here: birth, life and death. Settings: settings.ts; vCPUs, contexts and pages: vcpu.ts.
 */
import {
  CDF_HAP,
  CDF_HVM,
  DOMCTL_CREATEDOMAIN,
  DOMCTL_DESTROYDOMAIN,
  DOMCTL_GET_PAGING_MEMPOOL_SIZE,
  DOMCTL_GETDOMAININFO,
  DOMCTL_MAX_MEM,
  DOMCTL_MAX_VCPUS,
  DOMCTL_PAUSEDOMAIN,
  DOMCTL_SET_PAGING_MEMPOOL_SIZE,
  DOMCTL_SETHVMCONTEXT,
  DOMCTL_UNPAUSEDOMAIN,
  DOMID_FIRST_RESERVED,
  DOMINF_BLOCKED,
  DOMINF_DYING,
  DOMINF_PAUSED,
  DOMINF_RUNNING,
  DOMINF_SHUTDOWN,
  DOMINF_SHUTDOWN_SHIFT,
} from "../../../hv-core/abi/hypercalls.ts";
import { setHandle } from "../buffers/call.ts";
import { U8 } from "../buffers/element.ts";
import { allocSafe } from "../buffers/safe.ts";
import type { Dom0 } from "../dom0.ts";
import { HvError } from "../errors.ts";
import { DomId } from "../ids.ts";
import { type DomctlStruct, domctl, domctlHandle, nothing } from "./domctl-call.ts";

/** A PVH domain has a local APIC and nothing else emulated; an HVM domain all that there is, the clock chip for instance. */
export const EMULATION_PVH = 1;
export const EMULATION_HVM = 0x3ff;

const HVM_CONTEXT = domctlHandle(8, U8, "in");

/** Creates a domain, PVH unless `emulation` says otherwise; it is paused. The hypervisor picks the next free id. */
export function domainCreate(dom0: Dom0, vcpus: number, emulation: number = EMULATION_PVH): DomId {
  return domctl(
    dom0,
    "DOMCTL_createdomain",
    DOMCTL_CREATEDOMAIN,
    0,
    (view, at) => {
      view.setUint32(at + 20, CDF_HVM | CDF_HAP, true);
      view.setUint32(at + 28, vcpus, true);
      view.setUint32(at + 32, 1023, true); // max_evtchn_port, as libxl sets it
      view.setInt32(at + 36, 64, true); // max_grant_frames
      view.setInt32(at + 40, 1024, true); // max_maptrack_frames
      view.setUint32(at + 44, 2, true); // grant table version
      view.setUint32(at + 56, emulation, true);
    },
    (view, _at, header) => DomId(view.getUint16(header + 8, true)),
    { vcpus },
  );
}

export function domainMaxVcpus(dom0: Dom0, domid: DomId, vcpus: number): void {
  domctl(dom0, "DOMCTL_max_vcpus", DOMCTL_MAX_VCPUS, domid, (view, at) => view.setUint32(at, vcpus, true), nothing, {
    vcpus,
  });
}

export function domainMaxMem(dom0: Dom0, domid: DomId, kib: number): void {
  domctl(
    dom0,
    "DOMCTL_max_mem",
    DOMCTL_MAX_MEM,
    domid,
    (view, at) => {
      view.setUint32(at, kib % 2 ** 32, true);
      view.setUint32(at + 4, Math.floor(kib / 2 ** 32), true);
    },
    nothing,
    { kib },
  );
}

/** Memory for the domain's EPT tables, in bytes. */
export function domainSetPagingPool(dom0: Dom0, domid: DomId, bytes: number): void {
  domctl(
    dom0,
    "DOMCTL_set_paging_mempool_size",
    DOMCTL_SET_PAGING_MEMPOOL_SIZE,
    domid,
    (view, at) => view.setUint32(at, bytes, true),
    nothing,
    { bytes },
  );
}

/** Bytes of the domain's paging pool. */
export function domainGetPagingPool(dom0: Dom0, domid: DomId): number {
  const read = (view: DataView, at: number): number => Number(view.getBigUint64(at, true));
  return domctl(dom0, "DOMCTL_get_paging_mempool_size", DOMCTL_GET_PAGING_MEMPOOL_SIZE, domid, nothing, read);
}

export function domainPause(dom0: Dom0, domid: DomId): void {
  domctl(dom0, "DOMCTL_pausedomain", DOMCTL_PAUSEDOMAIN, domid, nothing, nothing);
}

export function domainUnpause(dom0: Dom0, domid: DomId): void {
  domctl(dom0, "DOMCTL_unpausedomain", DOMCTL_UNPAUSEDOMAIN, domid, nothing, nothing);
}

export function domainDestroy(dom0: Dom0, domid: DomId): void {
  domctl(dom0, "DOMCTL_destroydomain", DOMCTL_DESTROYDOMAIN, domid, nothing, nothing);
}

export interface DomainInfo {
  readonly domid: DomId;
  readonly isDying: boolean;
  readonly isShutDown: boolean;
  readonly isPaused: boolean;
  readonly isBlocked: boolean;
  readonly isRunning: boolean;
  /** SHUTDOWN_*, meaningful when isShutDown. */
  readonly shutdownCode: number;
  readonly totPages: number;
  readonly maxPages: number;
  readonly sharedPages: number;
  readonly pagedPages: number;
  /** Of all its vCPUs, in nanoseconds of virtual time. */
  readonly cpuTimeNs: bigint;
  readonly onlineVcpus: number;
  readonly maxVcpuId: number;
  /** UUID, 16 bytes. */
  readonly handle: Uint8Array;
}

/** xen_domctl_getdomaininfo at `at`. */
export function readDomainInfo(view: DataView, at: number): DomainInfo {
  const flags = view.getUint32(at + 4, true);
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const u64 = (offset: number): number => Number(view.getBigUint64(at + offset, true));
  return {
    domid: DomId(view.getUint16(at, true)),
    isDying: has(DOMINF_DYING),
    isShutDown: has(DOMINF_SHUTDOWN),
    isPaused: has(DOMINF_PAUSED),
    isBlocked: has(DOMINF_BLOCKED),
    isRunning: has(DOMINF_RUNNING),
    shutdownCode: (flags >>> DOMINF_SHUTDOWN_SHIFT) & 0xff,
    totPages: u64(8),
    maxPages: u64(16),
    sharedPages: u64(32),
    pagedPages: u64(40),
    cpuTimeNs: view.getBigUint64(at + 56, true),
    onlineVcpus: view.getUint32(at + 64, true),
    maxVcpuId: view.getUint32(at + 68, true),
    handle: Uint8Array.from({ length: 16 }, (_, i) => view.getUint8(at + 76 + i)),
  };
}

/** The domain with this id, or the one with the next higher id: look at the id in the answer. @throws HvError ESRCH */
export function domainGetInfo(dom0: Dom0, domid: DomId): DomainInfo {
  return domctl(dom0, "DOMCTL_getdomaininfo", DOMCTL_GETDOMAININFO, domid, nothing, readDomainInfo);
}

/** All domains from dom0 on, as `xl list` asks for them. */
export function domainList(dom0: Dom0): DomainInfo[] {
  const found: DomainInfo[] = [];
  for (let next = 0; next < DOMID_FIRST_RESERVED; ) {
    try {
      const info = domainGetInfo(dom0, DomId(next));
      found.push(info);
      next = info.domid + 1;
    } catch (error) {
      if (error instanceof HvError && error.code === "ESRCH") break; // there is none from here on
      throw error;
    }
  }
  return found;
}

/** Loads HVM save records into a domain: the state its vCPUs start with (hvm-context.ts makes them). */
export function domainSetHvmContext(dom0: Dom0, domid: DomId, records: Uint8Array): void {
  using context = allocSafe(dom0.arena, U8, "in", records.length, "HVM context");
  context.setBytes(records);
  const fill = (view: DataView, at: number, op: DomctlStruct): void => {
    view.setUint32(at, records.length, true);
    setHandle(op, HVM_CONTEXT, context, records.length);
  };
  domctl(dom0, "DOMCTL_sethvmcontext", DOMCTL_SETHVMCONTEXT, domid, fill, nothing, { bytes: records.length });
}
