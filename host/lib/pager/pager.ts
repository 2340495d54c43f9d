/**
 * A pager: puts pages of a guest away and brings them back when they are touched (spec 04 section 4.4). It may die between any two steps,
 * and another one takes over with the same store and ring: contents are never wrong. Three rules make that true:
 *
 * 1. A page is in the store before it is evicted. So what is out is in the store, and the store's last copy is what was evicted: the guest
 *    cannot write between nominate and evict, and evict refuses a page that was touched.
 * 2. What the store says about a page that is not out does not matter: the hypervisor says which pages are out (prep answers -ENOENT).
 * 3. A request is taken off the ring by its answer, which is the last step; all steps before it can be done twice.
 *
 * dom0's own mappings (device models) are not stopped by the page type. So a page is compared once more right before it is evicted, in
 * one go, without anybody else running in dom0. Data that cannot be brought back ends the domain: it is told, rather than lied to.
 */
import { SHUTDOWN_CRASH } from "../../../hv-core/abi/hypercalls.ts";
import {
  EV_PAGING_FLAGS,
  MEM_PAGING_DROP_PAGE,
  MEM_PAGING_EVICT_FAIL,
  VM_EVENT_MODE_PAGING,
} from "../../../hv-core/abi/vm-event.ts";
import { getField } from "../actors.ts";
import type { Dom0 } from "../dom0.ts";
import { HvError } from "../errors.ts";
import type { DomId } from "../ids.ts";
import { type ForeignWindow, readGuest } from "../toolstack/foreign.ts";
import { remoteShutdown } from "../toolstack/hvm.ts";
import { pagingEvict, pagingNominate, pagingPrep } from "../toolstack/vm-event.ts";
import { type Listener, openListener, type Request, takeOverListener } from "../vm-event/listener.ts";
import { PAGE_BYTES, type PageStore } from "./store.ts";

export interface PagerOptions {
  readonly dom0: Dom0;
  readonly window: ForeignWindow;
  readonly domid: DomId;
  readonly store: PageStore;
  /** Called before each step with its name: a test dies here. */
  readonly onStep?: (step: string) => void;
}

export interface Pager {
  readonly listener: Listener;
  /** Puts a page away. @returns false when it cannot be now: in use, no RAM, or touched meanwhile. */
  evict(gfn: number): boolean;
  /** Answers what waits on the ring. @returns how many requests. */
  serve(): number;
}

/** Times a page that dom0 writes is read again before it is left alone. */
const TRIES = 3;

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, i) => byte === b[i]);

/** Starts to page a domain, or goes on where a pager that died has stopped. @throws HvError what enabling the ring answers. */
export function createPager(options: PagerOptions): Pager {
  const { dom0, window, domid, store } = options;
  const step = options.onStep ?? (() => {});
  const listener =
    takeOverListener(dom0, domid, VM_EVENT_MODE_PAGING) ?? openListener(dom0, domid, VM_EVENT_MODE_PAGING);
  const read = (gfn: number): Uint8Array => readGuest(dom0, window, domid, gfn * PAGE_BYTES, PAGE_BYTES);

  /** The page is nominated: its contents are in the store when this is through. False = dom0 keeps writing to it. */
  function putAway(gfn: number): boolean {
    let data = read(gfn);
    for (let i = 0; i < TRIES; i++) {
      step("store");
      store.put(gfn, data);
      step("evict");
      const now = read(gfn);
      if (isSame(now, data)) return true;
      data = now;
    }
    return false;
  }

  function bringBack(gfn: number, isThere: boolean): void {
    step("load");
    const data = isThere ? undefined : store.get(gfn);
    step("prep");
    try {
      pagingPrep(dom0, domid, gfn, data);
    } catch (error) {
      // Out, and nothing is kept for it: whatever it reads would be wrong.
      if (!(error instanceof HvError) || error.code !== "EINVAL") throw error;
      remoteShutdown(dom0, domid, SHUTDOWN_CRASH);
    }
  }

  function serveOne(request: Request): void {
    const flags = getField(dom0.core, request.at, EV_PAGING_FLAGS);
    if ((flags & MEM_PAGING_DROP_PAGE) !== 0) store.forget(request.gfn);
    // prep also ends the way in of a page that kept its frame: the answer to another domain's request would not (S-11).
    else bringBack(request.gfn, (flags & MEM_PAGING_EVICT_FAIL) !== 0);
    step("answer");
    listener.respond(request, request.flags);
    step("forget");
    if ((flags & MEM_PAGING_EVICT_FAIL) === 0) store.forget(request.gfn);
    step("notify");
    listener.notify();
  }

  return {
    listener,
    evict(gfn) {
      step("nominate");
      if (!pagingNominate(dom0, domid, gfn)) return false;
      step("read");
      return putAway(gfn) && pagingEvict(dom0, domid, gfn);
    },
    serve() {
      let count = 0;
      for (let request = listener.next(); request; request = listener.next()) {
        step("take");
        serveOne(request);
        count++;
      }
      return count;
    },
  };
}
