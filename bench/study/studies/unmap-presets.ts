/** The designs of map_mem_type_to_ioreq_server: what an unmap costs its caller, and what the guest pays afterwards. */

import { asm } from "../../../guests/asm/assembler.ts";
import { UNMAP_PRESETS } from "../../../host/lib/presets.ts";
import { createIoreqServer, mapMemType, setIoreqServerState, setMemType } from "../../../host/lib/toolstack/dm-op.ts";
import { DMOP_MEM_ACCESS_WRITE } from "../../../hv-core/abi/hypercalls.ts";
import { HVMMEM_IOREQ_SERVER } from "../../../hv-core/abi/p2m-types.ts";
import { startLoop } from "../../guest-loop.ts";
import type { Study } from "../study.ts";

const AREA = 0x80_0000;
const TURN = 4;

/** One word of each page, page after page. */
const writes = (pages: number): string => asm`
        mov [edi], eax
        add edi, 4096
        cmp edi, ${AREA + pages * 4096}
        jb loop
        mov edi, ${AREA}
`;

export const unmapPresets: Study = {
  name: "unmap-presets",
  title: "Unmapping a page type from its ioreq server",
  question:
    "Three designs were posted or merged. One pauses the domain and marks the entries for later, two sweep over the p2m. Who waits, how long, and what does the guest pay afterwards?",
  workload:
    "a p2m of 4 KiB leaves with a number of ioreq_server pages; the type is mapped, the pages get it, the type is unmapped, and the guest writes to each page once. Nobody writes while the type is mapped: the cost of the requests themselves is another study.",
  operation: "page",
  variants: Object.entries(UNMAP_PRESETS).map(([label, knobs]) => ({
    label,
    knobs: { ...knobs, "p2m.superpages": 0 },
  })),
  sizes: [16, 64, 256, 1024, 4096, 16384],
  sizeLabel: "pages of the type",
  scale: "log",
  start(wasm, variant, pages) {
    const memoryBytes = AREA + pages * 4096 + 2 ** 20;
    const loop = startLoop(wasm, { knobs: variant.knobs, memoryBytes }, `mov edi, ${AREA}`, writes(pages));
    const { machine, domid, retire } = loop;
    const { dom0 } = machine;
    const server = createIoreqServer(dom0, domid, 0);
    setIoreqServerState(dom0, domid, server, true);
    retire(TURN * pages);
    return {
      machine,
      operations: pages,
      phases: [
        {
          name: "map, and give the pages the type",
          run: () => {
            mapMemType(dom0, domid, server, DMOP_MEM_ACCESS_WRITE);
            setMemType(dom0, domid, AREA / 4096, pages, HVMMEM_IOREQ_SERVER);
          },
        },
        { name: "unmap", run: () => mapMemType(dom0, domid, server, 0) },
        { name: "the guest writes to each page", run: () => retire(TURN * pages + 2) },
      ],
    };
  },
};
