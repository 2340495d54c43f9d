/** The mapping of a granted frame in the grantee's p2m (spec 01 section 1.1: types grant_map_rw and grant_map_ro). */
import { EINVAL, OK } from "../../abi/errno";
import { GNTST_GENERAL_ERROR, GNTST_OKAY } from "../../abi/grant";
import { P2M_GRANT_MAP_RO, P2M_GRANT_MAP_RW } from "../../abi/p2m-types";
import { Domain } from "../domain";
import { Mapcache } from "../ioreq/mapcache";
import { P2M_GFN_LIMIT } from "../p2m/lookup";
import { P2m } from "../p2m/p2m";
import { physmapMakeRoom, physmapUnmapAlias } from "../p2m/physmap";
import { P2mType } from "../p2m/types";

function add(d: Domain, gfn: u64, mfn: u32, isReadOnly: bool): i32 {
  if (gfn >= P2M_GFN_LIMIT) return -EINVAL;
  const blocked = physmapMakeRoom(d, gfn);
  if (blocked != OK) return blocked;
  physmapUnmapAlias(d, gfn, mfn); // a domain's own page is at one place only, also when it grants it to itself
  return P2m.set(d, gfn, mfn, 0, isReadOnly ? P2M_GRANT_MAP_RO : P2M_GRANT_MAP_RW, d.p2mDefaultAccess);
}

export class HostMapping {
  /** What was at `gfn` is unmapped; another grant, foreign page or device there crashes the domain, as in Xen. */
  static add(d: Domain, gfn: u64, mfn: u32, isReadOnly: bool): i32 {
    P2m.lock(d);
    const error = add(d, gfn, mfn, isReadOnly);
    P2m.unlock(d);
    return error == OK ? GNTST_OKAY : GNTST_GENERAL_ERROR;
  }

  /** @returns GNTST_GENERAL_ERROR unless a grant of exactly this frame is mapped there. No TLB knows it afterwards. */
  static remove(d: Domain, gfn: u64, mfn: u32): i32 {
    P2m.lock(d);
    const type = P2m.lookup(d, gfn, 0);
    const isIt = P2mType.isGrant(type) && d.lookupMfn == mfn;
    let result: i32 = GNTST_GENERAL_ERROR;
    if (isIt) {
      Mapcache.pageGoes(d);
      if (P2m.clear(d, gfn, 0) == OK) result = GNTST_OKAY;
      Mapcache.pageGone(d);
    }
    P2m.unlock(d);
    return result;
  }
}
