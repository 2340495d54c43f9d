/**
 * What dom0's kernel does to the pages of a process beside its back (spec 07 section 7.5), as actors of the explorer. Each may act at
 * any time, as often as it likes, as long as the process runs: an exhaustive search then speaks about every timing.
 */
import type { Actor } from "../explore/actors.ts";
import {
  BY_CHILD,
  BY_KSM,
  BY_PROCESS,
  copyFrame,
  DEVICE,
  DONTFORK,
  frameOf,
  isMapped,
  LOCKED,
  PAGES,
  type ProcessMemory,
  PTE_COW,
  PTE_MIGRATING,
  PTE_P,
  PTE_SWAPPED,
  PTE_W,
  takeFrame,
} from "./memory.ts";

interface KernelStep {
  readonly name: string;
  readonly index: number;
  readonly word: () => string;
  readonly text: () => string;
  readonly isReady: () => boolean;
  /** The system waits until it is through with what it began. */
  readonly hasWork?: () => boolean;
  readonly run: () => void;
}

const kernelActor = (step: KernelStep): Actor => ({
  name: step.name,
  index: step.index,
  processor: 0,
  isReady: step.isReady,
  hasWork: step.hasWork ?? (() => false),
  next: () => ({ word: step.word(), text: step.text() }),
  begin: step.run,
  ended() {},
});

export interface KernelOptions {
  readonly memory: ProcessMemory;
  readonly index: number;
  /** Whether the process is still running. */
  readonly isRunning: () => boolean;
  /** Name of a page in reports. */
  readonly pageName: (page: number) => string;
}

const isPresent = (memory: ProcessMemory, page: number): boolean => (memory.pte(page) & PTE_P) !== 0;
const hasFlag = (memory: ProcessMemory, page: number, flag: number): boolean => (memory.flags(page) & flag) !== 0;

/** Memory is short: a page that is not locked goes to swap. */
export function reclaimActor({ memory, index, isRunning, pageName }: KernelOptions, page: number): Actor {
  return kernelActor({
    name: `reclaim-${pageName(page)}`,
    index,
    word: () => "evict",
    text: () => `evicts the ${pageName(page)} page: it is not locked`,
    isReady: () => isRunning() && isPresent(memory, page) && !hasFlag(memory, page, LOCKED | DEVICE),
    run: () => memory.setPte(page, (memory.pte(page) & ~PTE_P) | PTE_SWAPPED),
  });
}

/** Memory is defragmented: a page moves to another frame, locked or not. In between its entry says so and is not present. */
export function migrateActor({ memory, index, isRunning, pageName }: KernelOptions, page: number): Actor {
  const isMoving = (): boolean => (memory.pte(page) & PTE_MIGRATING) !== 0;
  return kernelActor({
    name: `compaction-${pageName(page)}`,
    index,
    word: () => (isMoving() ? "move" : "unmap"),
    text: () =>
      isMoving()
        ? `copies the ${pageName(page)} page and maps its new frame`
        : `puts a migration entry in place of the ${pageName(page)} page`,
    isReady: () => isMoving() || (isRunning() && isPresent(memory, page) && !hasFlag(memory, page, DEVICE)),
    hasWork: isMoving,
    run() {
      const pte = memory.pte(page);
      if (!isMoving()) {
        memory.setPte(page, (pte & ~PTE_P) | PTE_MIGRATING);
        return;
      }
      const old = frameOf(pte);
      const frame = takeFrame(memory, page, memory.users(old));
      copyFrame(memory, old, frame);
      memory.setUsers(old, 0);
      memory.setPte(page, (pte & 0xfff & ~PTE_MIGRATING) | PTE_P | ((frame - old + (pte >>> 12)) << 12));
    },
  });
}

/** Every private page of the process without DONTFORK is shared with a child: read-only in both, until somebody writes. */
export function fork(memory: ProcessMemory): void {
  for (let page = 0; page < PAGES; page++) {
    if (!isMapped(memory, page) || hasFlag(memory, page, DEVICE | DONTFORK)) continue;
    const pte = memory.pte(page);
    memory.setPte(page, (pte & ~PTE_W) | PTE_COW);
    memory.setUsers(frameOf(pte), memory.users(frameOf(pte)) | BY_CHILD);
  }
  memory.childLives = true;
}

/** Another thread of the process forks. One child at a time. */
export function forkActor({ memory, index, isRunning }: KernelOptions): Actor {
  return kernelActor({
    name: "threadB",
    index,
    word: () => "fork",
    text: () => "forks: private pages become copy-on-write",
    isReady: () => isRunning() && !memory.childLives,
    run: () => fork(memory),
  });
}

/** The child exits. The entries of the process stay read-only until it writes. */
export function childActor({ memory, index, isRunning }: KernelOptions): Actor {
  return kernelActor({
    name: "child",
    index,
    word: () => "exit",
    text: () => "exits",
    isReady: () => isRunning() && memory.childLives,
    run() {
      for (let frame = 0; frame < PAGES * 3; frame++)
        if ((memory.users(frame) & BY_CHILD) !== 0) memory.setUsers(frame, memory.users(frame) & ~BY_CHILD);
      memory.childLives = false;
    },
  });
}

/**
 * Same-page merging: a private page, locked or not, shares its frame with an equal one from now on. The process has agreed to it for all
 * its memory (PR_SET_MEMORY_MERGE).
 */
export function ksmActor({ memory, index, isRunning, pageName }: KernelOptions, page: number): Actor {
  return kernelActor({
    name: `ksm-${pageName(page)}`,
    index,
    word: () => "merge",
    text: () => `merges the ${pageName(page)} page with an equal one: it becomes copy-on-write`,
    isReady: () =>
      isRunning() &&
      isPresent(memory, page) &&
      !hasFlag(memory, page, DEVICE) &&
      memory.users(frameOf(memory.pte(page))) === BY_PROCESS,
    run() {
      const pte = memory.pte(page);
      memory.setPte(page, (pte & ~PTE_W) | PTE_COW);
      memory.setUsers(frameOf(pte), BY_PROCESS | BY_KSM);
    },
  });
}
