/**
 * Which domains there are: a hash by id for those who know it, and a list in the order of ids for those who ask for all (Xen's
 * domain_hash and domain_list). A domain is in both from its creation until its last frame has come back.
 */
import { DOMAIN_HASH_BASE, DOMAIN_HASH_BUCKETS, MAX_DOMAINS } from "../../abi/layout";
import { Machine } from "../../base/machine";
import { DOMAIN_FREE, Domain, NO_SLOT } from "../domain";

export class DomainTable {
  @inline static bucket(domid: u32): usize {
    return DOMAIN_HASH_BASE + <usize>(domid % DOMAIN_HASH_BUCKETS) * 2;
  }

  /** The lowest free slot, NO_SLOT when the machine is full. */
  static freeSlot(): u32 {
    const m = Machine.get();
    for (let slot = m.freeSlotHint; slot < <u32>MAX_DOMAINS; slot++) {
      if (Domain.at(slot).state != DOMAIN_FREE) continue;
      m.freeSlotHint = slot;
      return slot;
    }
    return NO_SLOT;
  }

  /** The domain with the lowest id, and the one after `d`; 0 = none. */
  @inline static first(): usize {
    const first = Machine.get().domainList;
    return first == 0 ? 0 : changetype<usize>(Domain.at(first - 1));
  }

  @inline static after(d: Domain): usize {
    return d.nextInList == 0 ? 0 : changetype<usize>(Domain.at(d.nextInList - 1));
  }

  /** The domain after which one with this id comes, 0 = it comes first. Ids mostly rise by one: then nothing is walked. */
  static before(domid: u32): usize {
    const neighbour = domid == 0 ? 0 : Domain.find(domid - 1);
    if (neighbour != 0) return neighbour;
    let before: usize = 0;
    let at = DomainTable.first();
    while (at != 0 && changetype<Domain>(at).domid < domid) {
      before = at;
      at = DomainTable.after(changetype<Domain>(at));
    }
    return before;
  }

  /** `d` has its slot and id, and nobody else has that id. */
  static insert(d: Domain): void {
    const bucket = DomainTable.bucket(d.domid);
    d.nextInHash = load<u16>(bucket);
    store<u16>(bucket, <u16>(d.slot + 1));
    const m = Machine.get();
    const before = DomainTable.before(d.domid);
    if (before == 0) {
      d.nextInList = m.domainList;
      m.domainList = d.slot + 1;
    } else {
      d.nextInList = changetype<Domain>(before).nextInList;
      changetype<Domain>(before).nextInList = d.slot + 1;
    }
    if (d.slot >= m.domainMark) m.domainMark = d.slot + 1;
  }

  /** The slot is free afterwards. */
  static remove(d: Domain): void {
    const m = Machine.get();
    const before = DomainTable.before(d.domid);
    if (before == 0) m.domainList = d.nextInList;
    else changetype<Domain>(before).nextInList = d.nextInList;
    const bucket = DomainTable.bucket(d.domid);
    const mine = d.slot + 1;
    if (<u32>load<u16>(bucket) == mine) {
      store<u16>(bucket, <u16>d.nextInHash);
    } else {
      let other = Domain.at(<u32>load<u16>(bucket) - 1);
      while (other.nextInHash != mine) other = Domain.at(other.nextInHash - 1);
      other.nextInHash = d.nextInHash;
    }
    d.nextInHash = 0;
    d.nextInList = 0;
    d.state = DOMAIN_FREE;
    if (d.slot < m.freeSlotHint) m.freeSlotHint = d.slot;
  }
}
