/** How a port of the machine is checked: every access exits and is looked up, or a bitmap lets it through. */
import { asm, assemble } from "../../../guests/asm/assembler.ts";
import { DOM0 } from "../../../host/lib/ids.ts";
import { vcpuSlots } from "../../../host/lib/inspect.ts";
import { startProcessor } from "../../../host/lib/iocap/driver.ts";
import { createMachine } from "../../../host/lib/machine.ts";
import { ioportPermission } from "../../../host/lib/toolstack/io-rights.ts";
import { ACCOUNT_NONE, ACCOUNT_RADIX, PORT_CHECK_BITMAP, PORT_CHECK_TRAP } from "../../../hv-core/abi/knobs.ts";
import type { Study } from "../study.ts";

const FIRST_PORT = 0x2000;
const BUDGET = 20_000;
/** Instructions of one turn of the loop. */
const TURN = 5;

/** OUT to one of `ranges` ports, two apart, in an order that is not that of the ports. */
const loop = (base: number, ranges: number): string => asm`
        bits 32
        org ${base}
start:  xor esi, esi
loop:   add esi, 40503
        mov edx, esi
        and edx, ${ranges - 1}
        lea edx, [edx*2+${FIRST_PORT}]
        out dx, al
        jmp loop
`;

const design = (label: string, check: number, account: number) => ({
  label,
  knobs: { "ioport.check": check, "iomem.account": account, "dom0.vcpus": 1 },
});

export const portCheck: Study = {
  name: "port-check",
  title: "Ports: an I/O bitmap, or a look at every access",
  question:
    "A bitmap of 8 KiB decides in the processor and costs nothing, but goes on letting through what was taken away later. Looking up a set of ranges at every access is always right, and every access is an exit. How much is that, and does it matter how many ranges there are?",
  workload:
    "a driver on a processor of dom0 that writes to ports of growing numbers of separate ranges; nobody is behind the ports, so that the device itself costs nothing.",
  operation: "port access",
  variants: [
    design("I/O bitmap", PORT_CHECK_BITMAP, ACCOUNT_NONE),
    design("every access exits, rangeset", PORT_CHECK_TRAP, ACCOUNT_NONE),
    design("every access exits, rangeset and accountant", PORT_CHECK_TRAP, ACCOUNT_RADIX),
  ],
  sizes: [1, 4, 16, 64, 256, 1024],
  sizeLabel: "ranges",
  scale: "log",
  start(wasm, variant, ranges) {
    const machine = createMachine(wasm, { memoryBytes: 2 ** 22, vcpus: 2, knobs: variant.knobs });
    const { dom0 } = machine;
    // dom0 begins with every port; each one that goes makes two ranges of one.
    for (let i = 1; i < ranges; i++) ioportPermission(dom0, DOM0, FIRST_PORT + 2 * i - 1, 1, false);
    const base = (dom0.pages - 1) * 4096;
    dom0.core.u8.set(assemble(loop(base, ranges)).sections[0]!.bytes, dom0.ramAt + base);
    startProcessor(dom0, base);
    const slot = vcpuSlots(dom0.core, DOM0)[1]!;
    const retired = (): number => machine.stats().instructions;
    const run = (): void => {
      const goal = retired() + BUDGET;
      while (retired() < goal) dom0.core.exports.runVcpu(slot, goal - retired());
    };
    run();
    return { machine, operations: BUDGET / (TURN + 1), phases: [{ name: "accesses", run }] };
  },
};
