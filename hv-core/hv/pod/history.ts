/**
 * The gfns that were populated last: where zero pages are looked for first (spec 01 section 1.8). A guest that clears its memory at
 * boot touches each page once and leaves it zero. A ring in the domain's record, gfn + 1 in each slot, 0 = empty.
 */
import { DOMAIN_SIZE } from "../../abi/layout";
import { Domain } from "../domain";

export const HISTORY_SLOTS: u32 = 128;
const HISTORY_OFFSET: usize = 0xc00;
/** The slot stands for a 2 MiB page. */
export const HISTORY_SUPER: u64 = (<u64>1) << 63;

if (offsetof<Domain>() > HISTORY_OFFSET) ERROR("Domain runs into the ring of populated gfns");
if (HISTORY_OFFSET + HISTORY_SLOTS * 8 > <usize>DOMAIN_SIZE) ERROR("the ring of populated gfns outgrew the domain");

function slot(d: Domain, index: u32): usize {
  return changetype<usize>(d) + HISTORY_OFFSET + ((<usize>(index & (HISTORY_SLOTS - 1))) << 3);
}

export class PodHistory {
  static record(d: Domain, gfn: u64, isSuper: bool): void {
    store<u64>(slot(d, d.podHistoryNext), (gfn + 1) | (isSuper ? HISTORY_SUPER : 0));
    d.podHistoryNext = (d.podHistoryNext + 1) & (HISTORY_SLOTS - 1);
  }

  /** Takes out the slot `age` places after the oldest: gfn + 1 with HISTORY_SUPER, 0 = empty. */
  static take(d: Domain, age: u32): u64 {
    const at = slot(d, d.podHistoryNext + age);
    const value = load<u64>(at);
    store<u64>(at, 0);
    return value;
  }
}
