/** The TLB of a vCPU for people: every valid entry, and whether what it says is still what the tables say. Looking leaves no trace. */
import { CPU_TLB_MASK } from "../../hv-core/abi/cpu.ts";
import {
  FRAMES_BASE,
  PAGE_SHIFT,
  TLB_ENTRY_SIZE,
  VCPU_SIZE,
  VCPU_TLB_OFFSET,
  VCPUS_BASE,
} from "../../hv-core/abi/layout.ts";
import type { Core } from "./core.ts";
import type { DomId } from "./ids.ts";
import { translateGpa, translateGva } from "./inspect.ts";

/** One cached translation: linear page -> machine frame. */
export interface TlbEntryView {
  /** Index of the entry: the TLB is direct-mapped by linear page. */
  readonly index: number;
  /** First linear address of the page. */
  readonly page: bigint;
  readonly mfn: number;
  /** What it allows the supervisor, and the user: "rwx", "r--" ... */
  readonly supervisor: string;
  readonly user: string;
  /** Survives a write to CR3. */
  readonly isGlobal: boolean;
  /** From a large page of the guest. */
  readonly isLarge: boolean;
  /** A frame of a device on the bus. */
  readonly isBus: boolean;
  /** A walk now would give another frame, or none: the entry waits for a flush. */
  readonly isStale: boolean;
}

const EMPTY = 0xffff_ffff_ffff_ffffn;
const PAGE_MASK = 0xffff_ffff_ffff_f000n;
const META_GLOBAL = 1;
const META_LARGE = 2;
const META_BUS = 4;
const BUS_DENY_SHIFT = 8;

/** Deny bits come in pairs read, write, fetch; even = supervisor, odd = user. */
const rights = (deny: number, user: 0 | 1): string =>
  ["r", "w", "x"].map((letter, i) => ((deny >> (i * 2 + user)) & 1 ? "-" : letter)).join("");

export function readTlb(core: Core, domid: DomId, slot: number): TlbEntryView[] {
  const at = VCPUS_BASE + slot * VCPU_SIZE;
  const count = core.view.getUint32(at + CPU_TLB_MASK, true) + 1;
  const entries: TlbEntryView[] = [];
  for (let index = 0; index < count; index++) {
    const entry = at + VCPU_TLB_OFFSET + index * TLB_ENTRY_SIZE;
    const tag = core.view.getBigUint64(entry, true);
    if (tag === EMPTY) continue;
    const page = tag & PAGE_MASK;
    const delta = core.view.getUint32(entry + 8, true);
    const meta = core.view.getUint32(entry + 12, true);
    const isBus = (meta & META_BUS) !== 0;
    const deny = isBus ? (meta >> BUS_DENY_SHIFT) & 63 : Number(tag & 63n);
    const mfn = ((delta + Number(page & 0xffff_ffffn) - FRAMES_BASE) >>> 0) >>> PAGE_SHIFT;
    const gpa = translateGva(core, slot, page);
    entries.push({
      index,
      page,
      mfn,
      supervisor: rights(deny, 0),
      user: rights(deny, 1),
      isGlobal: (meta & META_GLOBAL) !== 0,
      isLarge: (meta & META_LARGE) !== 0,
      isBus,
      isStale: !isBus && (gpa === undefined || translateGpa(core, domid, gpa) !== mfn),
    });
  }
  return entries;
}
