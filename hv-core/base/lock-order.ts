/**
 * Lock order (abi/lock-order.ts), checked in debug and race builds whenever a lock is taken: who holds a lock of the same domain with the
 * same or a higher order may not. Nothing is kept for it: a lock word names its owner.
 */
import { KNOB_LOCK_ORDER } from "../abi/knobs";
import {
  DOMAIN_SIZE,
  DOMAINS_BASE,
  IOREQ_SERVER_SIZE,
  IOREQ_SERVERS_BASE,
  MAX_DOMAINS,
  MAX_IOREQ_SERVERS_TOTAL,
} from "../abi/layout";
import {
  LOCK_BUFFERED_OFFSET,
  LOCK_EVTCHN_OFFSET,
  LOCK_GRANT_OFFSET,
  LOCK_IOREQ_OFFSET,
  LOCK_P2M_IOREQ_OFFSET,
  LOCK_P2M_OFFSET,
  LOCK_PAGING_OFFSET,
  LOCK_POD_OFFSET,
  ORDER_BUFFERED,
  ORDER_EVTCHN,
  ORDER_GRANT,
  ORDER_IOREQ,
  ORDER_P2M,
  ORDER_P2M_IOREQ,
  ORDER_PAGING,
  ORDER_POD,
} from "../abi/lock-order";
import { Machine } from "./machine";
import { Variant } from "./variant";

/** Order of the lock at an offset of a domain's record; 0 = none is there. */
function orderAt(offset: u32): u32 {
  switch (offset) {
    case LOCK_IOREQ_OFFSET:
      return ORDER_IOREQ;
    case LOCK_P2M_OFFSET:
      return ORDER_P2M;
    case LOCK_P2M_IOREQ_OFFSET:
      return ORDER_P2M_IOREQ;
    case LOCK_POD_OFFSET:
      return ORDER_POD;
    case LOCK_PAGING_OFFSET:
      return ORDER_PAGING;
    case LOCK_EVTCHN_OFFSET:
      return ORDER_EVTCHN;
    case LOCK_GRANT_OFFSET:
      return ORDER_GRANT;
    default:
      return 0;
  }
}

function orderOf(word: usize): u32 {
  if (word - DOMAINS_BASE < <usize>(MAX_DOMAINS * DOMAIN_SIZE))
    return orderAt(<u32>(word - DOMAINS_BASE) % DOMAIN_SIZE);
  if (word - IOREQ_SERVERS_BASE < <usize>(MAX_IOREQ_SERVERS_TOTAL * IOREQ_SERVER_SIZE)) return ORDER_BUFFERED;
  return 0;
}

/** Whether `me` holds a lock other than `word` of order `order` or more. */
function holds(base: usize, offset: u32, word: usize, order: u32, me: u32): bool {
  const at = base + offset;
  return at != word && (load<u32>(at) & 0xffff) == me && orderAt(offset) >= order;
}

function holdsAny(base: usize, word: usize, order: u32, me: u32): bool {
  return (
    holds(base, LOCK_IOREQ_OFFSET, word, order, me) ||
    holds(base, LOCK_P2M_OFFSET, word, order, me) ||
    holds(base, LOCK_P2M_IOREQ_OFFSET, word, order, me) ||
    holds(base, LOCK_POD_OFFSET, word, order, me) ||
    holds(base, LOCK_PAGING_OFFSET, word, order, me) ||
    holds(base, LOCK_EVTCHN_OFFSET, word, order, me) ||
    holds(base, LOCK_GRANT_OFFSET, word, order, me)
  );
}

export class LockOrder {
  /**
   * Whether processor `me` may take the lock at `word`, which it does not hold. Other domains' locks are not looked at: a caller's own
   * p2m comes after those of the domain it works on.
   */
  static allows(word: usize, me: u32): bool {
    const order = orderOf(word);
    if (order == 0 || Variant.is(KNOB_LOCK_ORDER, 1)) return true;
    if (order == <u32>ORDER_BUFFERED) return true; // of several servers only one is used at a time
    const domain = word - ((word - DOMAINS_BASE) % DOMAIN_SIZE);
    if (holdsAny(domain, word, order, me)) return false;
    const servers = Machine.get().ioreqServerMark;
    for (let i: u32 = 0; i < servers; i++) {
      const at = IOREQ_SERVERS_BASE + <usize>i * IOREQ_SERVER_SIZE + LOCK_BUFFERED_OFFSET;
      if ((load<u32>(at) & 0xffff) == me && <u32>ORDER_BUFFERED >= order) return false;
    }
    return true;
  }
}
