/**
 * The list of breakpoints and watches in the core's memory (hv-core/abi/watch.ts), and the hits that it reports. The specifications are kept here, on
 * the host's side; the core sees them only while they are on.
 */
import { CPU_RETIRED } from "../../../hv-core/abi/cpu.ts";
import { MAX_VCPUS, VCPU_SIZE, VCPUS_BASE, WATCH_BASE } from "../../../hv-core/abi/layout.ts";
import * as abi from "../../../hv-core/abi/watch.ts";
import type { Core } from "../core.ts";
import { UsageError } from "../errors.ts";
import { EXIT_REASONS, exitCounter, exitName } from "../exits.ts";
import { walk } from "../inspect.ts";
import { nearest } from "../nearest.ts";
import type { WatchHit, WatchId, WatchSpec } from "./watch.ts";

interface Listed {
  readonly id: WatchId;
  readonly spec: WatchSpec;
  readonly first: bigint;
  readonly last: bigint;
  readonly access: number;
}

/** Entries as they are listed; the core sees them only while `isOn`. */
interface Entries {
  /** A temporary watch hides the others. */
  alone: WatchId | undefined;
  isOn: boolean;
  readonly listed: Map<WatchId, Listed>;
}

export interface WatchList {
  /** Whether the watches stop the machine. */
  setOn(isOn: boolean): void;
  /** @throws UsageError for a specification that means nothing, or too many. */
  add(spec: WatchSpec, options?: { readonly isAlone?: boolean }): WatchId;
  /** A watch that is not there is no error. */
  remove(id: WatchId): void;
  all(): readonly (WatchSpec & { readonly id: WatchId })[];
  /** After going back: nothing has been told, no hit waits. */
  forgetHits(): void;
  /** Breakpoints where vCPUs stand now have been told: going on does not tell them again. */
  passCurrent(): void;
  /** The hits since the last call; `time` is where the machine stopped for them. */
  takeHits(time: number): WatchHit[];
}

const LETTERS: Readonly<Record<string, number>> = { r: 1, w: 2, x: 4 };

function accessBits(letters: string): number {
  let bits = 0;
  for (const letter of letters) bits |= LETTERS[letter] ?? 0;
  if (bits === 0 || !/^r?w?x?$/.test(letters))
    throw new UsageError(`access "${letters}": write some of r, w and x, in this order`);
  return bits;
}

function exitReason(reason: number | string): number {
  if (typeof reason === "number") {
    if (EXIT_REASONS.includes(reason)) return reason;
    throw new UsageError(`${reason} is no exit reason that a guest can leave with`);
  }
  const found = EXIT_REASONS.find((r) => exitName(r) === reason.toUpperCase());
  if (found !== undefined) return found;
  const guess = nearest(reason.toUpperCase(), EXIT_REASONS.map(exitName));
  throw new UsageError(`"${reason}" is no exit reason${guess ? `: did you mean ${guess}?` : ""}`);
}

const LARGEST = 2n ** 64n - 1n;

function range(first: bigint, count: number, what: string): [first: bigint, last: bigint] {
  if (!Number.isSafeInteger(count) || count < 1) throw new UsageError(`${what}: ${count} is not how many`);
  const last = first + BigInt(count) - 1n;
  if (first < 0n || last > LARGEST) throw new UsageError(`${what}: out of range`);
  return [first, last];
}

function listedOf(id: WatchId, spec: WatchSpec): Listed {
  switch (spec.kind) {
    case "linear": {
      const [first, last] = range(spec.address, spec.bytes ?? 1, "a linear watch");
      return { id, spec, first, last, access: accessBits(spec.access) };
    }
    case "physical": {
      const [first, last] = range(BigInt(spec.gpa), spec.bytes ?? 1, "a physical watch");
      return { id, spec, first, last, access: accessBits(spec.access) | abi.WATCH_IS_PHYSICAL };
    }
    case "exit":
      return { id, spec, first: BigInt(exitReason(spec.reason)), last: 0n, access: 0 };
    case "p2m": {
      const [first, last] =
        spec.gfn === undefined ? [0n, LARGEST] : range(BigInt(spec.gfn), spec.pages ?? 1, "a p2m watch");
      return { id, spec, first, last, access: abi.WATCH_IS_P2M };
    }
  }
}

/** The who field of an entry, undefined while its domain does not exist. */
function whoOf(core: Core, { spec }: Listed): number | undefined {
  if (spec.kind === "linear") return spec.slot === undefined ? 0 : spec.slot + 1;
  if (spec.kind === "physical") return walk(core, spec.domid, 0)[0]?.tableMfn;
  return spec.kind === "p2m" && spec.domid !== undefined ? spec.domid + 1 : 0;
}

const put = (core: Core, offset: number, value: number): void => core.view.setUint32(WATCH_BASE + offset, value, true);

