/** Ways to keep the arguments of hypercalls in memory, by what they make a process do. */
import { strategyNamed } from "../../../host/lib/process/strategies.ts";
import { compileBuild } from "../../../host/node/wasm.ts";
import { startProcess } from "../process-work.ts";
import type { Study } from "../study.ts";

const STRATEGIES = ["none", "mlock", "one-level", "counted", "pool-touch", "device"] as const;

export const bufferStrategies: Study = {
  name: "buffer-strategies",
  title: "Memory for hypercall arguments",
  question:
    "The hypervisor cannot run the kernel's page-fault handler, so arguments of hypercalls must lie in memory that stays where it is. Locking the caller's pages costs system calls for each argument; copying to a pool of safe pages costs copies, and mapping the pool once. From how many calls on does the pool pay? What each of them is worth as protection is another table: vmexit buffers matrix.",
  workload:
    "a modelled process of dom0 with real page tables that makes hypercalls with an answer of 8 bytes, each nested in one of 1 KiB, and ends. Time is that of the race build, in which the process lives.",
  operation: "hypercall",
  variants: STRATEGIES.map((label) => ({ label, knobs: {} })),
  sizes: [2, 4, 8, 32, 128, 512],
  sizeLabel: "calls of one process",
  scale: "log",
  start(_, variant, calls) {
    const { run, stats } = startProcess(compileBuild("race"), strategyNamed(variant.label)!, calls);
    return {
      machine: { stats, [Symbol.dispose]: () => {} },
      operations: calls,
      phases: [{ name: "the process", run }],
    };
  },
};
