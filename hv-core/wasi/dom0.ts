/**
 * dom0's side of door 2 in the command module: the same calls with the same arguments as host/lib/dom0.ts makes, so that both
 * builds leave the same trace. dom0's RAM: page 0 unused, page 1 the arguments of event sends, then the arena (arena.ts);
 * mappings go to gfns above its RAM.
 */
import {
  DOMID_SELF,
  EVTCHNOP_ALLOC_UNBOUND,
  EVTCHNOP_BIND_INTERDOMAIN,
  EVTCHNOP_BIND_VIRQ,
  EVTCHNOP_SEND,
  HC_EVENT_CHANNEL_OP,
  HC_MEMORY_OP,
  XENMAPSPACE_SHARED_INFO,
  XENMEM_ADD_TO_PHYSMAP,
  XENMEM_REMOVE_FROM_PHYSMAP,
} from "../abi/hypercalls";
import { FRAMES_BASE, PAGE_SHIFT, PAGE_SIZE } from "../abi/layout";
import { dom0Mfn, hypercall } from "../run/dom0";
import { Arena } from "./arena";
import { WASI_STATE_BASE } from "./state";

export const DOM0_PAGES: u32 = 64;
const ARENA_FIRST_PAGE: u32 = 2;
const HOT_PAGE: u32 = 1;

/** Offsets in shared_info, 64-bit layout (spec 08 section 8.4). */
const PENDING_SEL: usize = 8;
const EVTCHN_PENDING: usize = 2048;
const EVTCHN_MASK: usize = 2560;

@unmanaged
class Dom0State {
  nextGfn: u32;
  ramAt: u32;
  sharedInfoAt: u32;
}

export class Dom0 {
  @inline static state(): Dom0State {
    return changetype<Dom0State>(WASI_STATE_BASE);
  }

  static call(nr: u32, a1: u32, a2: u32, a3: u32): i32 {
    return hypercall(nr, a1, a2, a3, 0, 0);
  }

  /** Linear address of a guest-physical address in dom0's RAM. */
  @inline static at(gpa: u32): usize {
    return <usize>Dom0.state().ramAt + gpa;
  }

  @inline private static pagesOf(bytes: u32): u32 {
    return bytes == 0 ? 1 : (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
  }

  /** A zeroed block of the arena: its guest-physical address. Page 0, which is nobody's, when there is none left. */
  static take(bytes: u32): u32 {
    const pages = Dom0.pagesOf(bytes);
    const first = Arena.take(pages, DOM0_PAGES - ARENA_FIRST_PAGE);
    if (first < 0) return 0;
    const gpa = (ARENA_FIRST_PAGE + <u32>first) << PAGE_SHIFT;
    memory.fill(Dom0.at(gpa), 0, pages << PAGE_SHIFT);
    return gpa;
  }

  static release(gpa: u32, bytes: u32): void {
    if (gpa != 0) Arena.release((gpa >> PAGE_SHIFT) - ARENA_FIRST_PAGE, Dom0.pagesOf(bytes));
  }

  static takeGfns(count: u32): u32 {
    const s = Dom0.state();
    const gfn = s.nextGfn;
    s.nextGfn += count;
    return gfn;
  }

  /** Linear address of a page mapped at dom0's `gfn`, 0 = nothing there. */
  static mapped(gfn: u32): usize {
    const mfn = dom0Mfn(gfn);
    return mfn == 0 ? 0 : FRAMES_BASE + ((<usize>mfn) << PAGE_SHIFT);
  }

  static init(): i32 {
    const s = Dom0.state();
    s.nextGfn = DOM0_PAGES;
    s.ramAt = <u32>(FRAMES_BASE + ((<usize>dom0Mfn(0)) << PAGE_SHIFT));
    const gfn = Dom0.takeGfns(1);
    const gpa = Dom0.take(24);
    const at = Dom0.at(gpa);
    store<u16>(at, DOMID_SELF);
    store<u32>(at, XENMAPSPACE_SHARED_INFO, 4);
    store<u64>(at, gfn, 16);
    const error = Dom0.call(HC_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP, gpa, 0);
    Dom0.release(gpa, 24);
    s.sharedInfoAt = <u32>Dom0.mapped(gfn);
    return error;
  }

  static unmap(gfn: u32): i32 {
    const gpa = Dom0.take(16);
    store<u16>(Dom0.at(gpa), DOMID_SELF);
    store<u64>(Dom0.at(gpa), gfn, 8);
    const error = Dom0.call(HC_MEMORY_OP, XENMEM_REMOVE_FROM_PHYSMAP, gpa, 0);
    Dom0.release(gpa, 16);
    return error;
  }

  // --- events ---

  /** A new port in `domid` that dom0 may bind; negative errno. */
  static allocUnbound(domid: u32): i32 {
    const gpa = Dom0.take(8);
    store<u16>(Dom0.at(gpa), <u16>domid);
    const error = Dom0.call(HC_EVENT_CHANNEL_OP, EVTCHNOP_ALLOC_UNBOUND, gpa, 0);
    const port = load<i32>(Dom0.at(gpa), 4);
    Dom0.release(gpa, 8);
    return error < 0 ? error : port;
  }

  static bindInterdomain(domid: u32, remotePort: u32): i32 {
    const gpa = Dom0.take(12);
    store<u16>(Dom0.at(gpa), <u16>domid);
    store<u32>(Dom0.at(gpa), remotePort, 4);
    const error = Dom0.call(HC_EVENT_CHANNEL_OP, EVTCHNOP_BIND_INTERDOMAIN, gpa, 0);
    const port = load<i32>(Dom0.at(gpa), 8);
    Dom0.release(gpa, 12);
    return error < 0 ? error : port;
  }

  static bindVirq(virq: u32): i32 {
    const gpa = Dom0.take(12);
    store<u32>(Dom0.at(gpa), virq);
    const error = Dom0.call(HC_EVENT_CHANNEL_OP, EVTCHNOP_BIND_VIRQ, gpa, 0);
    const port = load<i32>(Dom0.at(gpa), 8);
    Dom0.release(gpa, 12);
    return error < 0 ? error : port;
  }

  static send(port: u32): void {
    store<u32>(Dom0.at(HOT_PAGE << PAGE_SHIFT), port);
    Dom0.call(HC_EVENT_CHANNEL_OP, EVTCHNOP_SEND, HOT_PAGE << PAGE_SHIFT, 0);
  }

  @inline static isEventPending(): bool {
    return load<u8>(<usize>Dom0.state().sharedInfoAt) != 0;
  }

  /** Clears the upcall; after it, takePort() yields the pending ports. */
  static acknowledge(): void {
    store<u8>(<usize>Dom0.state().sharedInfoAt, 0);
  }

  /** The lowest pending unmasked port, cleared; -1 = none. The selector word is taken port by port. */
  static takePort(): i32 {
    const info = <usize>Dom0.state().sharedInfoAt;
    let selector = load<u64>(info, PENDING_SEL);
    while (selector != 0) {
      const word = <usize>ctz<u64>(selector);
      const at = info + (word << 3);
      const pending = load<u64>(at, EVTCHN_PENDING);
      const ready = pending & ~load<u64>(at, EVTCHN_MASK);
      if (ready == 0) {
        selector &= selector - 1;
        store<u64>(info, selector, PENDING_SEL);
        continue;
      }
      const bit = ctz<u64>(ready);
      store<u64>(at, pending & ~((<u64>1) << bit), EVTCHN_PENDING);
      return <i32>(((<u64>word) << 6) + bit);
    }
    return -1;
  }
}
