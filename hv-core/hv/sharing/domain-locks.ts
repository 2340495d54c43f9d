/**
 * The p2m locks of several domains, in ascending order of their ids (isLockedBefore) (knob sharing.thirdDomain=fixed). Two lists of slots lie in the
 * hypercall's scratch memory, in the part that travels with a continuation: those to be locked, sorted, and those found missing.
 */
import { Domain } from "../domain";
import { Scratch } from "../hypercall/guest-copy";
import { P2m } from "../p2m/p2m";
import { isLockedBefore } from "./two-gfns";

/** Domains that one call can lock. */
const CAPACITY: u32 = 60;
const LIST_BYTES: usize = 0x80;

/** {count u32, slots u16[60]}. */
class Slots {
  @inline static get locked(): usize {
    return Scratch.at + 0x300;
  }

  @inline static get missing(): usize {
    return Scratch.at + 0x300 + LIST_BYTES;
  }

  @inline static count(list: usize): u32 {
    return load<u32>(list);
  }

  @inline static at(list: usize, i: u32): u32 {
    return load<u16>(list + 4 + ((<usize>i) << 1));
  }

  static has(list: usize, slot: u32): bool {
    for (let i: u32 = 0; i < Slots.count(list); i++) if (Slots.at(list, i) == slot) return true;
    return false;
  }

  /** Puts a slot into the list, in the order of domain ids. False when it is full. */
  static put(list: usize, slot: u32): bool {
    if (Slots.has(list, slot)) return true;
    const count = Slots.count(list);
    if (count == CAPACITY) return false;
    const d = Domain.at(slot);
    let i = count;
    for (; i != 0 && isLockedBefore(d, Domain.at(Slots.at(list, i - 1))); i--)
      store<u16>(list + 4 + ((<usize>i) << 1), <u16>Slots.at(list, i - 1));
    store<u16>(list + 4 + ((<usize>i) << 1), <u16>slot);
    store<u32>(list, count + 1);
    return true;
  }
}

export class DomainLocks {
  static clear(): void {
    memory.fill(Slots.locked, 0, 2 * LIST_BYTES);
  }

  /** Is to be locked at the next `acquire`. */
  static add(slot: u32): void {
    Slots.put(Slots.locked, slot);
  }

  @inline static has(slot: u32): bool {
    return Slots.has(Slots.locked, slot);
  }

  /** Is missing: after `grow` it belongs to the set. */
  static want(slot: u32): void {
    Slots.put(Slots.missing, slot);
  }

  /** The missing ones join, while nothing is locked. False when there are too many. */
  static grow(): bool {
    let fits = true;
    for (let i: u32 = 0; i < Slots.count(Slots.missing); i++)
      if (!Slots.put(Slots.locked, Slots.at(Slots.missing, i))) fits = false;
    memory.fill(Slots.missing, 0, LIST_BYTES);
    return fits;
  }

  static acquire(): void {
    for (let i: u32 = 0; i < Slots.count(Slots.locked); i++) P2m.lock(Domain.at(Slots.at(Slots.locked, i)));
  }

  static release(): void {
    for (let i = Slots.count(Slots.locked); i != 0; i--) P2m.unlock(Domain.at(Slots.at(Slots.locked, i - 1)));
  }
}
