/** Domctls about a domain's vCPUs and pages: state, affinity, contexts, page types, audit. */
import {
  DOMCTL_AUDIT_P2M,
  DOMCTL_GETHVMCONTEXT_PARTIAL,
  DOMCTL_GETPAGEFRAMEINFO3,
  DOMCTL_GETVCPUAFFINITY,
  DOMCTL_GETVCPUCONTEXT,
  DOMCTL_SET_BROKEN_PAGE_P2M,
  DOMCTL_SETVCPUAFFINITY,
  DOMCTL_SETVCPUCONTEXT,
  VCPU_CONTEXT_SIZE,
  VCPUAFFINITY_HARD,
  VCPUAFFINITY_SOFT,
} from "../../../hv-core/abi/domctl.ts";
import { DOMCTL_GETHVMCONTEXT, DOMCTL_GETVCPUINFO } from "../../../hv-core/abi/hypercalls.ts";
import { bounce } from "../buffers/bounce.ts";
import { setHandle } from "../buffers/call.ts";
import { U8, U64 } from "../buffers/element.ts";
import { allocSafe, type Safe } from "../buffers/safe.ts";
import type { Dom0 } from "../dom0.ts";
import type { DomId } from "../ids.ts";
import { type DomctlStruct, domctl, domctlHandle, nothing } from "./domctl-call.ts";

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
const HARD_MAP = domctlHandle(8, U64, "inout");
const SOFT_MAP = domctlHandle(24, U64, "inout");

function affinityOp(dom0: Dom0, name: string, cmd: number, domid: DomId, vcpu: number, wanted?: Affinity): Affinity {
  using hard = allocSafe(dom0.arena, U64, "inout", 1, "hard affinity");
  using soft = allocSafe(dom0.arena, U64, "inout", 1, "soft affinity");
  hard.set(0, wanted?.hard ?? 0n);
  soft.set(0, wanted?.soft ?? 0n);
  const fill = (view: DataView, at: number, op: DomctlStruct): void => {
    view.setUint32(at, vcpu, true);
    view.setUint32(at + 4, VCPUAFFINITY_HARD | VCPUAFFINITY_SOFT, true);
    setHandle(op, HARD_MAP, hard);
    view.setUint32(at + 16, AFFINITY_BITS, true);
    setHandle(op, SOFT_MAP, soft);
    view.setUint32(at + 32, AFFINITY_BITS, true);
  };
  domctl(dom0, name, cmd, domid, fill, nothing, { vcpu, ...wanted });
  return { hard: hard.get(), soft: soft.get() };
}

export function vcpuGetAffinity(dom0: Dom0, domid: DomId, vcpu: number): Affinity {
  return affinityOp(dom0, "DOMCTL_getvcpuaffinity", DOMCTL_GETVCPUAFFINITY, domid, vcpu);
}

/** @returns what is effective: processors that are on line. @throws HvError EINVAL when none is left. */
export function vcpuSetAffinity(dom0: Dom0, domid: DomId, vcpu: number, wanted: Affinity): Affinity {
  return affinityOp(dom0, "DOMCTL_setvcpuaffinity", DOMCTL_SETVCPUAFFINITY, domid, vcpu, wanted);
}

const VCPU_CONTEXT_OUT = domctlHandle(8, U8, "out");
const VCPU_CONTEXT_IN = domctlHandle(8, U8, "in");

/** The vcpu_guest_context (64-bit layout, 5168 bytes). @throws HvError ENODATA when the vCPU was never started. */
export function vcpuGetContext(dom0: Dom0, domid: DomId, vcpu: number): Uint8Array {
  using context = allocSafe(dom0.arena, U8, "out", VCPU_CONTEXT_SIZE, "vCPU context");
  const fill = (view: DataView, at: number, op: DomctlStruct): void => {
    view.setUint32(at, vcpu, true);
    setHandle(op, VCPU_CONTEXT_OUT, context, VCPU_CONTEXT_SIZE);
  };
  domctl(dom0, "DOMCTL_getvcpucontext", DOMCTL_GETVCPUCONTEXT, domid, fill, nothing, { vcpu });
  return context.bytes();
}

