/** C-100, spec 07 section 7.1 defect 1: two buffers on one page, and the lock of a page is a flag. */
import { STACK } from "../../process/memory.ts";
import { processRace } from "../process-race.ts";

export const mlockDoesNotNest = processRace({
  name: "mlock-does-not-nest",
  id: "C-100",
  title: "munlock of one buffer unlocks its neighbour on the same page",
  lesson:
    "The hypervisor reads and writes a process's memory through its page tables and cannot run the kernel's page-fault handler: a page that is in swap " +
    "is EFAULT. So the 2010 toolstack locked the pages of each argument with mlock and unlocked them after the call. But mlock does not " +
    "nest: the lock is one flag of the page. Two buffers share a stack page, the inner function is done with its own and unlocks the " +
    "page, memory gets short, and the outer function's hypercall fails, now and then, on loaded machines. A count for each page " +
    "mends this one, and no more than this: see migration-entry.",
  threats: ["reclaim"],
  pages: [STACK],
  properties: ["B-1"],
  variants: {
    mlock: { text: "each argument is locked and unlocked", expect: "B-1" },
    "one-level": { text: "one locked page for the thread; nested arguments are locked in place", expect: "B-1" },
    counted: { text: "locks are counted for each page", expect: "clean" },
    "pool-touch": { text: "arguments are copied to locked pages that hold nothing else", expect: "clean" },
  },
});
