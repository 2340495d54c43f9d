/** A p2m for people: one line for each range, then sums. */
import type { P2mMap, P2mRange } from "../p2m-map.ts";

const hex = (n: number): string => `0x${n.toString(16)}`;

/** "64K", "2M", "1G": of so many pages of 4 KiB. */
export function pagesText(pages: number): string {
  const kib = pages * 4;
  if (kib % 2 ** 20 === 0) return `${kib / 2 ** 20}G`;
  return kib % 2 ** 10 === 0 ? `${kib / 2 ** 10}M` : `${kib}K`;
}

function rangeLine(r: P2mRange): string {
  const gfns = `${hex(r.gfn)}-${hex(r.gfn + r.pages - 1)}`;
  const frames = r.mfn < 0 ? "-" : `mfn ${hex(r.mfn)}`;
  const columns = [
    gfns.padEnd(23),
    pagesText(r.pages).padStart(6),
    r.pageSize,
    r.type.padEnd(18),
    `${r.rights} ${r.access}`.padEnd(9),
    r.memoryType.padEnd(7),
    frames,
  ];
  return `  ${columns.join("  ")}${r.isPending ? "  to be recalculated" : ""}`;
}

export function p2mText(map: P2mMap): string {
  const heading = `  ${"gfns".padEnd(23)}    size  of  ${"type".padEnd(18)}  ${"rights".padEnd(9)}  memory   first frame`;
  const sums = Object.entries(map.pages).map(([type, pages]) => `${pages} ${type}`);
  const sizes = Object.entries(map.entries)
    .filter(([, count]) => count > 0)
    .map(([size, count]) => `${count} of ${size}`);
  const lines = [heading, ...map.ranges.map(rangeLine)];
  lines.push(`  pages: ${sums.join(", ") || "none"}`);
  lines.push(`  entries: ${sizes.join(", ") || "none"}; tables: ${map.tables}`);
  if (map.pendingPages > 0) lines.push(`  ${map.pendingPages} pages wait for their type to be recalculated`);
  return `${lines.join("\n")}\n`;
}
