/**
 * Ways to keep the arguments of a hypercall in memory (spec 07 sections 7.1, 7.2 and 7.5), as what a process does around a call.
 * Where: "in place" leaves an argument where the caller has it; the others copy it to a page of the library and back.
 */
import { DEVICE, LIBRARY, LOCKED, STACK } from "./memory.ts";
import type { Op, Vocabulary } from "./ops.ts";
import type { Argument, Placed, Plan } from "./program.ts";

export interface Strategy {
  readonly name: string;
  readonly text: string;
  plan(v: Vocabulary): Plan;
}

const inPlace = (x: Argument, ops: readonly Op[]): Placed => ({ ops, page: STACK, offset: x.offset });

/** Locks in place, by whatever pair of calls. */
const locking = (lock: (x: Argument) => Op, unlock: (x: Argument) => Op): Plan => ({
  acquire: (x) => inPlace(x, [lock(x)]),
  release: (x) => [unlock(x)],
  close: () => [],
});

/** A pool of pages, each mapped once by `prepare`; freed ones are taken again, the last one first, and cleared at each use. */
function pool(v: Vocabulary, prepare: (page: number) => readonly Op[], isCleared = true): Plan {
  const free: number[] = [];
  const pageOf = new Map<Argument, number>();
  let used = 0;
  return {
    acquire(x) {
      const kept = free.pop();
      const page = kept ?? LIBRARY + used++;
      pageOf.set(x, page);
      const ops = [...(kept === undefined ? prepare(page) : []), ...(isCleared ? [v.zero(page)] : [])];
      if (x.direction !== "out") ops.push(v.copy(STACK, x.offset, page, 0, x.declared, x.name));
      return { ops, page, offset: 0 };
    },
    release(x) {
      const page = pageOf.get(x)!;
      free.push(page);
      return x.direction === "in" ? [] : [v.copy(page, 0, STACK, x.offset, x.declared, x.name)];
    },
    close: () => Array.from({ length: used }, (_, i) => v.unmap(LIBRARY + i)),
  };
}

/** hcall_buf_prep: one page for each thread, locked once; who finds it in use locks in place instead. */
function oneLevel(v: Vocabulary): Plan {
  let isMapped = false;
  let holder: Argument | undefined;
  return {
    acquire(x) {
      if (holder) return inPlace(x, [v.mlock(STACK, x.name)]);
      holder = x;
      const first = isMapped ? [] : [v.map(LIBRARY, 0), v.mlock(LIBRARY, "thread")];
      isMapped = true;
      return { ops: [...first, v.copy(STACK, x.offset, LIBRARY, 0, x.declared, x.name)], page: LIBRARY, offset: 0 };
    },
    release(x) {
      if (holder !== x) return [v.munlock(STACK, x.name)];
      holder = undefined;
      return [v.copy(LIBRARY, 0, STACK, x.offset, x.declared, x.name)];
    },
    close: () => (isMapped ? [v.munlock(LIBRARY, "thread"), v.unmap(LIBRARY)] : []),
  };
}

const safePage = (v: Vocabulary, page: number): Op[] => [v.map(page, LOCKED), v.dontFork(page), v.touch(page)];

/**
 * Half converted: A is still locked in place; B is from the pool, but the function that makes its call is an old one, which locks and
 * unlocks whatever it is given.
 */
function mixed(v: Vocabulary): Plan {
  const fresh = pool(v, (page) => safePage(v, page));
  const pageOfB: { page: number } = { page: 0 };
  return {
    acquire(x) {
      if (x.name === "A") return inPlace(x, [v.mlock(STACK, x.name)]);
      const placed = fresh.acquire(x);
      if (x.name !== "B") return placed;
      pageOfB.page = placed.page;
      return { ...placed, ops: [...placed.ops, v.mlock(placed.page, x.name)] };
    },
    release(x) {
      if (x.name === "A") return [v.munlock(STACK, x.name)];
      return [...(x.name === "B" ? [v.munlock(pageOfB.page, x.name)] : []), ...fresh.release(x)];
    },
    close: fresh.close,
  };
}

const counted = (v: Vocabulary): Plan =>
  locking(
    (x) => v.countedLock(STACK, x.name),
    (x) => v.countedUnlock(STACK, x.name),
  );

export const STRATEGY_LIST: readonly Strategy[] = [
  {
    name: "none",
    text: "the caller's own memory, nothing else",
    plan: () => ({ acquire: (x) => inPlace(x, []), release: () => [], close: () => [] }),
  },
  {
    name: "mlock",
    text: "mlock and munlock of the pages of each argument (2010)",
    plan: (v) =>
      locking(
        (x) => v.mlock(STACK, x.name),
        (x) => v.munlock(STACK, x.name),
      ),
  },
  {
    name: "one-level",
    text: "one locked page for each thread, mlock in place when it is taken (hcall_buf_prep)",
    plan: oneLevel,
  },
  {
    name: "counted-library",
    text: "mlock with a count for each page, kept by the library: it does not know of the application's locks",
    plan: counted,
  },
  {
    name: "counted",
    text: "mlock that nests: a count for each page, kept by the kernel for everybody",
    plan: (v) => ({ ...counted(v), ownLock: v.countedOwnLock }),
  },
  {
    name: "pool",
    text: "a pool of locked pages of the library",
    plan: (v) => pool(v, (page) => [v.map(page, LOCKED)]),
  },
  {
    name: "pool-dontfork",
    text: "the pool, left out of forks; pages are not cleared",
    plan: (v) => pool(v, (page) => [v.map(page, LOCKED), v.dontFork(page)], false),
  },
  {
    name: "pool-touch",
    text: "the pool, left out of forks, each page touched after that (libxc's fallback)",
    plan: (v) => pool(v, (page) => safePage(v, page)),
  },
  {
    name: "device",
    text: "pages of a kernel device: pinned, shared, never moved",
    plan: (v) => pool(v, (page) => [v.map(page, DEVICE)]),
  },
  { name: "mixed", text: "old callers (mlock) and new ones (pool-touch) in one program", plan: mixed },
];

export const strategyNamed = (name: string): Strategy | undefined => STRATEGY_LIST.find((s) => s.name === name);
