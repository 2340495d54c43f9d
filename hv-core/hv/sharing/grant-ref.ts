/**
 * From a grant reference to the gfn it names (spec 04 section 4.2): what nominate_gref, share_grefs and debug_gref ask the grant table.
 */
import { EINVAL, ENOENT, ENXIO, OK } from "../../abi/errno";
import { GTF_PERMIT_ACCESS, GTF_TYPE_MASK } from "../../abi/grant";
import { GRANT_RACE_UNCHECKED_REF, KNOB_GRANT_RACE, KNOB_SHARING_ERA, SHARING_ERA_2012 } from "../../abi/knobs";
import { Knobs } from "../../base/machine";
import { Variant } from "../../base/variant";
import { Domain } from "../domain";
import { Entry } from "../grant/entry";
import { Grants, GrantTable } from "../grant/table";

/** -EINVAL: no table; -ENOENT: out of range; -ENXIO: not of type permit_access. The gfn goes to `gfnAt`. */
function lookup(d: Domain, ref: u32, gfnAt: usize): i32 {
  const table = Grants.table(d);
  if (table == 0) return -EINVAL;
  const t = changetype<GrantTable>(table);
  if (ref >= t.entries) return -ENOENT;
  // Variant C-55, before 986f790e01: whatever the entry is, its gfn is taken.
  const isUnchecked = Variant.is(KNOB_GRANT_RACE, GRANT_RACE_UNCHECKED_REF);
  if (!isUnchecked && (Entry.header(t, ref) & GTF_TYPE_MASK) != <u32>GTF_PERMIT_ACCESS) return -ENXIO;
  store<u64>(gfnAt, Entry.gfn(t, ref));
  return OK;
}

/** Bit 62 of a gfn field says that it holds a grant reference. */
export const GREF_BIT: u64 = (<u64>1) << 62;

/**
 * The gfn that reference `ref` of `d` names, at `gfnAt`.
 * @returns OK; 4.17: -EINVAL, -ENOENT, -ENXIO as above; 2012: -EINVAL for all of them.
 */
export function grefToGfn(d: Domain, ref: u64, gfnAt: usize): i32 {
  const isOld = Knobs.get(KNOB_SHARING_ERA) == <u32>SHARING_ERA_2012;
  if (ref > 0xffff_ffff) return isOld ? -EINVAL : -ENOENT;
  Grants.lock(d);
  const rc = lookup(d, <u32>ref, gfnAt);
  Grants.unlock(d);
  return rc != OK && isOld ? -EINVAL : rc;
}
