/** Domctls about a domain's vCPUs and pages: state, affinity, contexts, page types, audit. */
import {
  DOMCTL_AUDIT_P2M,
  DOMCTL_GETHVMCONTEXT_PARTIAL,
  DOMCTL_GETPAGEFRAMEINFO3,
  DOMCTL_GETVCPUAFFINITY,
  DOMCTL_GETVCPUCONTEXT,
  DOMCTL_SETVCPUAFFINITY,
  DOMCTL_SETVCPUCONTEXT,
  VCPU_CONTEXT_SIZE,
  VCPUAFFINITY_HARD,
  VCPUAFFINITY_SOFT,
} from "../../../hv-core/abi/domctl.ts";
import { DOMCTL_GETHVMCONTEXT, DOMCTL_GETVCPUINFO } from "../../../hv-core/abi/hypercalls.ts";
import type { Dom0 } from "../dom0.ts";
import type { DomId } from "../ids.ts";
import { type Attached, domctl, domctlWith, nothing } from "./domctl-call.ts";

export interface VcpuInfo {
  readonly isOnline: boolean;
  readonly isBlocked: boolean;
  readonly isRunning: boolean;
  readonly cpuTimeNs: bigint;
  readonly cpu: number;
}

export function vcpuGetInfo(dom0: Dom0, domid: DomId, vcpu: number): VcpuInfo {
  const fill = (view: DataView, at: number): void => view.setUint32(at, vcpu, true);
  const read = (view: DataView, at: number): VcpuInfo => ({
    isOnline: view.getUint8(at + 4) !== 0,
    isBlocked: view.getUint8(at + 5) !== 0,
    isRunning: view.getUint8(at + 6) !== 0,
    cpuTimeNs: view.getBigUint64(at + 8, true),
    cpu: view.getUint32(at + 16, true),
  });
  return domctl(dom0, "DOMCTL_getvcpuinfo", DOMCTL_GETVCPUINFO, domid, fill, read, { vcpu });
}

/** Bit n = processor n. */
export interface Affinity {
  readonly hard: bigint;
  readonly soft: bigint;
}

const AFFINITY_BITS = 64;

function fillAffinity(view: DataView, at: number, vcpu: number, flags: number, maps: Attached): void {
  view.setUint32(at, vcpu, true);
  view.setUint32(at + 4, flags, true);
  view.setUint32(at + 8, maps.gpa, true);
  view.setUint32(at + 16, AFFINITY_BITS, true);
  view.setUint32(at + 24, maps.gpa + 8, true);
  view.setUint32(at + 32, AFFINITY_BITS, true);
}

const readAffinity = (view: DataView, _at: number, _header: number, maps: Attached): Affinity => ({
  hard: view.getBigUint64(maps.at, true),
  soft: view.getBigUint64(maps.at + 8, true),
});

export function vcpuGetAffinity(dom0: Dom0, domid: DomId, vcpu: number): Affinity {
  return domctlWith(
    dom0,
    "DOMCTL_getvcpuaffinity",
    DOMCTL_GETVCPUAFFINITY,
    domid,
    16,
    (view, at, maps) => fillAffinity(view, at, vcpu, VCPUAFFINITY_HARD | VCPUAFFINITY_SOFT, maps),
    readAffinity,
    { vcpu },
  );
}

/** @returns what is effective: processors that are on line. @throws HvError EINVAL when none is left. */
export function vcpuSetAffinity(dom0: Dom0, domid: DomId, vcpu: number, wanted: Affinity): Affinity {
  return domctlWith(
    dom0,
    "DOMCTL_setvcpuaffinity",
    DOMCTL_SETVCPUAFFINITY,
    domid,
    16,
    (view, at, maps) => {
      fillAffinity(view, at, vcpu, VCPUAFFINITY_HARD | VCPUAFFINITY_SOFT, maps);
      view.setBigUint64(maps.at, wanted.hard, true);
      view.setBigUint64(maps.at + 8, wanted.soft, true);
    },
    readAffinity,
    { vcpu, hard: wanted.hard, soft: wanted.soft },
  );
}

