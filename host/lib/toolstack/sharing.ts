/** Memory sharing as libxc has it: xc_memshr_* (spec 04 section 4.2). The deduplicator that uses it: dedup/deduplicator.ts. */
import { DOMCTL_MEM_SHARING_OP } from "../../../hv-core/abi/domctl.ts";
import {
  HC_MEMORY_OP,
  SHARING_OP_ADD_PHYSMAP,
  SHARING_OP_AUDIT,
  SHARING_OP_DEBUG_GFN,
  SHARING_OP_FORK,
  SHARING_OP_FORK_RESET,
  SHARING_OP_NOMINATE_GFN,
  SHARING_OP_RANGE_SHARE,
  SHARING_OP_SHARE,
  XENMEM_GET_SHARING_FREED_PAGES,
  XENMEM_GET_SHARING_SHARED_PAGES,
  XENMEM_SHARING_OP,
} from "../../../hv-core/abi/hypercalls.ts";
import { plain, safeHypercall } from "../buffers/call.ts";
import { struct } from "../buffers/element.ts";
import { allocStruct, type SafeStruct } from "../buffers/struct.ts";
import { type Dom0, hypercall } from "../dom0.ts";
import { check } from "../errors.ts";
import type { DomId } from "../ids.ts";
import { domctl, nothing } from "./domctl-call.ts";

const SHARING_OP = struct("xen_mem_sharing_op", 48);
export type SharingOp = SafeStruct<"xen_mem_sharing_op", "inout">;

/** One page of a domain. */
export interface PageOf {
  readonly domid: DomId;
  readonly gfn: number;
}

/** A structure that many calls may use one after the other. Use it with `using`. */
export const allocSharingOp = (dom0: Dom0): SharingOp => allocStruct(dom0.arena, SHARING_OP, "inout");

function call(dom0: Dom0, op: SharingOp, number: number, domid: DomId): number {
  op.setU8(0, number);
  op.setU16(2, domid);
  return safeHypercall(dom0, plain(HC_MEMORY_OP), plain(XENMEM_SHARING_OP), op);
}

/** Sharing on or off for a domain; off leaves shared pages as they are. @throws HvError EOPNOTSUPP, ENODEV, EXDEV, ENOSYS (not built in) */
export function sharingControl(dom0: Dom0, domid: DomId, enable: boolean): void {
  const fill = (view: DataView, at: number): void => view.setUint8(at + 1, enable ? 1 : 0);
  domctl(dom0, "XEN_DOMCTL_mem_sharing_op", DOMCTL_MEM_SHARING_OP, domid, fill, nothing, { enable });
}

/**
 * Nominates a page: read-only until somebody writes to it. The result is an errno because most of them are no surprise (the page is
 * mapped, is no RAM, ...); after 0 the handle is in `op` (handleOf).
 */
export function nominateGfn(dom0: Dom0, op: SharingOp, page: PageOf): number {
  op.setU64(8, page.gfn);
  return call(dom0, op, SHARING_OP_NOMINATE_GFN, page.domid);
}

/** The handle of the page that was nominated last through `op`. */
export const handleOf = (op: SharingOp): bigint => op.u64(16);

/** Both show the source's frame from now on. @returns 0, -10 (the source's handle is void), -9 (the client's is), or an errno. */
export function shareGfns(
  dom0: Dom0,
  op: SharingOp,
  source: PageOf,
  sourceHandle: bigint,
  client: PageOf,
  clientHandle: bigint,
): number {
  op.setU64(8, source.gfn);
  op.setU64(16, sourceHandle);
  op.setU64(24, client.gfn);
  op.setU64(32, clientHandle);
  op.setU16(40, client.domid);
  return call(dom0, op, SHARING_OP_SHARE, source.domid);
}

/** A hole of the client shows the source's page. @throws HvError; the two handle errors come as ECHILD (10) and EBADF (9). */
export function addSharedToPhysmap(dom0: Dom0, source: PageOf, handle: bigint, client: PageOf): void {
  using op = allocSharingOp(dom0);
  op.setU64(8, source.gfn);
  op.setU64(16, handle);
  op.setU64(24, client.gfn);
  op.setU16(40, client.domid);
  const args = { domid: source.domid, gfn: source.gfn, client: client.domid, clientGfn: client.gfn };
  check(call(dom0, op, SHARING_OP_ADD_PHYSMAP, source.domid), "XENMEM_sharing_op_add_physmap", { arguments: args });
}

/** Shares first..last of two paused domains without looking at the contents. @throws HvError EINVAL, ENOMEM */
export function rangeShare(dom0: Dom0, source: DomId, client: DomId, first: number, last: number): void {
  using op = allocSharingOp(dom0);
  op.setU64(8, first);
  op.setU64(16, last);
  op.setU16(32, client);
  check(call(dom0, op, SHARING_OP_RANGE_SHARE, source), "XENMEM_sharing_op_range_share", {
    arguments: { source, client, first, last },
  });
}

/** How many gfns show the frame of this page. @throws HvError EINVAL when it is not shared. */
export function sharersOf(dom0: Dom0, page: PageOf): number {
  using op = allocSharingOp(dom0);
  op.setU64(8, page.gfn);
  return check(call(dom0, op, SHARING_OP_DEBUG_GFN, page.domid), "XENMEM_sharing_op_debug_gfn");
}

/** Number of errors that the hypervisor finds in its own books. @throws HvError EOPNOTSUPP: only debug builds can look. */
export function sharingAudit(dom0: Dom0): number {
  using op = allocSharingOp(dom0);
  return check(call(dom0, op, SHARING_OP_AUDIT, 0 as DomId), "XENMEM_sharing_op_audit");
}

/** `child`, paused and without vCPUs, becomes a fork of `parent`. @throws HvError */
export function domainFork(dom0: Dom0, parent: DomId, child: DomId): void {
  using op = allocSharingOp(dom0);
  op.setU16(8, parent);
  check(call(dom0, op, SHARING_OP_FORK, child), "XENMEM_sharing_op_fork", { arguments: { parent, child } });
}

/** Takes a fork's own pages away again, or its processor state, or both (FORK_RESET_*). @throws HvError ENOSYS when it is no fork. */
export function forkReset(dom0: Dom0, child: DomId, flags: number): void {
  using op = allocSharingOp(dom0);
  op.setU16(10, flags);
  check(call(dom0, op, SHARING_OP_FORK_RESET, child), "XENMEM_sharing_op_fork_reset", { arguments: { child, flags } });
}

/** Frames that sharing saves, and shared frames there are. */
export function sharingCounts(dom0: Dom0): { readonly freedPages: number; readonly usedFrames: number } {
  const freedPages = hypercall(dom0, HC_MEMORY_OP, XENMEM_GET_SHARING_FREED_PAGES);
  const usedFrames = hypercall(dom0, HC_MEMORY_OP, XENMEM_GET_SHARING_SHARED_PAGES);
  return { freedPages, usedFrames };
}
