/**
 * The p2m locks of any number of domains, in ascending order of their ids (knob sharing.thirdDomain=fixed). The set lies in the
 * hypercall's scratch memory, in the part that travels with a continuation: {locked, wanted}, one bit for each domain slot.
 */
import { MAX_DOMAINS } from "../../abi/layout";
import { DOMAIN_FREE, Domain } from "../domain";
import { Scratch } from "../hypercall/guest-copy";
import { P2m } from "../p2m/p2m";

const BYTES: u32 = MAX_DOMAINS >> 3;
const NO_DOMID: u32 = 0xffff_ffff;

class Sets {
  @inline static get locked(): usize {
    return Scratch.at + 0x300;
  }

  @inline static get wanted(): usize {
    return Scratch.at + 0x300 + BYTES;
  }

  @inline static has(set: usize, slot: u32): bool {
    return ((load<u8>(set + (slot >> 3)) >> (slot & 7)) & 1) != 0;
  }

  @inline static put(set: usize, slot: u32): void {
    const at = set + (slot >> 3);
    store<u8>(at, load<u8>(at) | ((<u8>1) << (<u8>slot & 7)));
  }
}

/** The member with the smallest id above `domid`, 0 = none. */
function nextOf(domid: u32, isFirst: bool): usize {
  let best: usize = 0;
  let bestId = NO_DOMID;
  for (let slot: u32 = 0; slot < <u32>MAX_DOMAINS; slot++) {
    if (!Sets.has(Sets.locked, slot)) continue;
    const d = Domain.at(slot);
    if (d.state == DOMAIN_FREE || d.domid >= bestId || (!isFirst && d.domid <= domid)) continue;
    best = changetype<usize>(d);
    bestId = d.domid;
  }
  return best;
}

export class DomainLocks {
  static clear(): void {
    memory.fill(Sets.locked, 0, 2 * BYTES);
  }

  /** Is to be locked at the next `acquire`. */
  static add(slot: u32): void {
    Sets.put(Sets.locked, slot);
  }

  /** Is missing: after `grow` it belongs to the set. */
  static want(slot: u32): void {
    Sets.put(Sets.wanted, slot);
  }

  static has(slot: u32): bool {
    return Sets.has(Sets.locked, slot);
  }

  /** The missing ones join. Nothing is locked now. */
  static grow(): void {
    for (let i: u32 = 0; i < BYTES; i++)
      store<u8>(Sets.locked + i, load<u8>(Sets.locked + i) | load<u8>(Sets.wanted + i));
    memory.fill(Sets.wanted, 0, BYTES);
  }

  static acquire(): void {
    for (let at = nextOf(0, true); at != 0; at = nextOf(changetype<Domain>(at).domid, false))
      P2m.lock(changetype<Domain>(at));
  }

  static release(): void {
    for (let at = nextOf(0, true); at != 0; at = nextOf(changetype<Domain>(at).domid, false))
      P2m.unlock(changetype<Domain>(at));
  }
}
