/** How the I/O Resource Accountant keeps its counts of mapped frames. */
import { asm } from "../../../guests/asm/assembler.ts";
import { iomemPermission, memoryMapping } from "../../../host/lib/toolstack/io-rights.ts";
import {
  ACCOUNT_HEADERS,
  ACCOUNT_NONE,
  ACCOUNT_RADIX,
  ACCOUNT_RANGES,
  ACCOUNT_SLAB,
} from "../../../hv-core/abi/knobs.ts";
import { startLoop } from "../../guest-loop.ts";
import type { Study } from "../study.ts";

const FIRST_FRAME = 0xe_0000;
const GFN = 0x8_0000;
const TURN = 4;

/** A load from each frame. */
const loads = (frames: number): string => asm`
        mov eax, [edi]
        add edi, 4096
        cmp edi, ${(GFN + frames) * 4096}
        jb loop
        mov edi, ${GFN * 4096}
`;

const way = (label: string, account: number) => ({ label, knobs: { "iomem.account": account } });

export const countMethods: Study = {
  name: "count-methods",
  title: "Counting the mappings of I/O frames",
  question:
    "The accountant must know whether a frame of a device is still mapped somewhere before somebody else gets it. Counts can stand in an array over the whole window, in objects behind a hash, in a tree of tables, or as ranges of frames with equal counts. What does each cost when frames are mapped, when they are used, and when they go?",
  workload:
    "a device model that maps a number of neighbouring device frames into its guest; the guest loads from each; the mapping is taken away. How much memory each way takes: docs/io-costs.md.",
  operation: "frame",
  variants: [
    way("no accountant", ACCOUNT_NONE),
    way("headers", ACCOUNT_HEADERS),
    way("slab", ACCOUNT_SLAB),
    way("radix tree", ACCOUNT_RADIX),
    way("ranges", ACCOUNT_RANGES),
  ],
  sizes: [1, 16, 64, 256, 1024, 4096],
  sizeLabel: "frames mapped together",
  scale: "log",
  start(wasm, variant, frames) {
    const settings = { knobs: { "io.devices": 1, ...variant.knobs }, memoryBytes: 2 ** 24 };
    const { machine, domid, retire } = startLoop(wasm, settings, `mov edi, ${GFN * 4096}`, loads(frames));
    const { dom0 } = machine;
    iomemPermission(dom0, domid, FIRST_FRAME, frames, true);
    return {
      machine,
      operations: frames,
      phases: [
        { name: "map", run: () => memoryMapping(dom0, domid, GFN, FIRST_FRAME, frames, true) },
        { name: "the guest loads from each", run: () => retire(TURN * frames + 2) },
        { name: "unmap", run: () => memoryMapping(dom0, domid, GFN, FIRST_FRAME, frames, false) },
      ],
    };
  },
};
