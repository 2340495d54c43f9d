/** How many TLB entries pay for a working set. */
import { asm } from "../../../guests/asm/assembler.ts";
import { startLoop } from "../../guest-loop.ts";
import type { Study } from "../study.ts";

const AREA = 0x80_0000;
const MEMORY = 64 * 2 ** 20;
const READS = 100_000;
/** Instructions for one read in the loop below. */
const TURN = 6;

/** Reads one word of a page after the other, `pages` of them, in a pseudo-random order. */
const reads = (pages: number): string => asm`
        imul eax, eax, 1664525
        add eax, 1013904223
        mov edx, eax
        shr edx, 8
        and edx, ${(pages - 1) << 12}
        add ecx, [edx+${AREA}]
`;

const entries = (n: number) => ({ label: `${n} entries`, knobs: { "tlb.entries": n, "p2m.superpages": 0 } });

export const tlbSize: Study = {
  name: "tlb-size",
  title: "TLB size against working set",
  question:
    "A TLB miss under EPT walks both tables. How much does a larger TLB save, and from which working set on does it no longer help?",
  workload:
    "a guest that reads words of random pages; 4 KiB EPT leaves, guest paging off, so that one walk is four EPT steps. A direct-mapped TLB, as the testbed has it.",
  operation: "read",
  variants: [16, 64, 256, 1024].map(entries),
  sizes: [4, 16, 64, 256, 1024, 4096],
  sizeLabel: "pages",
  scale: "log",
  start(wasm, variant, pages) {
    const { machine, run } = startLoop(wasm, { knobs: variant.knobs, memoryBytes: MEMORY }, "mov eax, 1", reads(pages));
    run(TURN * pages * 4);
    return { machine, operations: READS, phases: [{ name: "reads", run: () => run(READS * (TURN + 1)) }] };
  },
};
