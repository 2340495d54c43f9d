/** dm_ops 17 and 18: where the guest's memory lies and how it is cached. `args` is the union of struct dm_op (spec 03 section 3.2). */
import { EINVAL, ERESTART, OK } from "../../abi/errno";
import { XENMAPSPACE_GMFN_RANGE } from "../../abi/hypercalls";
import { Domain } from "../domain";
import { addToPhysmapOne } from "../p2m/add-to-physmap";
import { pinnedSet } from "../p2m/pinned";

/** Pages moved before the hypercall lets others have a turn. */
const BATCH: u32 = 256;

/**
 * {size u32 @0, pad u32 @4, src_gfn u64 @8, dst_gfn u64 @16}: moves pages, one after the other. After -ERESTART the structure says
 * what is left; pages before the one that failed have moved.
 */
export function dmRelocateMemory(d: Domain, args: usize): i32 {
  if (load<u32>(args, 4) != 0) return -EINVAL;
  const size = load<u32>(args);
  const from = load<u64>(args, 8);
  const to = load<u64>(args, 16);
  const now = min<u32>(size, BATCH);
  for (let i: u32 = 0; i < now; i++) {
    const rc = addToPhysmapOne(d, XENMAPSPACE_GMFN_RANGE, from + <u64>i, to + <u64>i);
    if (rc != OK) return rc;
  }
  if (now == size) return OK;
  store<u32>(args, size - now);
  store<u64>(args, from + <u64>now, 8);
  store<u64>(args, to + <u64>now, 16);
  return -ERESTART;
}

/** {start u64 @0, end u64 @8 inclusive gfns, type u32 @16, pad u32 @20} */
export function dmPinMemory(d: Domain, args: usize): i32 {
  if (load<u32>(args, 20) != 0) return -EINVAL;
  return pinnedSet(d, load<u64>(args), load<u64>(args, 8), load<u32>(args, 16));
}
