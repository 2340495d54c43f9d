/**
 * A dying domain gives back what it has mapped of others (Xen's gnttab_release_mappings): it must not keep their pages. What others have
 * mapped of it stays until they let go; until then it is a zombie.
 */
import { GNTMAP_READONLY } from "../../abi/grant";
import { Domain } from "../domain";
import { grantUnpinMapped } from "./map";
import { Maptrack } from "./maptrack";
import { Grants, GrantTable } from "./table";

/** Handles looked at between two places where destroydomain may be preempted. */
const HANDLES_PER_CALL: u32 = 4096;

function releaseOne(d: Domain, track: Maptrack): void {
  const found = Domain.find(track.domid);
  if (found == 0) return;
  const owner = changetype<Domain>(found);
  Grants.lock(owner);
  grantUnpinMapped(d, owner, track.ref, (track.flags & GNTMAP_READONLY) != 0);
  track.flags = 0;
  Grants.unlock(owner);
}

/** Nobody runs in `d` any more, and its tables go next. @returns false while there are more handles to look at. */
export function grantReleaseMappings(d: Domain): bool {
  if (d.grantMfn == 0) return true;
  const t = GrantTable.at(d.grantMfn);
  const limit = Maptrack.limit(t);
  const end = min<u32>(limit, t.releaseNext + HANDLES_PER_CALL);
  for (let handle = t.releaseNext; handle < end; handle++) {
    const track = Maptrack.at(t, handle);
    if (track.flags != 0) releaseOne(d, track);
  }
  t.releaseNext = end;
  return end == limit;
}
