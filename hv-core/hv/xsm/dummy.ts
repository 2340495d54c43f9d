/**
 * Who may do what to whom: Xen's "dummy" security module (spec 05 section 5.4). A control domain may do everything; a device
 * model's domain may act on its target only; the xenstore domain may ask who exists. Each check answers OK or -EPERM.
 * Domctls go through xsm/domctl.ts, where a loaded policy may allow more.
 */
import { CDF_XS } from "../../abi/domctl";
import { EPERM, OK } from "../../abi/errno";
import { Domain } from "../domain";

function allowed(yes: bool): i32 {
  return yes ? OK : -EPERM;
}

/** Class PRIV: control domains only. */
export function xsmPriv(src: Domain): i32 {
  return allowed(src.isPrivileged != 0);
}

/** Class DM_PRIV: the target's device-model domain, or a control domain. */
export function xsmDmPriv(src: Domain, target: Domain): i32 {
  return allowed(src.isPrivileged != 0 || src.targetDomid == target.domid + 1);
}

/** Class TARGET: the domain itself, or as DM_PRIV. */
export function xsmTarget(src: Domain, target: Domain): i32 {
  return src.slot == target.slot ? OK : xsmDmPriv(src, target);
}

/** Class XS_PRIV: the xenstore domain, or as DM_PRIV. */
export function xsmXsPriv(src: Domain, target: Domain): i32 {
  return (src.createFlags & CDF_XS) != 0 ? OK : xsmDmPriv(src, target);
}
