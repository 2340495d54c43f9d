/**
 * range_share: the pages first..last of two paused domains, gfn by gfn (spec 04 section 4.2). Pages that cannot be shared are left out;
 * what is in them is not compared.
 */
import { EINVAL, ENOMEM, ERESTART, OK } from "../../abi/errno";
import { Domain } from "../domain";
import { nominate } from "./nominate";
import { share } from "./share";

/** gfns of one piece of the call. */
const PIECE: u64 = 64;

function isPaused(d: Domain): bool {
  return (d.controllerPause | d.hypervisorPause) != 0;
}

/** -EINVAL: not both paused, a cursor outside the range, or a range that goes beyond what one of them has. */
export function rangeCheck(source: Domain, client: Domain, first: u64, last: u64, cursor: u64): i32 {
  if (cursor != 0 && (cursor < first || cursor > last)) return -EINVAL;
  if (!isPaused(source) || !isPaused(client)) return -EINVAL;
  const most = min<u64>(source.p2mMaxMapped, client.p2mMaxMapped);
  return first > most || last > most ? -EINVAL : OK;
}

/** One page of both; errors are this page's only, but for a lack of memory. */
function sharePage(source: Domain, client: Domain, gfn: u64, handles: usize): i32 {
  const nominated = nominate(source, gfn, 0, handles);
  if (nominated != OK) return nominated;
  const other = nominate(client, gfn, 0, handles + 8);
  if (other != OK) return other;
  return share(source, gfn, load<u64>(handles), client, gfn, load<u64>(handles + 8));
}

/**
 * The pages from the cursor at `cursorAt` on (0 = from the first one), which is left behind the last one done.
 * @returns OK; -ERESTART between pieces; -ENOMEM; the error of the last page, unless it is -EINVAL.
 */
export function rangeShare(
  source: Domain,
  client: Domain,
  first: u64,
  last: u64,
  cursorAt: usize,
  handles: usize,
): i32 {
  let gfn = load<u64>(cursorAt);
  if (gfn == 0) gfn = first;
  let result: i32 = OK;
  for (let done: u64 = 0; gfn <= last; done++) {
    if (done == PIECE) {
      store<u64>(cursorAt, gfn);
      return -ERESTART;
    }
    result = sharePage(source, client, gfn, handles);
    if (result == -ENOMEM) break;
    gfn++;
  }
  store<u64>(cursorAt, gfn);
  return result == -EINVAL ? OK : result;
}
