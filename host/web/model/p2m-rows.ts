/** The ranges of a p2m as rows of a picture: neighbours share a row, holes have one of their own. Pure arithmetic. */
import type { P2mRange } from "../../lib/p2m-map.ts";

export interface MapSegment {
  readonly range: P2mRange;
  /** Place in the row, 0..1 of the widest row. */
  readonly from: number;
  readonly to: number;
}

export type MapRow =
  | { readonly kind: "hole"; readonly gfn: number; readonly pages: number }
  | {
      readonly kind: "ranges";
      readonly gfn: number;
      readonly pages: number;
      /** 0..1: rows grow with the logarithm of their size, or 4 KiB beside 64 MiB could not be seen. */
      readonly width: number;
      readonly segments: readonly MapSegment[];
    };

/** Segments of one row: many small ones get rows of their own rather than lines nobody can hit. */
const MOST_IN_ROW = 24;
/** Every segment has at least this part of its row. */
const LEAST = 0.02;

export function mapRows(ranges: readonly P2mRange[]): MapRow[] {
  const groups: P2mRange[][] = [];
  for (const range of ranges) {
    const last = groups.at(-1);
    const before = last?.at(-1);
    if (last && before && before.gfn + before.pages === range.gfn && last.length < MOST_IN_ROW) last.push(range);
    else groups.push([range]);
  }
  const pagesOf = (group: readonly P2mRange[]): number => group.reduce((sum, r) => sum + r.pages, 0);
  const widest = Math.log2(Math.max(1, ...groups.map(pagesOf)) + 1);
  const rows: MapRow[] = [];
  let next = 0;
  for (const group of groups) {
    const { gfn } = group[0]!;
    if (gfn > next) rows.push({ kind: "hole", gfn: next, pages: gfn - next });
    const pages = pagesOf(group);
    const width = Math.max(0.06, Math.log2(pages + 1) / widest);
    rows.push({ kind: "ranges", gfn, pages, width, segments: segmentsOf(group, pages, width) });
    next = gfn + pages;
  }
  return rows;
}

/** Shares of the row by size, none below LEAST of it. */
function segmentsOf(group: readonly P2mRange[], pages: number, width: number): MapSegment[] {
  const shares = group.map((r) => Math.max(LEAST, r.pages / pages));
  const sum = shares.reduce((a, b) => a + b, 0);
  let from = 0;
  return group.map((range, i) => {
    const to = from + (shares[i]! / sum) * width;
    const segment = { range, from, to };
    from = to;
    return segment;
  });
}
