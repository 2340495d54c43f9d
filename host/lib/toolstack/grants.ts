/**
 * Grants as dom0's back ends use them (libxc's gnttab calls, spec 08 section 8.6): the table of a domain is seeded by its toolstack,
 * granted pages are mapped, unmapped, copied. A status other than okay is a typed error that names the operation.
 */
import * as grant from "../../../hv-core/abi/grant.ts";
import { DOMID_SELF, HC_GRANT_TABLE_OP } from "../../../hv-core/abi/hypercalls.ts";
import { plain, safeHypercall } from "../buffers/call.ts";
import { struct } from "../buffers/element.ts";
import { allocStruct, type SafeStruct } from "../buffers/struct.ts";
import { allocGfns, type Dom0, mappedAddress } from "../dom0.ts";
import { check, type ErrnoName, HvError } from "../errors.ts";
import type { DomId, Gfn } from "../ids.ts";
import { acquireGrantFrame } from "./memory.ts";

const MAP_GRANT_REF = struct("gnttab_map_grant_ref", grant.GNTTAB_MAP_BYTES);
const UNMAP_GRANT_REF = struct("gnttab_unmap_grant_ref", grant.GNTTAB_UNMAP_BYTES);
const COPY = struct("gnttab_copy", grant.GNTTAB_COPY_BYTES);

/** What a status means, for messages. */
const STATUS: Readonly<Record<number, readonly [ErrnoName, string]>> = {
  [grant.GNTST_GENERAL_ERROR]: ["EINVAL", "the entry does not grant that, or it cannot be done there"],
  [grant.GNTST_BAD_DOMAIN]: ["ESRCH", "there is no such domain"],
  [grant.GNTST_BAD_GNTREF]: ["ENOENT", "the table has no such reference"],
  [grant.GNTST_BAD_HANDLE]: ["ENOENT", "nothing is mapped under this handle"],
  [grant.GNTST_NO_DEVICE_SPACE]: ["ENOSPC", "the domain has no handle left"],
  [grant.GNTST_PERMISSION_DENIED]: ["EPERM", "another domain's page must be named by a reference"],
  [grant.GNTST_BAD_PAGE]: ["EFAULT", "there is no RAM behind it"],
  [grant.GNTST_BAD_COPY_ARG]: ["EINVAL", "the copy leaves its page"],
  [grant.GNTST_EAGAIN]: ["EAGAIN", "the page is on its way; try again"],
};

function checkStatus(status: number, operation: string, args: Readonly<Record<string, number>>): void {
  if (status === grant.GNTST_OKAY) return;
  const [errno, hint] = STATUS[status] ?? ["EIO", `status ${status}`];
  throw new HvError(errno, operation, { hint, arguments: args });
}

export interface GrantMapping {
  readonly domid: DomId;
  readonly ref: number;
  /** Where it is in dom0. */
  readonly gfn: Gfn;
  readonly handle: number;
  readonly isReadOnly: boolean;
}

/** One operation of GNTTABOP_*, whose structure is filled in. @returns its status. */
function grantOp(
  dom0: Dom0,
  name: string,
  op: number,
  argument: SafeStruct<string, "inout">,
  statusAt: number,
): number {
  check(safeHypercall(dom0, plain(HC_GRANT_TABLE_OP), plain(op), argument, plain(1)), name);
  return argument.fields().getInt16(statusAt, true);
}

/** Maps page `ref` of `domid` at a gfn of dom0. @throws HvError when it is not granted, or cannot be mapped there. */
export function grantMap(
  dom0: Dom0,
  domid: DomId,
  ref: number,
  gfn: Gfn = allocGfns(dom0, 1),
  isReadOnly = false,
): GrantMapping {
  const name = "GNTTABOP_map_grant_ref";
  using map = allocStruct(dom0.arena, MAP_GRANT_REF, "inout");
  map.setU64(0, BigInt(gfn) << 12n);
  map.setU32(8, grant.GNTMAP_HOST_MAP | (isReadOnly ? grant.GNTMAP_READONLY : 0));
  map.setU32(12, ref);
  map.setU16(16, domid);
  checkStatus(grantOp(dom0, name, grant.GNTTABOP_MAP_GRANT_REF, map, 18), name, { domid, ref, gfn });
  return { domid, ref, gfn, handle: map.u32(20), isReadOnly };
}

/** @throws HvError when it is not mapped there (any more). */
export function grantUnmap(dom0: Dom0, { gfn, handle }: Pick<GrantMapping, "gfn" | "handle">): void {
  const name = "GNTTABOP_unmap_grant_ref";
  using unmap = allocStruct(dom0.arena, UNMAP_GRANT_REF, "inout");
  unmap.setU64(0, BigInt(gfn) << 12n);
  unmap.setU32(16, handle);
  checkStatus(grantOp(dom0, name, grant.GNTTABOP_UNMAP_GRANT_REF, unmap, 20), name, { gfn, handle });
}

/** Linear address of the domain's grant entries (version 1, references 0 to 511), mapped into dom0 as a toolstack does to seed them. */
export function grantEntries(dom0: Dom0, domid: DomId): number {
  const gfn = allocGfns(dom0, 1);
  acquireGrantFrame(dom0, domid, 0, gfn);
  return mappedAddress(dom0, gfn);
}

/** Fills in an entry of version 1: page `gfn` of the table's domain for domain `to`. */
export function grantSeed(dom0: Dom0, entries: number, ref: number, to: DomId, gfn: number, flags = 0): void {
  const at = entries + ref * grant.GRANT_V1_SIZE;
  dom0.core.view.setUint32(at + grant.GRANT_V1_FRAME, gfn, true);
  dom0.core.view.setUint32(at, grant.GTF_PERMIT_ACCESS | flags | (to << 16), true);
}

/** Copies bytes of a granted page to one of dom0's own. */
export function grantCopyFrom(
  dom0: Dom0,
  domid: DomId,
  ref: number,
  offset: number,
  toGfn: number,
  toOffset: number,
  length: number,
): void {
  const name = "GNTTABOP_copy";
  using copy = allocStruct(dom0.arena, COPY, "inout");
  copy.setU32(0, ref);
  copy.setU16(8, domid);
  copy.setU16(10, offset);
  copy.setU32(16, toGfn);
  copy.setU16(24, DOMID_SELF);
  copy.setU16(26, toOffset);
  copy.setU16(32, length);
  copy.setU16(34, grant.GNTCOPY_SOURCE_GREF);
  const args = { domid, ref, offset, toGfn, toOffset, length };
  checkStatus(grantOp(dom0, name, grant.GNTTABOP_COPY, copy, 36), name, args);
}
