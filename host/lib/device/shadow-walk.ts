/**
 * The watched tables of the shadow-table device, as records in its slab, and what a shadow entry is: the guest's frame number and a
 * mark, 0 for what is not present or not watched. Used by shadow-table.ts.
 */
import { getField } from "../actors.ts";
import type { Core } from "../core.ts";

export const MAX_TABLES = 17;
/** Roles of a page. */
export const DIRECTORY = 0;

export const PRESENT = 1;
const MARK_DIRECTORY = 0xd01;
const MARK_TABLE = 0xa01;

const RECORDS = 256;
const RECORD_BYTES = 32;
/** gfn, 0 = free. */
export const TABLE_GFN = 0;
/** Directory entries (or the root register) that lead here. */
export const TABLE_REFS = 4;
export const TABLE_ROLE = 8;
/** dom0's gfn through which the page is seen, its machine frame, its linear address. */
export const TABLE_WINDOW = 12;
export const TABLE_MFN = 16;
export const TABLE_AT = 20;

export const tableRecord = (slab: number, index: number): number => slab + RECORDS + index * RECORD_BYTES;

/** Index of the record of `gfn` (0: of a free one), -1 for none. */
export function findTable(core: Core, slab: number, gfn: number): number {
  for (let i = 0; i < MAX_TABLES; i++) if (getField(core, tableRecord(slab, i), TABLE_GFN) === gfn) return i;
  return -1;
}

/** What the shadow of `entry` has to be. */
export function shadowEntry(core: Core, slab: number, role: number, entry: number): number {
  if ((entry & PRESENT) === 0) return 0;
  const frame = (entry & ~0xfff) >>> 0;
  if (role !== DIRECTORY) return (frame | MARK_TABLE) >>> 0;
  const child = frame === 0 ? -1 : findTable(core, slab, entry >>> 12);
  const isTable = child >= 0 && getField(core, tableRecord(slab, child), TABLE_ROLE) !== DIRECTORY;
  return isTable ? (frame | MARK_DIRECTORY) >>> 0 : 0;
}

/** Compares the whole shadow of a table with the table in guest memory. */
export function isShadowRight(core: Core, slab: number, index: number, shadow: number): boolean {
  const record = tableRecord(slab, index);
  const table = getField(core, record, TABLE_AT) >> 2;
  const copy = shadow >> 2;
  if (getField(core, record, TABLE_ROLE) === DIRECTORY) {
    for (let i = 0; i < 1024; i++)
      if (core.u32[copy + i] !== shadowEntry(core, slab, DIRECTORY, core.u32[table + i]!)) return false;
    return true;
  }
  for (let i = 0; i < 1024; i++) {
    const entry = core.u32[table + i]!;
    const want = (entry & PRESENT) === 0 ? 0 : ((entry & ~0xfff) | MARK_TABLE) >>> 0;
    if (core.u32[copy + i] !== want) return false;
  }
  return true;
}
