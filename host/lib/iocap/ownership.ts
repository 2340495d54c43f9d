/** The ownership map: every frame, port and line that somebody holds, maps or keeps, in ranges with equal answers. Reads only. */
import { IO_KIND_FRAME, IO_KIND_IRQ, IO_KIND_PORT } from "../../../hv-core/abi/io-units.ts";
import { MAILBOX_BASE } from "../../../hv-core/abi/layout.ts";
import type { Core } from "../core.ts";
import { liveDomains } from "../domains.ts";
import type { DomId } from "../ids.ts";
import { DOM0 } from "../ids.ts";
import { readP2m } from "../p2m-map.ts";
import { holderText, unitState } from "./units.ts";

export const KIND_NAMES = ["frames", "ports", "lines"] as const;

export interface OwnershipRow {
  readonly kind: (typeof KIND_NAMES)[number];
  readonly first: number;
  readonly last: number;
  /** Domains with the right, dom0 apart (it has nearly all of them). */
  readonly rights: readonly number[];
  readonly hasDom0: boolean;
  /** Domains that map frames of it. */
  readonly mappedBy: readonly number[];
  /** The accountant's word, "-" without it. */
  readonly state: string;
}

interface Span {
  readonly first: number;
  readonly last: number;
}

/** All ranges that `next` finds, one after the other. */
function spans(core: Core, next: (low: number, high: number) => number): (Span & { readonly value: number })[] {
  const found: (Span & { value: number })[] = [];
  for (let from = 0; ; ) {
    if (next(from >>> 0, Math.floor(from / 2 ** 32)) === 0) return found;
    const first = Number(core.view.getBigUint64(MAILBOX_BASE, true));
    const last = Number(core.view.getBigUint64(MAILBOX_BASE + 8, true));
    found.push({ first, last, value: core.view.getUint32(MAILBOX_BASE + 16, true) });
    if (last >= 2 ** 52) return found;
    from = last + 1;
  }
}

const covers = (list: readonly Span[], at: number): boolean => list.some((s) => at >= s.first && at <= s.last);

export function ownershipMap(core: Core, hasAccountant: boolean): OwnershipRow[] {
  const domains: DomId[] = [DOM0, ...liveDomains(core)];
  const mapped = new Map(
    domains.map((domid) => [
      domid,
      (readP2m(core, domid)?.ranges ?? [])
        .filter((r) => r.type === "mmio_direct" && r.mfn >= 0)
        .map((r): Span => ({ first: r.mfn, last: r.mfn + r.pages - 1 })),
    ]),
  );
  const rows: OwnershipRow[] = [];
  for (const kind of [IO_KIND_FRAME, IO_KIND_PORT, IO_KIND_IRQ]) {
    const rights = new Map(
      domains.map((d) => [d, spans(core, (low, high) => core.exports.ioRights(d, kind, low, high))]),
    );
    const held = spans(core, (low, high) => core.exports.ioHolders(kind, low, high));
    const maps = kind === IO_KIND_FRAME ? mapped : new Map<DomId, Span[]>();
    const all = [...rights.values(), ...maps.values(), held].flat();
    const edges = [...new Set(all.flatMap((s) => [s.first, s.last + 1]))].sort((a, b) => a - b);
    for (let i = 0; i + 1 < edges.length; i++) {
      const [first, last] = [edges[i]!, edges[i + 1]! - 1];
      const row: OwnershipRow = {
        kind: KIND_NAMES[kind]!,
        first,
        last,
        rights: domains.filter((d) => d !== DOM0 && covers(rights.get(d)!, first)),
        hasDom0: covers(rights.get(DOM0)!, first),
        mappedBy: domains.filter((d) => covers(maps.get(d) ?? [], first)),
        state: hasAccountant ? unitState(core, kind, first).text : "-",
      };
      if (row.rights.length + row.mappedBy.length > 0 || row.hasDom0 || covers(held, first)) rows.push(row);
    }
  }
  return merged(rows);
}

/** Neighbours with the same answer are one row. */
function merged(rows: readonly OwnershipRow[]): OwnershipRow[] {
  const out: OwnershipRow[] = [];
  for (const row of rows) {
    const before = out.at(-1);
    const isSame =
      before?.kind === row.kind &&
      before.last + 1 === row.first &&
      before.state === row.state &&
      before.hasDom0 === row.hasDom0 &&
      String(before.rights) === String(row.rights) &&
      String(before.mappedBy) === String(row.mappedBy);
    if (isSame) out[out.length - 1] = { ...before, last: row.last };
    else out.push(row);
  }
  return out;
}

const number = (row: OwnershipRow, n: number): string => (row.kind === "lines" ? String(n) : n.toString(16));
const range = (row: OwnershipRow): string =>
  row.first === row.last ? number(row, row.first) : `${number(row, row.first)}-${number(row, row.last)}`;
const names = (ids: readonly number[]): string => ids.map((id) => `dom${id}`).join(" ") || "-";

export function ownershipText(rows: readonly OwnershipRow[]): string {
  const cells = rows.map((r) => [
    r.kind,
    range(r),
    r.hasDom0 ? "yes" : "no",
    names(r.rights),
    names(r.mappedBy),
    r.state,
  ]);
  const table = [["kind", "range", "dom0", "rights", "mapped by", "state"], ...cells];
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  return table
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

const ROW_HEIGHT = 22;
const COLUMNS = [10, 80, 270, 330, 450, 580];
/** One colour for each word of state; the text says it too. */
const COLOURS: readonly (readonly [word: string, colour: string])[] = [
  ["reserved", "#d9d9d9"],
  ["in use by default", "#cfe3ff"],
  ["granted", "#fff2c2"],
  ["in use", "#d2f0d0"],
  ["revoking", "#ffd6c9"],
  ["shared", "#e8d7f7"],
];
const escapeXml = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** The table as a picture: a line for each range, coloured by its state. */
export function ownershipSvg(rows: readonly OwnershipRow[]): string {
  const height = (rows.length + 1) * ROW_HEIGHT + 10;
  const line = (cells: readonly string[], i: number, colour: string, weight: string): string =>
    `<rect x="4" y="${i * ROW_HEIGHT + 4}" width="792" height="${ROW_HEIGHT - 2}" fill="${colour}"/>` +
    cells
      .map(
        (cell, c) =>
          `<text x="${COLUMNS[c]}" y="${i * ROW_HEIGHT + 19}" font-weight="${weight}">${escapeXml(cell)}</text>`,
      )
      .join("");
  const body = rows.map((r, i) => {
    const colour = COLOURS.find(([word]) => r.state.startsWith(word))?.[1] ?? "#ffffff";
    return line(
      [r.kind, range(r), r.hasDom0 ? "dom0" : "", names(r.rights), names(r.mappedBy), r.state],
      i + 1,
      colour,
      "normal",
    );
  });
  const head = line(["kind", "range", "dom0", "rights", "mapped by", "state"], 0, "#ffffff", "bold");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 ${height}" font-family="sans-serif" font-size="13" role="img"><title>Who holds which I/O resources</title>${head}${body.join("")}</svg>\n`;
}

export { holderText };
