/** Lazy recalculation against a sweep: the fewer pages are touched afterwards, the better for the lazy one. */
import { asm } from "../../../guests/asm/assembler.ts";
import { createIoreqServer, mapMemType, setIoreqServerState, setMemType } from "../../../host/lib/toolstack/dm-op.ts";
import { DMOP_MEM_ACCESS_WRITE } from "../../../hv-core/abi/hypercalls.ts";
import { RESET_RECALC, RESET_SWEEP } from "../../../hv-core/abi/knobs.ts";
import { HVMMEM_IOREQ_SERVER, HVMMEM_RAM_RW } from "../../../hv-core/abi/p2m-types.ts";
import { startLoop } from "../../guest-loop.ts";
import type { Study } from "../study.ts";

const AREA = 0x80_0000;
const PAGES = 32_768;
/** Pages that one EPT table maps: one misconfiguration exit repairs all of them. */
const TABLE = 512;
const TURN = 4;

/** One word of the first page of each of `tables` tables. */
const touches = (tables: number): string => asm`
        mov [edi], eax
        add edi, ${TABLE * 4096}
        cmp edi, ${AREA + tables * TABLE * 4096}
        jb loop
        mov edi, ${AREA}
`;

export const lazyOrSweep: Study = {
  name: "lazy-or-sweep",
  title: "Lazy recalculation against a sweep",
  question:
    "After a type change of many pages, the p2m can be swept at once, or made invalid at its root and repaired table by table as the guest touches it, at one EPT misconfiguration exit each. From which share of touched tables on is the sweep cheaper?",
  workload: `${PAGES.toLocaleString("en")} pages of type ioreq_server become RAM by an unmap; then the guest writes to one page of a number of tables.`,
  operation: "type change with all that follows",
  variants: [
    { label: "sweep", knobs: { "p2m.superpages": 0, "unmap.reset": RESET_SWEEP, "map.left": 1 } },
    { label: "lazy", knobs: { "p2m.superpages": 0, "unmap.reset": RESET_RECALC, "map.left": 1 } },
  ],
  sizes: [1, 8, 16, 24, 32, 40, 48, 56, 64],
  sizeLabel: "of 64 tables touched",
  scale: "linear",
  yScale: "linear",
  start(wasm, variant, tables) {
    const memoryBytes = AREA + PAGES * 4096 + 2 ** 20;
    const { machine, domid, retire } = startLoop(
      wasm,
      { knobs: variant.knobs, memoryBytes },
      `mov edi, ${AREA}`,
      touches(tables),
    );
    const { dom0 } = machine;
    const server = createIoreqServer(dom0, domid, 0);
    setIoreqServerState(dom0, domid, server, true);
    const prepare = (): void => {
      // Pages that are still marked would keep the type when it has a server again: that is what map.left means.
      setMemType(dom0, domid, AREA / 4096, PAGES, HVMMEM_RAM_RW);
      mapMemType(dom0, domid, server, DMOP_MEM_ACCESS_WRITE);
      setMemType(dom0, domid, AREA / 4096, PAGES, HVMMEM_IOREQ_SERVER);
    };
    prepare();
    return {
      machine,
      operations: 1,
      phases: [
        { name: "now: unmap", run: () => mapMemType(dom0, domid, server, 0) },
        { name: "later: the guest touches", run: () => retire(TURN * tables + 2) },
      ],
      reset: prepare,
    };
  },
};
