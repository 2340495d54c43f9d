/** C-102, spec 07 section 7.2: another thread forks, and the buffer becomes copy-on-write under the hypervisor. */
import { processRace } from "../process-race.ts";

export const forkDuringHypercall = processRace({
  name: "fork-during-hypercall",
  id: "C-102",
  title: "A fork in another thread makes a hypercall's buffer read-only",
  lesson:
    "After a fork every private page is read-only in both processes until one of them writes and gets a copy. The hypervisor writes without the " +
    "page-fault handler that would make the copy: EFAULT at the copy-out, when the call has already had its effect. Leaving the pool out of " +
    "forks (MADV_DONTFORK) is not quite enough: another thread can fork between the mmap and the madvise, and the page that nobody has " +
    "written since stays read-only. Hence one byte of each page is written after the madvise. A pool whose pages are cleared at each use " +
    "would get by without that byte, because clearing is a write as well.",
  threats: ["fork"],
  calls: ["A", "D"],
  properties: ["B-1"],
  variants: {
    pool: { text: "a pool of locked pages that a fork copies", expect: "B-1" },
    "pool-dontfork": { text: "left out of forks, from the madvise on", expect: "B-1" },
    "pool-touch": { text: "left out of forks, and each page touched after the madvise", expect: "clean" },
    device: { text: "pages of a kernel device, shared and never copied", expect: "clean" },
  },
});
