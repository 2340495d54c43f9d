/**
 * Automatic windows (`--windows all`): every access to shared state that the hypervisor makes is a switch point, so that a race is
 * found where nobody put a window. Shared is a word that two actors touch and one of them writes; which words those are is learned:
 * the search begins with the named windows, and again with more words until no further one turns up. An access to a word that is not
 * shared is seen by nobody, so nothing is lost by not stopping there.
 *
 * Not split: what the silicon does (one guest instruction is one step), its registers and TLBs, the frame allocator and the reference counts (Xen: under
 * heap_lock, and by cmpxchg), locks, and a load and store of the same atomic word (atomic_t, test_and_set_bit) behind each other.
 *
 * Before: footprint.ts. After: search.ts and the other strategies run as always.
 */
import { DOM_CONTROLLER_PAUSE, DOM_HYPERVISOR_PAUSE } from "../../../hv-core/abi/domain.ts";
import {
  DOMAIN_SIZE,
  DOMAINS_BASE,
  MAX_DOMAINS,
  MAX_VCPUS,
  PAGE_SIZE,
  VCPU_HV_OFFSET,
  VCPU_SIZE,
  VCPU_TLB_OFFSET,
  VCPUS_BASE,
} from "../../../hv-core/abi/layout.ts";
import { ACCESS_STORE, type AccessListener } from "./continuations.ts";
import type { RaceInstance } from "./instance.ts";
import { isLockWord } from "./locks.ts";
import type { SearchResult } from "./search.ts";

/** build/race-footprint.json. */
export interface AccessTable {
  readonly names: readonly string[];
  /** For each function: 1 = its accesses may be switch points. */
  readonly mayswitch: readonly number[];
  /** For each access: its function, -1 = none. */
  readonly functionOf: readonly number[];
}

const ATOMIC_OFFSETS = new Set([DOM_HYPERVISOR_PAUSE, DOM_CONTROLLER_PAUSE]);

/** Words that Xen changes with one atomic instruction. */
function isAtomic(instance: RaceInstance, address: number): boolean {
  const { dom0 } = instance.setup.world;
  if (address >= dom0.sharedInfoAt && address < dom0.sharedInfoAt + PAGE_SIZE) return true; // event bits: test_and_set_bit
  const isDomain = address >= DOMAINS_BASE && address < DOMAINS_BASE + MAX_DOMAINS * DOMAIN_SIZE;
  return isDomain && ATOMIC_OFFSETS.has((address - DOMAINS_BASE) % DOMAIN_SIZE);
}

/**
 * Registers and TLB of a processor. Others touch them only by a message that the processor itself acts upon (a shootdown), or while it
 * stands still: in between nothing of it is half done.
 */
function isSilicon(address: number): boolean {
  const offset = address - VCPUS_BASE;
  if (offset < 0 || offset >= MAX_VCPUS * VCPU_SIZE) return false;
  const inVcpu = offset % VCPU_SIZE;
  return inVcpu < VCPU_HV_OFFSET || inVcpu >= VCPU_TLB_OFFSET;
}

interface Sharing {
  readonly touchedBy: Map<number, number>;
  readonly stored: Set<number>;
}

/** Makes accesses to `words` switch points of the instance, and collects who touches what. */
function install(
  instance: RaceInstance,
  table: AccessTable,
  words: ReadonlySet<number>,
  sharing: Sharing | undefined,
): void {
  const { tap } = instance;
  if (!tap) throw new Error("automatic windows need the build race-footprint");
  const isSwitchable = (id: number): boolean => table.mayswitch[table.functionOf[id] ?? -1] === 1;
  instance.setup.world.continuations.accessFunction = (id) => table.names[table.functionOf[id] ?? -1];
  let mover = 0;
  const loaded = new Set<number>();
  const listener: AccessListener = {
    switchesAt(id, address, size) {
      const word = address >>> 2;
      const isWide = (size & (ACCESS_STORE - 1)) > 4;
      if (!words.has(word) && !(isWide && words.has(word + 1))) return false;
      if (!isSwitchable(id)) return false;
      return !(size >= ACCESS_STORE && loaded.has(word) && isAtomic(instance, address));
    },
    note(id, address, size) {
      const last = (address + (size & (ACCESS_STORE - 1)) - 1) >>> 2;
      if (size < ACCESS_STORE) loaded.add(address >>> 2);
      if (!sharing || (id >= 0 && /^run\/explore/.test(table.names[table.functionOf[id] ?? -1] ?? ""))) return;
      for (let word = address >>> 2; word <= last; word++) {
        sharing.touchedBy.set(word, (sharing.touchedBy.get(word) ?? 0) | (1 << mover));
        if (size >= ACCESS_STORE && !isLockWord(word << 2) && !isSilicon(word << 2)) sharing.stored.add(word);
      }
    },
  };
  instance.watch = {
    ...instance.watch,
    move(actor, work) {
      mover = actor;
      loaded.clear();
      return tap.listen(listener, work);
    },
  };
}

/** Makes accesses to these words switch points: for replaying what exploreAllWindows found. */
export function switchAtAccesses(instance: RaceInstance, table: AccessTable, words: readonly number[]): void {
  install(instance, table, new Set(words), undefined);
}

export interface AllWindowsResult {
  readonly result: SearchResult;
  /** The words whose accesses were switch points in the last round, sorted. */
  readonly words: readonly number[];
  /** States (or schedules) of each round: the first one has the named windows only. */
  readonly rounds: readonly { readonly words: number; readonly states: number; readonly steps: number }[];
}

/** Searches with `run` until no further word turns out to be shared. */
export function exploreAllWindows(
  instance: RaceInstance,
  table: AccessTable,
  run: (instance: RaceInstance) => SearchResult,
): AllWindowsResult {
  const sharing: Sharing = { touchedBy: new Map(), stored: new Set() };
  const rounds: { words: number; states: number; steps: number }[] = [];
  for (let words: number[] = []; ; ) {
    install(instance, table, new Set(words), sharing);
    const result = run(instance);
    rounds.push({ words: words.length, states: result.states, steps: result.steps });
    const shared = [...sharing.stored].filter((word) => {
      const by = sharing.touchedBy.get(word) ?? 0;
      return (by & (by - 1)) !== 0;
    });
    if (result.verdict !== "clean" || shared.length === words.length) return { result, words, rounds };
    words = shared.sort((a, b) => a - b);
  }
}
