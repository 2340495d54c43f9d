/**
 * Grants as dom0's back ends use them (libxc's gnttab calls, spec 08 section 8.6): the table of a domain is seeded by its toolstack,
 * granted pages are mapped, unmapped, copied. A status other than okay is a typed error that names the operation.
 */
import * as grant from "../../../hv-core/abi/grant.ts";
import { DOMID_SELF, HC_GRANT_TABLE_OP } from "../../../hv-core/abi/hypercalls.ts";
import { allocGfns, type Dom0, hypercall, mappedAddress, withBuffer } from "../dom0.ts";
import { check, type ErrnoName, HvError } from "../errors.ts";
import type { DomId, Gfn } from "../ids.ts";
import { acquireGrantFrame } from "./memory.ts";

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

/** Maps page `ref` of `domid` at a gfn of dom0. @throws HvError when it is not granted, or cannot be mapped there. */
export function grantMap(
  dom0: Dom0,
  domid: DomId,
  ref: number,
  gfn: Gfn = allocGfns(dom0, 1),
  isReadOnly = false,
): GrantMapping {
  return withBuffer(dom0, grant.GNTTAB_MAP_BYTES, ({ gpa, at }) => {
    const { view } = dom0.core;
    view.setBigUint64(at, BigInt(gfn) << 12n, true);
    view.setUint32(at + 8, grant.GNTMAP_HOST_MAP | (isReadOnly ? grant.GNTMAP_READONLY : 0), true);
    view.setUint32(at + 12, ref, true);
    view.setUint16(at + 16, domid, true);
    check(hypercall(dom0, HC_GRANT_TABLE_OP, grant.GNTTABOP_MAP_GRANT_REF, gpa, 1), "GNTTABOP_map_grant_ref");
    checkStatus(view.getInt16(at + 18, true), "GNTTABOP_map_grant_ref", { domid, ref, gfn });
    return { domid, ref, gfn, handle: view.getUint32(at + 20, true), isReadOnly };
  });
}

/** @throws HvError when it is not mapped there (any more). */
export function grantUnmap(dom0: Dom0, { gfn, handle }: Pick<GrantMapping, "gfn" | "handle">): void {
  withBuffer(dom0, grant.GNTTAB_UNMAP_BYTES, ({ gpa, at }) => {
    const { view } = dom0.core;
    view.setBigUint64(at, BigInt(gfn) << 12n, true);
    view.setUint32(at + 16, handle, true);
    check(hypercall(dom0, HC_GRANT_TABLE_OP, grant.GNTTABOP_UNMAP_GRANT_REF, gpa, 1), "GNTTABOP_unmap_grant_ref");
    checkStatus(view.getInt16(at + 20, true), "GNTTABOP_unmap_grant_ref", { gfn, handle });
  });
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
  withBuffer(dom0, grant.GNTTAB_COPY_BYTES, ({ gpa, at }) => {
    const { view } = dom0.core;
    view.setUint32(at, ref, true);
    view.setUint16(at + 8, domid, true);
    view.setUint16(at + 10, offset, true);
    view.setUint32(at + 16, toGfn, true);
    view.setUint16(at + 24, DOMID_SELF, true);
    view.setUint16(at + 26, toOffset, true);
    view.setUint16(at + 32, length, true);
    view.setUint16(at + 34, grant.GNTCOPY_SOURCE_GREF, true);
    check(hypercall(dom0, HC_GRANT_TABLE_OP, grant.GNTTABOP_COPY, gpa, 1), "GNTTABOP_copy");
    checkStatus(view.getInt16(at + 36, true), "GNTTABOP_copy", { domid, ref, offset, toGfn, toOffset, length });
  });
}