/** The vcpu_guest_context (64-bit layout, 5168 bytes). @throws HvError ENODATA when the vCPU was never started. */
export function vcpuGetContext(dom0: Dom0, domid: DomId, vcpu: number): Uint8Array {
  return domctlWith(
    dom0,
    "DOMCTL_getvcpucontext",
    DOMCTL_GETVCPUCONTEXT,
    domid,
    VCPU_CONTEXT_SIZE,
    (view, at, context) => {
      view.setUint32(at, vcpu, true);
      view.setUint32(at + 8, context.gpa, true);
    },
    (_view, _at, _header, context) => dom0.core.u8.slice(context.at, context.at + VCPU_CONTEXT_SIZE),
    { vcpu },
  );
}

/** Sets the registers of a vCPU; null resets it. */
export function vcpuSetContext(dom0: Dom0, domid: DomId, vcpu: number, context: Uint8Array | null): void {
  if (context && context.length !== VCPU_CONTEXT_SIZE)
    throw new RangeError(`a vCPU context has ${VCPU_CONTEXT_SIZE} bytes, not ${context.length}`);
  domctlWith(
    dom0,
    "DOMCTL_setvcpucontext",
    DOMCTL_SETVCPUCONTEXT,
    domid,
    VCPU_CONTEXT_SIZE,
    (view, at, attached) => {
      view.setUint32(at, vcpu, true);
      if (!context) return;
      view.setUint32(at + 8, attached.gpa, true);
      dom0.core.u8.set(context, attached.at);
    },
    nothing,
    { vcpu },
  );
}

/** All records of an HVM domain, in the public save format. */
export function domainGetHvmContext(dom0: Dom0, domid: DomId): Uint8Array {
  const name = "DOMCTL_gethvmcontext";
  const size = domctl(dom0, name, DOMCTL_GETHVMCONTEXT, domid, nothing, (view, at) => view.getUint32(at, true));
  return domctlWith(
    dom0,
    name,
    DOMCTL_GETHVMCONTEXT,
    domid,
    size,
    (view, at, records) => {
      view.setUint32(at, size, true);
      view.setUint32(at + 8, records.gpa, true);
    },
    (view, at, _header, records) => dom0.core.u8.slice(records.at, records.at + view.getUint32(at, true)),
  );
}

const LARGEST_RECORD = 4096;

/** The data of one record. @throws HvError ENODATA or ENOENT when there is none now. */
export function domainGetHvmRecord(dom0: Dom0, domid: DomId, type: number, instance = 0): Uint8Array {
  return domctlWith(
    dom0,
    "DOMCTL_gethvmcontext_partial",
    DOMCTL_GETHVMCONTEXT_PARTIAL,
    domid,
    LARGEST_RECORD,
    (view, at, record) => {
      view.setUint32(at, type, true);
      view.setUint32(at + 4, instance, true);
      view.setUint32(at + 8, LARGEST_RECORD, true);
      view.setUint32(at + 16, record.gpa, true);
    },
    (view, at, _header, record) => dom0.core.u8.slice(record.at, record.at + view.getUint32(at + 8, true)),
    { type, instance },
  );
}

/** The kind of each frame: 0 = RAM, 0xf0000000 = none, 0xd0000000 = broken. */
export function domainGetPageTypes(dom0: Dom0, domid: DomId, gfns: readonly number[]): number[] {
  return domctlWith(
    dom0,
    "DOMCTL_getpageframeinfo3",
    DOMCTL_GETPAGEFRAMEINFO3,
    domid,
    gfns.length * 8,
    (view, at, list) => {
      view.setUint32(at, gfns.length, true);
      view.setUint32(at + 8, list.gpa, true);
      for (const [i, gfn] of gfns.entries()) view.setBigUint64(list.at + i * 8, BigInt(gfn), true);
    },
    (view, _at, _header, list) => gfns.map((_, i) => view.getUint32(list.at + i * 8, true)),
    { count: gfns.length },
  );
}

export interface P2mAudit {
  /** Frames of the domain that no gfn claims. */
  readonly orphans: bigint;
  readonly m2pBad: bigint;
  readonly p2mBad: bigint;
}

/** Compares p2m and frame table. @throws HvError ENOSYS but in the debug build. */
export function domainAuditP2m(dom0: Dom0, domid: DomId): P2mAudit {
  return domctl(dom0, "DOMCTL_audit_p2m", DOMCTL_AUDIT_P2M, domid, nothing, (view, at) => ({
    orphans: view.getBigUint64(at, true),
    m2pBad: view.getBigUint64(at + 8, true),
    p2mBad: view.getBigUint64(at + 16, true),
  }));
}
