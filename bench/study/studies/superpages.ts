/** What large EPT leaves save, and what splitting them costs. */

import { asm } from "../../../guests/asm/assembler.ts";
import { setMemType } from "../../../host/lib/toolstack/dm-op.ts";
import { HVMMEM_RAM_RO, HVMMEM_RAM_RW } from "../../../hv-core/abi/p2m-types.ts";
import { startLoop } from "../../guest-loop.ts";
import type { Study } from "../study.ts";

const AREA = 0x80_0000;
const MEMORY = 128 * 2 ** 20;
const TURN = 7;
const READS = 50_000;

const reads = (mebibytes: number): string => asm`
        imul eax, eax, 1664525
        add eax, 1013904223
        mov edx, eax
        shr edx, 4
        and edx, ${mebibytes * 2 ** 20 - 4}
        add ecx, [edx+${AREA}]
`;

const split = "2M leaves, each split once";

export const superpages: Study = {
  name: "superpages",
  title: "2 MiB EPT leaves, 4 KiB leaves, and splitting",
  question:
    "A walk to a large leaf is one step shorter; changing the type of one page in it splits it, and the split stays. What is a step worth to a guest that misses the TLB, and how much of it is lost by one change in each 2 MiB?",
  workload:
    "a guest that reads random words of an area. The TLB of the testbed keeps translations of 4 KiB, as processors do when either table maps small pages: what large leaves add in reach on others is not in these figures.",
  operation: "read",
  variants: [
    { label: "4K leaves", knobs: { "p2m.superpages": 0 } },
    { label: "2M leaves", knobs: { "p2m.superpages": 1 } },
    { label: split, knobs: { "p2m.superpages": 1 } },
  ],
  sizes: [1, 2, 4, 8, 16, 32, 64],
  sizeLabel: "MiB",
  scale: "log",
  start(wasm, variant, mebibytes) {
    const settings = { knobs: variant.knobs, memoryBytes: MEMORY };
    const { machine, domid, run } = startLoop(wasm, settings, "mov eax, 1", reads(mebibytes));
    if (variant.label === split)
      for (let page = AREA / 4096; page < (AREA + mebibytes * 2 ** 20) / 4096; page += 512)
        for (const type of [HVMMEM_RAM_RO, HVMMEM_RAM_RW]) setMemType(machine.dom0, domid, page, 1, type);
    run(TURN * READS);
    return { machine, operations: READS, phases: [{ name: "reads", run: () => run(READS * TURN) }] };
  },
};