/** Sets the registers of a vCPU; null resets it. */
export function vcpuSetContext(dom0: Dom0, domid: DomId, vcpu: number, context: Uint8Array | null): void {
  if (context && context.length !== VCPU_CONTEXT_SIZE)
    throw new RangeError(`a vCPU context has ${VCPU_CONTEXT_SIZE} bytes, not ${context.length}`);
  const call = (buffer: Safe<typeof U8, "in"> | null): void => {
    const fill = (view: DataView, at: number, op: DomctlStruct): void => {
      view.setUint32(at, vcpu, true);
      setHandle(op, VCPU_CONTEXT_IN, buffer, VCPU_CONTEXT_SIZE);
    };
    domctl(dom0, "DOMCTL_setvcpucontext", DOMCTL_SETVCPUCONTEXT, domid, fill, nothing, { vcpu });
  };
  if (context) bounce(dom0.arena, context, "in", call, "vCPU context");
  else call(null);
}

const HVM_CONTEXT = domctlHandle(8, U8, "out");

/** All records of an HVM domain, in the public save format. */
export function domainGetHvmContext(dom0: Dom0, domid: DomId): Uint8Array {
  const name = "DOMCTL_gethvmcontext";
  const readSize = (view: DataView, at: number): number => view.getUint32(at, true);
  const room = domctl(dom0, name, DOMCTL_GETHVMCONTEXT, domid, nothing, readSize);
  using records = allocSafe(dom0.arena, U8, "out", room, "HVM context");
  const fill = (view: DataView, at: number, op: DomctlStruct): void => {
    view.setUint32(at, room, true);
    setHandle(op, HVM_CONTEXT, records, room);
  };
  const size = domctl(dom0, name, DOMCTL_GETHVMCONTEXT, domid, fill, readSize, { room });
  return records.bytes().subarray(0, size);
}

const LARGEST_RECORD = 4096;
const HVM_RECORD = domctlHandle(16, U8, "out");

/** The data of one record. @throws HvError ENODATA or ENOENT when there is none now. */
export function domainGetHvmRecord(dom0: Dom0, domid: DomId, type: number, instance = 0): Uint8Array {
  using record = allocSafe(dom0.arena, U8, "out", LARGEST_RECORD, "HVM record");
  const fill = (view: DataView, at: number, op: DomctlStruct): void => {
    view.setUint32(at, type, true);
    view.setUint32(at + 4, instance, true);
    view.setUint32(at + 8, LARGEST_RECORD, true);
    setHandle(op, HVM_RECORD, record, LARGEST_RECORD);
  };
  const readSize = (view: DataView, at: number): number => view.getUint32(at + 8, true);
  const name = "DOMCTL_gethvmcontext_partial";
  const size = domctl(dom0, name, DOMCTL_GETHVMCONTEXT_PARTIAL, domid, fill, readSize, { type, instance });
  return record.bytes().subarray(0, size);
}

const PAGE_LIST = domctlHandle(8, U64, "inout");

/** The kind of each frame: 0 = RAM, 0xf0000000 = none, 0xd0000000 = broken. */
export function domainGetPageTypes(dom0: Dom0, domid: DomId, gfns: readonly number[]): number[] {
  using list = allocSafe(dom0.arena, U64, "inout", Math.max(1, gfns.length), "page list");
  gfns.forEach((gfn, i) => {
    list.set(i, BigInt(gfn));
  });
  const fill = (view: DataView, at: number, op: DomctlStruct): void => {
    view.setUint32(at, gfns.length, true);
    setHandle(op, PAGE_LIST, list, gfns.length);
  };
  domctl(dom0, "DOMCTL_getpageframeinfo3", DOMCTL_GETPAGEFRAMEINFO3, domid, fill, nothing, { count: gfns.length });
  return gfns.map((_, i) => Number(BigInt.asUintN(32, list.get(i))));
}

/** The memory behind a page has failed: whoever touches it ends. @throws HvError EINVAL when it is no RAM */
export function domainSetBrokenPage(dom0: Dom0, domid: DomId, gfn: number): void {
  const fill = (view: DataView, at: number): void => view.setBigUint64(at, BigInt(gfn), true);
  domctl(dom0, "DOMCTL_set_broken_page_p2m", DOMCTL_SET_BROKEN_PAGE_P2M, domid, fill, nothing, { gfn });
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