/** Writes the list into the core's memory, or an empty one. */
function write(core: Core, list: Entries): void {
  core.u8.fill(0, WATCH_BASE, WATCH_BASE + abi.WATCH_ENTRIES);
  let active = 0;
  let code = 0;
  let p2m = 0;
  let exits = 0;
  for (const entry of list.isOn ? list.listed.values() : []) {
    if (list.alone !== undefined && list.alone !== entry.id) continue;
    if (entry.spec.kind === "exit") {
      exits = 1;
      const counter = exitCounter(Number(entry.first));
      const at = abi.WATCH_EXIT_BITS + (counter >> 5) * 4;
      put(core, at, core.view.getUint32(WATCH_BASE + at, true) | (1 << (counter & 31)));
      continue;
    }
    const who = whoOf(core, entry);
    if (who === undefined) continue;
    const at = abi.WATCH_ENTRIES + active * abi.WATCH_ENTRY_SIZE;
    put(core, at, entry.access);
    put(core, at + abi.WATCH_ENTRY_ID, entry.id);
    put(core, at + abi.WATCH_ENTRY_WHO, who);
    core.view.setBigUint64(WATCH_BASE + at + abi.WATCH_ENTRY_FIRST, entry.first, true);
    core.view.setBigUint64(WATCH_BASE + at + abi.WATCH_ENTRY_LAST, entry.last, true);
    active++;
    if (entry.access & abi.WATCH_IS_P2M) p2m = 1;
    else if (entry.access & 4) code = 1;
  }
  put(core, abi.WATCH_ACTIVE, active);
  put(core, abi.WATCH_CODE, code);
  put(core, abi.WATCH_P2M, p2m);
  put(core, abi.WATCH_EXITS, exits);
  core.exports.watchesChanged();
}

const NOTHING_TOLD = 0xff;
const KINDS: Readonly<Record<number, WatchHit["kind"]>> = {
  [abi.WATCH_HIT_READ]: "read",
  [abi.WATCH_HIT_WRITE]: "write",
  [abi.WATCH_HIT_EXECUTE]: "execute",
  [abi.WATCH_HIT_EXIT]: "exit",
  [abi.WATCH_HIT_P2M]: "p2m",
};

/** The exit watch that is about a reason; a hit of the core does not name it. */
const exitWatch = (list: Entries, reason: number): WatchId =>
  [...list.listed.values()].find(({ spec, first }) => spec.kind === "exit" && Number(first) === reason)?.id ?? 0;

function readHit(core: Core, list: Entries, index: number, time: number): WatchHit {
  const at = WATCH_BASE + abi.WATCH_HIT_RECORDS + index * abi.WATCH_HIT_SIZE;
  const kind = KINDS[core.view.getUint32(at, true)] ?? "read";
  const size = core.view.getUint32(at + 12, true);
  const gpa = core.view.getBigUint64(at + 24, true);
  return {
    id: kind === "exit" ? exitWatch(list, size) : core.view.getUint32(at + 4, true),
    kind,
    slot: core.view.getInt32(at + 8, true),
    time,
    linear: core.view.getBigUint64(at + 16, true),
    gpa: gpa === LARGEST ? -1 : Number(gpa),
    size,
  };
}

/** The list of one machine. There should be one only: each writes all of the region. */
export function createWatchList(core: Core): WatchList {
  const list: Entries = { alone: undefined, isOn: false, listed: new Map() };
  let next: WatchId = 1;
  return {
    setOn(isOn) {
      const wanted = isOn && list.listed.size > 0;
      if (list.isOn === wanted) return;
      list.isOn = wanted;
      write(core, list);
    },
    add(spec, options = {}) {
      if (list.listed.size >= abi.MAX_WATCHES)
        throw new UsageError(`at most ${abi.MAX_WATCHES} watches fit: remove one`);
      const listed = listedOf(next, spec);
      next++;
      list.listed.set(listed.id, listed);
      if (options.isAlone) list.alone = listed.id;
      if (list.isOn) write(core, list);
      return listed.id;
    },
    remove(id) {
      list.listed.delete(id);
      if (list.alone === id) list.alone = undefined;
      if (list.isOn) write(core, list);
    },
    all: () => [...list.listed.values()].map(({ id, spec }) => ({ ...spec, id })),
    forgetHits() {
      core.u8.fill(NOTHING_TOLD, WATCH_BASE + abi.WATCH_TOLD, WATCH_BASE + abi.WATCH_TOLD + MAX_VCPUS * 8);
      put(core, abi.WATCH_STOP, 0);
      put(core, abi.WATCH_HITS, 0);
    },
    passCurrent() {
      for (let slot = 0; slot < MAX_VCPUS; slot++) {
        const retired = core.view.getBigUint64(VCPUS_BASE + slot * VCPU_SIZE + CPU_RETIRED, true);
        core.view.setBigUint64(WATCH_BASE + abi.WATCH_TOLD + slot * 8, retired, true);
      }
    },
    takeHits(time) {
      const count = core.view.getUint32(WATCH_BASE + abi.WATCH_HITS, true);
      const hits = Array.from({ length: count }, (_, i) => readHit(core, list, i, time));
      put(core, abi.WATCH_HITS, 0);
      return hits;
    },
  };
}
