/**
 * Rows in which vmexit does not answer as the recorded Xen 4.17 did, each with its reason. docs/dom0-differences.md is made of it.
 * A row that is equal again must leave the list: the test says so.
 */
export interface RowDifference {
  /** First and last number of the rows. */
  readonly rows: readonly [first: number, last: number] | readonly [only: number];
  readonly reason: string;
}

const PVH_DOM0 =
  "dom0 is a PV domain on the recorded Xen; here its memory is guest-physical, so it is told what an HVM domain is told";
const ON_DEMAND = "the recorded H refused populate on demand without a reason in the record; see docs/eras.md";
const FOREIGN = "a foreign mapping into a domain other than the caller is allowed";
const SKIPPED = "earlier rows that are not replayed (dm_op) gave H pages";

export const ROW_DIFFERENCES: readonly RowDifference[] = [
  { rows: [65], reason: "dom0 has no page tables here, so no page that it may read and the hypervisor may not write" },
  { rows: [176], reason: "the pool shrinks to the tables in use: 13 pages of Xen's, one of ours" },
  { rows: [345], reason: "the processor has x87 and SSE state, and no AVX state" },
  { rows: [980], reason: PVH_DOM0 },
  { rows: [1004], reason: PVH_DOM0 },
  { rows: [1026], reason: ON_DEMAND },
  { rows: [1053], reason: ON_DEMAND },
  { rows: [1059], reason: SKIPPED },
  { rows: [1091], reason: PVH_DOM0 },
  { rows: [1101, 1103], reason: FOREIGN },
  { rows: [1104], reason: PVH_DOM0 },
  { rows: [1111], reason: PVH_DOM0 },
  { rows: [1112], reason: SKIPPED },
];

/** The reason why row `id` may differ, undefined when it may not. */
export function reasonFor(id: string): string | undefined {
  const number = Number(id.slice(1));
  const entry = ROW_DIFFERENCES.find(({ rows }) => number >= rows[0] && number <= (rows[1] ?? rows[0]));
  return entry?.reason;
}
