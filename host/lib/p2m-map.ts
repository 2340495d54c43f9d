/**
 * The whole p2m of a domain as ranges: read from its EPT tables, without touching anything. Entries that wait for a recalculation
 * are shown with the type that is stored, and counted as pending.
 */
import { type Core, frameAddress } from "./core.ts";
import { decodeEpte, type Epte } from "./epte.ts";
import type { DomId } from "./ids.ts";
import { walk } from "./inspect.ts";

/** Pages with consecutive gfns that have everything in common; with frames, those are consecutive too. */
export interface P2mRange {
  readonly gfn: number;
  readonly pages: number;
  /** First machine frame, -1 when the type has none. */
  readonly mfn: number;
  readonly type: string;
  readonly access: string;
  readonly rights: string;
  readonly memoryType: string;
  /** Size of the entries. */
  readonly pageSize: "4K" | "2M" | "1G";
  /** To be recalculated at the next touch. */
  readonly isPending: boolean;
}

export interface P2mMap {
  readonly ranges: readonly P2mRange[];
  /** Pages by p2m type. */
  readonly pages: Readonly<Record<string, number>>;
  /** Entries by size. */
  readonly entries: Readonly<Record<"4K" | "2M" | "1G", number>>;
  /** Tables, the root included. */
  readonly tables: number;
  readonly pendingPages: number;
}

const SIZES = { 1: "4K", 2: "2M", 3: "1G" } as const;
const SUPPRESS_VE = 1n << 63n;
const NO_MFN = 0xff_ffff_ffff;

interface Collected {
  readonly ranges: P2mRange[];
  readonly pages: Record<string, number>;
  readonly entries: Record<"4K" | "2M" | "1G", number>;
  tables: number;
}

function addLeaf(into: Collected, e: Epte, gfn: number, level: 1 | 2 | 3, isPending: boolean): void {
  const pages = 512 ** (level - 1);
  const leaf: P2mRange = {
    gfn,
    pages,
    mfn: e.mfn === NO_MFN ? -1 : e.mfn,
    type: e.type,
    access: e.access,
    rights: e.rights,
    memoryType: e.isPresent ? e.emt : "-",
    pageSize: SIZES[level],
    isPending: isPending && e.isPresent,
  };
  into.pages[leaf.type] = (into.pages[leaf.type] ?? 0) + pages;
  into.entries[leaf.pageSize]++;
  const last = into.ranges.at(-1);
  if (last && isContinued(last, leaf)) into.ranges[into.ranges.length - 1] = { ...last, pages: last.pages + pages };
  else into.ranges.push(leaf);
}

function isContinued(range: P2mRange, leaf: P2mRange): boolean {
  return (
    range.gfn + range.pages === leaf.gfn &&
    (leaf.mfn < 0 ? range.mfn < 0 : range.mfn + range.pages === leaf.mfn) &&
    range.type === leaf.type &&
    range.access === leaf.access &&
    range.rights === leaf.rights &&
    range.memoryType === leaf.memoryType &&
    range.pageSize === leaf.pageSize &&
    range.isPending === leaf.isPending
  );
}

function addTable(core: Core, into: Collected, mfn: number, level: number, gfn: number, isPending: boolean): void {
  into.tables++;
  const at = frameAddress(mfn);
  for (let i = 0; i < 512; i++) {
    const raw = core.view.getBigUint64(at + i * 8, true);
    if ((raw & ~SUPPRESS_VE) === 0n) continue;
    const e = decodeEpte(raw);
    const pending = isPending || e.isInvalidated;
    const first = gfn + i * 512 ** (level - 1);
    if (level === 1 || e.leaf) addLeaf(into, e, first, level as 1 | 2 | 3, pending);
    else if (e.isPresent && e.mfn < core.frameCount) addTable(core, into, e.mfn, level - 1, first, pending);
  }
}

/** Undefined when there is no such domain. */
export function readP2m(core: Core, domid: DomId): P2mMap | undefined {
  const root = walk(core, domid, 0)[0];
  if (!root) return undefined;
  const into: Collected = { ranges: [], pages: {}, entries: { "4K": 0, "2M": 0, "1G": 0 }, tables: 0 };
  addTable(core, into, root.tableMfn, 4, 0, false);
  const pendingPages = into.ranges.reduce((sum, r) => sum + (r.isPending ? r.pages : 0), 0);
  return { ...into, pendingPages };
}
