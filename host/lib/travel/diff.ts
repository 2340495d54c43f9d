/**
 * What differs between two states of one machine: registers, memory by gfn, p2m entries, ioreq slots (not TLBs). A state is looked
 * at once (takeView) and compared any number of times.
 */
import { frameAddress } from "../core.ts";
import { liveDomains } from "../domains.ts";
import type { DomId } from "../ids.ts";
import type { IoreqSlotView } from "../ioreq-view.ts";
import type { Machine } from "../machine.ts";
import type { P2mRange } from "../p2m-map.ts";
import type { Snapshot } from "../snapshot.ts";

export interface RegisterDiff {
  readonly slot: number;
  /** "rax", "rip", "cr3", "cs.base" ... */
  readonly name: string;
  readonly before: bigint;
  readonly after: bigint;
}

/** Bytes of guest memory that differ, next to each other in one page. */
export interface MemoryDiff {
  readonly domid: DomId;
  readonly gpa: number;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** A range of gfns whose entry differs; undefined = nothing was, or is, mapped. */
export interface P2mDiff {
  readonly domid: DomId;
  readonly gfn: number;
  readonly pages: number;
  readonly before: P2mRange | undefined;
  readonly after: P2mRange | undefined;
}

export interface SlotDiff {
  readonly domid: DomId;
  readonly server: number;
  readonly vcpu: number;
  readonly before: IoreqSlotView | undefined;
  readonly after: IoreqSlotView | undefined;
}

export interface StateDiff {
  readonly registers: readonly RegisterDiff[];
  readonly memory: readonly MemoryDiff[];
  /** More memory differs than was asked for (option maxMemory). */
  readonly isMemoryCut: boolean;
  readonly p2m: readonly P2mDiff[];
  readonly slots: readonly SlotDiff[];
}

interface DomainView {
  readonly domid: DomId;
  readonly p2m: readonly P2mRange[];
  readonly slots: ReadonlyMap<string, IoreqSlotView>;
}

/** A state as diff compares it. Pages that are all zero, or that `base` has too, take no memory. */
export interface StateView {
  readonly registers: ReadonlyMap<number, ReadonlyMap<string, bigint>>;
  readonly domains: readonly DomainView[];
  /** Contents of guest pages, by domain and gfn. */
  readonly pages: ReadonlyMap<string, Uint8Array>;
}

const RAM_TYPES = new Set(["ram_rw", "ram_ro", "ram_logdirty", "ram_shared", "ioreq_server"]);
const PAGE_BYTES = 4096;

function registerView(machine: Machine, slot: number): Map<string, bigint> {
  const regs = machine.regs(slot);
  const all = new Map<string, bigint>(Object.entries(regs.general));
  for (const name of ["rip", "cr0", "cr2", "cr3", "cr4", "efer"] as const) all.set(name, regs[name]);
  all.set("rflags", BigInt(regs.rflags));
  for (const [name, segment] of Object.entries(regs.segments)) {
    all.set(`${name}.selector`, BigInt(segment.selector));
    all.set(`${name}.base`, segment.base);
    all.set(`${name}.limit`, BigInt(segment.limit));
    all.set(`${name}.attr`, BigInt(segment.attr));
  }
  return all;
}

/** The state of all guests as it is now. */
export function takeView(machine: Machine): StateView {
  const { core } = machine;
  const registers = new Map<number, Map<string, bigint>>();
  const pages = new Map<string, Uint8Array>();
  const domains = liveDomains(core).map((domid): DomainView => {
    for (const slot of machine.vcpus(domid)) registers.set(slot, registerView(machine, slot));
    const p2m = machine.p2m(domid)?.ranges ?? [];
    for (const range of p2m) {
      if (range.mfn < 0 || !RAM_TYPES.has(range.type)) continue;
      for (let i = 0; i < range.pages && range.mfn + i < core.frameCount; i++) {
        const at = frameAddress(range.mfn + i);
        const words = core.u32.subarray(at >>> 2, (at >>> 2) + PAGE_BYTES / 4);
        if (words.some((word) => word !== 0))
          pages.set(`${domid}:${range.gfn + i}`, core.u8.slice(at, at + PAGE_BYTES));
      }
    }
    const slots = new Map<string, IoreqSlotView>();
    for (const server of machine.ioreq(domid))
      for (const slot of server.slots) slots.set(`${server.id}:${slot.vcpu}`, slot);
    return { domid, p2m, slots };
  });
  return { registers, domains, pages };
}

function registerDiffs(a: StateView, b: StateView): RegisterDiff[] {
  const found: RegisterDiff[] = [];
  for (const slot of new Set([...a.registers.keys(), ...b.registers.keys()])) {
    const before = a.registers.get(slot);
    const after = b.registers.get(slot);
    for (const name of (after ?? before)!.keys()) {
      const x = before?.get(name) ?? 0n;
      const y = after?.get(name) ?? 0n;
      if (x !== y) found.push({ slot, name, before: x, after: y });
    }
  }
  return found;
}

const ZERO_PAGE = new Uint8Array(PAGE_BYTES);

/** Ranges of bytes that differ; a gap of fewer than eight equal bytes does not end one. */
function pageDiffs(domid: DomId, gfn: number, a: Uint8Array, b: Uint8Array, into: MemoryDiff[]): void {
  const gap = 8;
  for (let i = 0; i < PAGE_BYTES; i++) {
    if (a[i] === b[i]) continue;
    let end = i + 1;
    for (let j = end; j < PAGE_BYTES && j - end < gap; j++) if (a[j] !== b[j]) end = j + 1;
    into.push({ domid, gpa: gfn * PAGE_BYTES + i, before: a.slice(i, end), after: b.slice(i, end) });
    i = end;
  }
}

function memoryDiffs(a: StateView, b: StateView, most: number): { found: MemoryDiff[]; isCut: boolean } {
  const found: MemoryDiff[] = [];
  const keys = [...new Set([...a.pages.keys(), ...b.pages.keys()])]
    .map((key) => key.split(":").map(Number) as [number, number])
    .sort((x, y) => x[0] - y[0] || x[1] - y[1]);
  for (const [domid, gfn] of keys) {
    const key = `${domid}:${gfn}`;
    pageDiffs(domid as DomId, gfn, a.pages.get(key) ?? ZERO_PAGE, b.pages.get(key) ?? ZERO_PAGE, found);
    if (found.length > most) return { found: found.slice(0, most), isCut: true };
  }
  return { found, isCut: false };
}

/** The range of a sorted list that has `gfn`, cut to begin there. */
function rangeAt(ranges: readonly P2mRange[], gfn: number): P2mRange | undefined {
  const range = ranges.find((r) => gfn >= r.gfn && gfn < r.gfn + r.pages);
  if (!range) return undefined;
  const skip = gfn - range.gfn;
  return { ...range, gfn, pages: range.pages - skip, mfn: range.mfn < 0 ? -1 : range.mfn + skip };
}

const isSameEntry = (a: P2mRange | undefined, b: P2mRange | undefined): boolean =>
  a === undefined || b === undefined
    ? a === b
    : a.mfn === b.mfn &&
      a.type === b.type &&
      a.access === b.access &&
      a.rights === b.rights &&
      a.memoryType === b.memoryType &&
      a.pageSize === b.pageSize &&
      a.isPending === b.isPending;

function p2mDiffs(domid: DomId, a: readonly P2mRange[], b: readonly P2mRange[]): P2mDiff[] {
  const borders = [...new Set([...a, ...b].flatMap((r) => [r.gfn, r.gfn + r.pages]))].sort((x, y) => x - y);
  const found: P2mDiff[] = [];
  for (let i = 0; i + 1 < borders.length; i++) {
    const [gfn, end] = [borders[i]!, borders[i + 1]!];
    const before = rangeAt(a, gfn);
    const after = rangeAt(b, gfn);
    if (isSameEntry(before, after)) continue;
    const pages = end - gfn;
    found.push({ domid, gfn, pages, before: before && { ...before, pages }, after: after && { ...after, pages } });
  }
  return found;
}

function slotDiffs(domid: DomId, a: DomainView | undefined, b: DomainView | undefined): SlotDiff[] {
  const found: SlotDiff[] = [];
  for (const key of new Set([...(a?.slots.keys() ?? []), ...(b?.slots.keys() ?? [])])) {
    const before = a?.slots.get(key);
    const after = b?.slots.get(key);
    const text = (slot: IoreqSlotView | undefined): string =>
      slot ? [slot.state, slot.type, slot.dir, slot.addr, slot.data, slot.size, slot.count].join() : "";
    if (text(before) === text(after)) continue;
    const [server, vcpu] = key.split(":").map(Number);
    found.push({ domid, server: server!, vcpu: vcpu!, before, after });
  }
  return found;
}

export interface DiffOptions {
  /** Ranges of memory at most. Default 10,000. */
  readonly maxMemory?: number;
}

export function diffViews(a: StateView, b: StateView, options: DiffOptions = {}): StateDiff {
  const memory = memoryDiffs(a, b, options.maxMemory ?? 10_000);
  const domids = [...new Set([...a.domains, ...b.domains].map((d) => d.domid))];
  const of = (view: StateView, domid: DomId): DomainView | undefined => view.domains.find((d) => d.domid === domid);
  return {
    registers: registerDiffs(a, b),
    memory: memory.found,
    isMemoryCut: memory.isCut,
    p2m: domids.flatMap((d) => p2mDiffs(d, of(a, d)?.p2m ?? [], of(b, d)?.p2m ?? [])),
    slots: domids.flatMap((d) => slotDiffs(d, of(a, d), of(b, d))),
  };
}

/** What differs between two snapshots of `machine`, which stays as it is. */
export function diffSnapshots(machine: Machine, a: Snapshot, b: Snapshot, options: DiffOptions = {}): StateDiff {
  const here = machine.snapshot();
  try {
    machine.restore(a);
    const before = takeView(machine);
    machine.restore(b);
    return diffViews(before, takeView(machine), options);
  } finally {
    machine.restore(here);
  }
}
