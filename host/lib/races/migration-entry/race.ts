/** C-101, spec 07 section 7.1 defect 3: a locked page is still moved. */
import { LIBRARY, STACK } from "../../process/memory.ts";
import { processRace } from "../process-race.ts";

export const migrationEntry = processRace({
  name: "migration-entry",
  id: "C-101",
  title: "A locked page is moved while a hypercall needs it",
  lesson:
    "mlock keeps a page out of swap; it does not keep it where it is. Compaction and NUMA balancing put a migration entry in place of the page-table " +
    "entry, copy the frame and map the new one. A process that touches the page meanwhile waits in the page-fault handler and never " +
    "knows. The hypervisor cannot wait: the entry is not present, so the hypercall fails with EFAULT, also after it has done its work " +
    "and only wants to copy the answer out. No locking helps, however careful: only memory that the kernel never moves, which is what " +
    "the device /dev/xen/hypercall gives.",
  threats: ["migrate"],
  pages: [STACK, LIBRARY],
  calls: ["A"],
  properties: ["B-1"],
  variants: {
    counted: { text: "locks in place, counted", expect: "B-1" },
    "pool-touch": { text: "a pool of locked pages", expect: "B-1" },
    device: { text: "pages of a kernel device, pinned", expect: "clean" },
  },
});
