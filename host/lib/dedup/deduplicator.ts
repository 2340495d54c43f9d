/**
 * Finds equal pages of several guests and shares them, while the guests run (spec 04 section 4.2).
 *
 * The order is what makes it safe. A page that is nominated cannot be written without losing its handle. So: find candidates by a hash,
 * which may be out of date the next moment; nominate both; only *then* compare; then share by the two handles. A write between any two
 * of these steps makes a handle void and the share fails: there is no moment at which contents can be lost. Comparing first would leave one
 * (race "dedup-hash-then-share").
 */
import { EINVAL, ESRCH } from "../../../hv-core/abi/errno.ts";
import { SHARING_S_HANDLE_INVALID } from "../../../hv-core/abi/hypercalls.ts";
import { P2M_RAM_RW } from "../../../hv-core/abi/p2m-types.ts";
import type { Dom0 } from "../dom0.ts";
import type { DomId } from "../ids.ts";
import {
  allocSharingOp,
  handleOf,
  nominateGfn,
  type PageOf,
  type SharingOp,
  shareGfns,
  sharingControl,
} from "../toolstack/sharing.ts";
import { frameOf, hashFrame, isEqualFrame, visitPages } from "./pages.ts";

/** The source's handle is void: it was written; or its domain is gone or dying. */
const isSourceGone = (rc: number): boolean => rc === SHARING_S_HANDLE_INVALID || rc === -ESRCH || rc === -EINVAL;

/** A shared frame and who shows it. */
interface Group {
  source: PageOf;
  handle: bigint;
  mfn: number;
  sharers: number;
  /** Other pages that showed it when they were shared: one of them is the next source. */
  readonly spares: PageOf[];
}

export interface DedupOptions {
  /**
   * Most gfns on one frame. Each unshare looks for its record in the frame's reverse map, 256 chains however many there are: a limit
   * keeps writes fast. Default 4096.
   */
  readonly maxSharers?: number;
}

export interface ScanResult {
  /** Pages whose contents were looked at, and those that were shared. */
  readonly scanned: number;
  readonly shared: number;
  /** Pages that could not be nominated: mapped by somebody, or special. */
  readonly refused: number;
}

export interface Deduplicator {
  /** Looks at every page of these guests that is not shared, and shares what is equal to a page seen before. */
  scan(domids: readonly DomId[]): ScanResult;
  /** Forgets what it knows about a domain that is gone. */
  forget(domid: DomId): void;
}

const MAX_SPARES = 16;

export function createDeduplicator(dom0: Dom0, options: DedupOptions = {}): Deduplicator {
  const { core } = dom0;
  const maxSharers = options.maxSharers ?? 4096;
  const groups = new Map<number, Group[]>();
  const enabled = new Set<DomId>();
  let shared = 0;
  let refused = 0;

  /** @returns the page's handle; undefined when it cannot be shared. */
  function nominate(op: SharingOp, page: PageOf): bigint | undefined {
    const rc = nominateGfn(dom0, op, page);
    if (rc === 0) return handleOf(op);
    refused++;
    return undefined;
  }

  /** The source was written: somebody else who still shows the frame takes its place. */
  function nextSource(op: SharingOp, group: Group): boolean {
    for (let spare = group.spares.pop(); spare; spare = group.spares.pop()) {
      // An answer with the old handle means that this page still shows the frame: handles are never used twice.
      if (nominateGfn(dom0, op, spare) === 0 && handleOf(op) === group.handle) {
        group.source = spare;
        return true;
      }
    }
    return false;
  }

  /** @returns whether the page shows the group's frame now; undefined when the group is of no use any more. */
  function join(op: SharingOp, group: Group, page: PageOf, handle: bigint): boolean | undefined {
    // Both are nominated by now: what is equal here stays so for as long as the handles are good.
    if (group.sharers >= maxSharers || !isEqualFrame(core, group.mfn, frameOf(core, page.domid, page.gfn)))
      return false;
    const attempt = (): number => shareGfns(dom0, op, group.source, group.handle, page, handle);
    let rc = attempt();
    while (isSourceGone(rc) && nextSource(op, group)) rc = attempt();
    if (isSourceGone(rc)) return undefined;
    if (rc !== 0) return false;
    group.sharers++;
    if (group.spares.length < MAX_SPARES) group.spares.push(page);
    shared++;
    return true;
  }

  /** Both are nominated, in this order: then they are compared and shared, or left alone. */
  function pair(op: SharingOp, key: number, first: PageOf, second: PageOf): void {
    const source = nominate(op, first);
    if (source === undefined) return;
    const handle = nominate(op, second);
    if (handle === undefined) return;
    const mfn = frameOf(core, first.domid, first.gfn);
    const group: Group = { source: first, handle: source, mfn, sharers: 1, spares: [] };
    if (join(op, group, second, handle) !== true) return;
    const known = groups.get(key);
    if (known) known.push(group);
    else groups.set(key, [group]);
  }

  function offer(op: SharingOp, key: number, page: PageOf, waiting: Map<number, PageOf>): void {
    const known = groups.get(key);
    if (known?.some((group) => group.sharers < maxSharers)) {
      const handle = nominate(op, page);
      if (handle === undefined) return;
      for (let i = known.length - 1; i >= 0; i--) {
        const joined = join(op, known[i]!, page, handle);
        if (joined === true) return;
        if (joined === undefined) known.splice(i, 1);
      }
      if (known.length === 0) groups.delete(key);
    }
    const other = waiting.get(key);
    if (!other) {
      waiting.set(key, page);
      return;
    }
    waiting.delete(key);
    pair(op, key, other, page);
  }

  return {
    scan(domids) {
      using op = allocSharingOp(dom0);
      const before = { shared, refused };
      /** Unshared pages of this scan that nobody equals so far. */
      const waiting = new Map<number, PageOf>();
      let scanned = 0;
      for (const domid of domids) {
        if (!enabled.has(domid)) {
          sharingControl(dom0, domid, true);
          enabled.add(domid);
        }
        const pages: [gfn: number, mfn: number][] = [];
        visitPages(core, domid, (gfn, mfn, type) => {
          if (type === P2M_RAM_RW) pages.push([gfn, mfn]);
        });
        scanned += pages.length;
        for (const [gfn, mfn] of pages) offer(op, hashFrame(core, mfn), { domid, gfn }, waiting);
      }
      return { scanned, shared: shared - before.shared, refused: refused - before.refused };
    },
    forget(domid) {
      enabled.delete(domid);
      for (const list of groups.values())
        for (const group of list)
          for (let i = group.spares.length - 1; i >= 0; i--)
            if (group.spares[i]!.domid === domid) group.spares.splice(i, 1);
    },
  };
}
