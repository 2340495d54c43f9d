/**
 * From a grant reference to the gfn it names (spec 04 section 4.2): what nominate_gref, share_grefs and debug_gref ask the grant table.
 *
 * THE GRANT TABLE IS NOT PART OF THIS MACHINE YET: the answer is Xen's for a domain without one. Whoever builds grants replaces the body
 * of `lookup`; the errno below are the contract.
 */
import { EINVAL, ENOENT, OK } from "../../abi/errno";
import { KNOB_SHARING_ERA, SHARING_ERA_2012 } from "../../abi/knobs";
import { Knobs } from "../../base/machine";
import { Domain } from "../domain";

/** -EINVAL: no table; -ENOENT: out of range; -ENXIO: not of type permit_access. The gfn goes to `gfnAt`. */
function lookup(d: Domain, ref: u32, gfnAt: usize): i32 {
  return -EINVAL;
}

/** Bit 62 of a gfn field says that it holds a grant reference. */
export const GREF_BIT: u64 = (<u64>1) << 62;

/**
 * The gfn that reference `ref` of `d` names, at `gfnAt`.
 * @returns OK; 4.17: -EINVAL, -ENOENT, -ENXIO as above; 2012: -EINVAL for all of them.
 */
export function grefToGfn(d: Domain, ref: u64, gfnAt: usize): i32 {
  if (ref > 0xffff_ffff) return Knobs.get(KNOB_SHARING_ERA) == <u32>SHARING_ERA_2012 ? -EINVAL : -ENOENT;
  const rc = lookup(d, <u32>ref, gfnAt);
  if (rc != OK && Knobs.get(KNOB_SHARING_ERA) == <u32>SHARING_ERA_2012) return -EINVAL;
  return rc;
}
