/**
 * What a process can do, one step of its actor each: system calls, accesses to its memory, hypercalls. Between two steps the kernel may
 * do what it likes (kernel.ts). An access goes through the page-fault handler; a hypercall does not: the hypervisor cannot run it.
 */
import {
  DONTFORK,
  fault,
  isMapped,
  LOCKED,
  mapPage,
  OWN_LOCK,
  PAGE,
  type ProcessMemory,
  pageBytes,
  setPageBytes,
  unmapPage,
} from "./memory.ts";

/** One step of a process. */
export interface Op {
  /** For schedules. */
  readonly word: string;
  /** A sentence without a subject. */
  readonly text: string;
  /** Pages that it faults in: it waits as long as one of them is being moved. */
  readonly pages: readonly number[];
  run(memory: ProcessMemory): void;
  /** Instead of `run` alone: number and arguments of the hypercall that follows it. */
  readonly hypercall?: readonly number[];
}

/** "mlock", "thread" -> "mlockThread". */
export const wordOf = (verb: string, what: string): string => verb + what.charAt(0).toUpperCase() + what.slice(1);

export type PageNames = (page: number) => string;

export function vocabulary(nameOf: PageNames) {
  const lock = (memory: ProcessMemory, page: number): void => {
    fault(memory, page, true); // populates the page as a write would, which breaks copy-on-write
    memory.setFlags(page, memory.flags(page) | LOCKED);
  };
  const unlock = (memory: ProcessMemory, page: number): void => memory.setFlags(page, memory.flags(page) & ~LOCKED);
  const requests = (memory: ProcessMemory, page: number, change: number): void =>
    memory.setRequests(page, memory.requests(page) + change);
  const count = (memory: ProcessMemory, page: number, change: number): number => {
    memory.setCount(page, memory.count(page) + change);
    return memory.count(page);
  };

  return {
    /** The application's own mlock, which it never takes back. */
    ownLock: (page: number): Op => ({
      word: "ownMlock",
      text: `locks its ${nameOf(page)} page for itself`,
      pages: [page],
      run(memory) {
        lock(memory, page);
        memory.setFlags(page, memory.flags(page) | OWN_LOCK);
      },
    }),
    /** The same where locks are counted by the kernel. */
    countedOwnLock: (page: number): Op => ({
      word: "ownLock",
      text: `locks its ${nameOf(page)} page for itself, which counts as one`,
      pages: [page],
      run(memory) {
        lock(memory, page);
        count(memory, page, 1);
        memory.setFlags(page, memory.flags(page) | OWN_LOCK);
      },
    }),
    mlock: (page: number, what: string): Op => ({
      word: wordOf("mlock", what),
      text: `mlock: locks the ${nameOf(page)} page for ${what}`,
      pages: [page],
      run(memory) {
        lock(memory, page);
        requests(memory, page, 1);
      },
    }),
    /** One call is enough, however often the page was locked. */
    munlock: (page: number, what: string): Op => ({
      word: wordOf("munlock", what),
      text: `munlock: ${what} is done with the ${nameOf(page)} page`,
      pages: [],
      run(memory) {
        unlock(memory, page);
        requests(memory, page, -1);
      },
    }),
    countedLock: (page: number, what: string): Op => ({
      word: wordOf("lock", what),
      text: `counts ${what} on the ${nameOf(page)} page, and locks it when it is the first`,
      pages: [page],
      run(memory) {
        if (count(memory, page, 1) === 1) lock(memory, page);
        requests(memory, page, 1);
      },
    }),
    countedUnlock: (page: number, what: string): Op => ({
      word: wordOf("unlock", what),
      text: `takes ${what} off the count of the ${nameOf(page)} page, and unlocks it when it was the last`,
      pages: [],
      run(memory) {
        if (count(memory, page, -1) === 0) unlock(memory, page);
        requests(memory, page, -1);
      },
    }),
    /** mmap of a fresh page; one that is locked is a request that stands until munmap. */
    map: (page: number, flags: number): Op => ({
      word: wordOf("mmap", nameOf(page)),
      text: `maps the ${nameOf(page)} page${(flags & LOCKED) !== 0 ? ", locked" : ""}`,
      pages: [],
      run(memory) {
        mapPage(memory, page, flags);
        if ((flags & LOCKED) !== 0) memory.setRequests(page, 1);
      },
    }),
    unmap: (page: number): Op => ({
      word: wordOf("munmap", nameOf(page)),
      text: `unmaps the ${nameOf(page)} page`,
      pages: [page], // the kernel waits for a page that is being moved
      run(memory) {
        if (isMapped(memory, page)) unmapPage(memory, page);
      },
    }),
    dontFork: (page: number): Op => ({
      word: wordOf("dontfork", nameOf(page)),
      text: `madvise: a fork leaves the ${nameOf(page)} page out`,
      pages: [],
      run: (memory) => memory.setFlags(page, memory.flags(page) | DONTFORK),
    }),
    touch: (page: number): Op => ({
      word: wordOf("touch", nameOf(page)),
      text: `writes one byte of the ${nameOf(page)} page, so that it is its own again`,
      pages: [page],
      run(memory) {
        fault(memory, page, true);
        setPageBytes(memory, page, 0, pageBytes(memory, page, 0, 1));
      },
    }),
    zero: (page: number): Op => ({
      word: wordOf("zero", nameOf(page)),
      text: `clears the ${nameOf(page)} page`,
      pages: [page],
      run(memory) {
        fault(memory, page, true);
        setPageBytes(memory, page, 0, new Uint8Array(PAGE));
      },
    }),
    store: (page: number, offset: number, bytes: Uint8Array, what: string): Op => ({
      word: wordOf("fill", what),
      text: `fills in ${what} on its ${nameOf(page)} page`,
      pages: [page],
      run(memory) {
        fault(memory, page, true);
        setPageBytes(memory, page, offset, bytes);
      },
    }),
    copy: (from: number, fromOffset: number, to: number, toOffset: number, length: number, what: string): Op => ({
      word: wordOf("copy", what),
      text: `copies ${what} from the ${nameOf(from)} page to the ${nameOf(to)} page`,
      pages: [from, to],
      run(memory) {
        fault(memory, from, false);
        fault(memory, to, true);
        setPageBytes(memory, to, toOffset, pageBytes(memory, from, fromOffset, length));
      },
    }),
  };
}

export type Vocabulary = ReturnType<typeof vocabulary>;
