/** XENMEM_* calls of the toolstack (spec 08 section 8.2, spec 03 section 3.3). */
import {
  DOMID_SELF,
  HC_MEMORY_OP,
  XENMAPSPACE_GMFN_FOREIGN,
  XENMEM_ACQUIRE_RESOURCE,
  XENMEM_ADD_TO_PHYSMAP_BATCH,
  XENMEM_POPULATE_PHYSMAP,
  XENMEM_RESOURCE_IOREQ_SERVER,
  XENMEM_SET_MEMORY_MAP,
} from "../../../hv-core/abi/hypercalls.ts";
import { type Dom0, hypercall, withBuffer } from "../dom0.ts";
import { check, HvError } from "../errors.ts";
import type { DomId, Gfn, ServerId } from "../ids.ts";

const setU64 = (view: DataView, at: number, value: number): void => {
  view.setUint32(at, value % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
};

/** Extents per call: the list has to fit the bounce arena. */
const BATCH = 512;

/**
 * Gives a domain RAM at `gfns`, each the start of 2^order pages.
 * @returns how many extents were done; fewer than asked means no frame (of that order) is left.
 */
export function populatePhysmap(dom0: Dom0, domid: DomId, gfns: readonly number[], order: number): number {
  let done = 0;
  while (done < gfns.length) {
    const part = gfns.slice(done, done + BATCH);
    const count = withBuffer(dom0, 32 + part.length * 8, ({ gpa, at }) => {
      const { view } = dom0.core;
      setU64(view, at, gpa + 32);
      setU64(view, at + 8, part.length);
      view.setUint32(at + 16, order, true);
      view.setUint16(at + 24, domid, true);
      for (let i = 0; i < part.length; i++) setU64(view, at + 32 + i * 8, part[i]!);
      return check(hypercall(dom0, HC_MEMORY_OP, XENMEM_POPULATE_PHYSMAP, gpa), "XENMEM_populate_physmap");
    });
    done += count;
    if (count < part.length) break;
  }
  return done;
}

/** Maps `count` pages of another domain, from `foreign` on, into dom0 from `gfn` on. @throws HvError for the first page that failed. */
export function mapForeign(dom0: Dom0, domid: DomId, foreign: number, gfn: Gfn, count: number): void {
  for (let first = 0; first < count; first += BATCH) {
    const part = Math.min(BATCH, count - first);
    const idxs = 32;
    const gpfns = idxs + part * 8;
    const errs = gpfns + part * 8;
    withBuffer(dom0, errs + part * 4, ({ gpa, at }) => {
      const { view } = dom0.core;
      view.setUint16(at, DOMID_SELF, true);
      view.setUint16(at + 2, XENMAPSPACE_GMFN_FOREIGN, true);
      view.setUint16(at + 4, part, true);
      view.setUint16(at + 6, domid, true);
      setU64(view, at + 8, gpa + idxs);
      setU64(view, at + 16, gpa + gpfns);
      setU64(view, at + 24, gpa + errs);
      for (let i = 0; i < part; i++) {
        setU64(view, at + idxs + i * 8, foreign + first + i);
        setU64(view, at + gpfns + i * 8, gfn + first + i);
      }
      check(hypercall(dom0, HC_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP_BATCH, gpa), "XENMEM_add_to_physmap_batch");
      for (let i = 0; i < part; i++) {
        const error = dom0.core.view.getInt32(at + errs + i * 4, true);
        check(error, `XENMEM_add_to_physmap_batch(gfn 0x${(foreign + first + i).toString(16)} of domain ${domid})`);
      }
    });
  }
}

/** Maps a page of an ioreq server into dom0: frame 0 = buffered ring, 1 = synchronous slots. */
export function acquireIoreqPage(dom0: Dom0, domid: DomId, server: ServerId, frame: 0 | 1, gfn: Gfn): void {
  withBuffer(dom0, 40, ({ gpa, at }) => {
    const { view } = dom0.core;
    view.setUint16(at, domid, true);
    view.setUint16(at + 2, XENMEM_RESOURCE_IOREQ_SERVER, true);
    view.setUint32(at + 4, server, true);
    view.setUint32(at + 8, 1, true);
    view.setUint32(at + 16, frame, true);
    setU64(view, at + 24, gpa + 32);
    setU64(view, at + 32, gfn);
    check(hypercall(dom0, HC_MEMORY_OP, XENMEM_ACQUIRE_RESOURCE, gpa), "XENMEM_acquire_resource(ioreq_server)");
  });
}

export interface MemoryMapEntry {
  readonly base: number;
  readonly size: number;
  /** 1 RAM, 2 reserved, 3 ACPI. */
  readonly type: number;
}

/** Gives the domain the map that XENMEM_memory_map will show it: e820 entries of 20 bytes. */
export function setMemoryMap(dom0: Dom0, domid: DomId, map: readonly MemoryMapEntry[]): void {
  const entries = 32;
  withBuffer(dom0, entries + map.length * 20, ({ gpa, at }) => {
    const { view } = dom0.core;
    view.setUint16(at, domid, true);
    view.setUint32(at + 8, map.length, true);
    setU64(view, at + 16, gpa + entries);
    map.forEach((entry, i) => {
      const to = at + entries + i * 20;
      setU64(view, to, entry.base);
      setU64(view, to + 8, entry.size);
      view.setUint32(to + 16, entry.type, true);
    });
    check(hypercall(dom0, HC_MEMORY_OP, XENMEM_SET_MEMORY_MAP, gpa), "XENMEM_set_memory_map");
  });
}

/** Like populatePhysmap, but running out of frames is an error. */
export function populateAll(dom0: Dom0, domid: DomId, gfns: readonly number[], what: string): void {
  const done = populatePhysmap(dom0, domid, gfns, 0);
  if (done !== gfns.length)
    throw new HvError("ENOMEM", `XENMEM_populate_physmap(${what})`, {
      hint: `${done} of ${gfns.length} pages: create the machine with more frames`,
    });
}
