/** An EPT entry as its fields, most significant first: what each group of bits is, and what it says here (abi/ept.ts; SDM 3C 28.3.2). */
import { decodeEpte } from "../../lib/epte.ts";

export interface EpteField {
  readonly name: string;
  /** Highest and lowest bit. */
  readonly high: number;
  readonly low: number;
  /** The bits as a number. */
  readonly value: bigint;
  /** What they mean in this entry. */
  readonly meaning: string;
}

const SUPPRESS_VE = 1n << 63n;

/** The p2m type that an entry stands for: a slot that holds nothing counts as mmio_dm (spec 01 section 1.5). */
export const entryType = (entry: bigint): string =>
  (entry & ~SUPPRESS_VE) === 0n ? "mmio_dm (a hole)" : decodeEpte(entry).type;

export function epteFields(entry: bigint, level: number): EpteField[] {
  const e = decodeEpte(entry);
  const isLeaf = level === 1 || e.leaf;
  const bits = (high: number, low: number): bigint => (entry >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
  const field = (name: string, high: number, low: number, meaning: string): EpteField => ({
    name,
    high,
    low,
    value: bits(high, low),
    meaning,
  });
  const flag = (name: string, bit: number, on: string, off: string): EpteField =>
    field(name, bit, bit, bits(bit, bit) === 1n ? on : off);
  const leafOnly = (meaning: string): string => (isLeaf || !e.isPresent ? meaning : "not used above a page");
  return [
    flag("sve", 63, "a violation is no #VE but an exit", "a violation may become #VE"),
    field("access", 62, 59, leafOnly(`p2m access ${e.access}`)),
    flag("pw", 58, "paging writes allowed", "no paging writes"),
    field("p2m type", 57, 52, leafOnly(entryType(entry))),
    field("MFN", 51, 12, e.isPresent ? `machine frame 0x${e.mfn.toString(16)}` : "no frame"),
    flag("snp", 11, "snooped", "not set"),
    flag("recalc", 10, "the type is recalculated at the next touch", "the type is up to date"),
    flag("D", 9, "written since it was cleared", "not written"),
    flag("A", 8, "used since it was cleared", "not used"),
    flag(
      "leaf",
      7,
      level === 3 ? "a page of 1 GiB" : "a page of 2 MiB",
      level === 1 ? "level 1: a page in any case" : "points to a table",
    ),
    flag("iPAT", 6, "the guest's PAT has no say", "the guest's PAT counts"),
    field(
      "EMT",
      5,
      3,
      e.isInvalidated ? "7: invalid on purpose, so that the next touch exits" : leafOnly(`memory type ${e.emt}`),
    ),
    flag("X", 2, "may be executed", "may not be executed"),
    flag("W", 1, "may be written", "may not be written"),
    flag("R", 0, "may be read", "may not be read"),
  ];
}
