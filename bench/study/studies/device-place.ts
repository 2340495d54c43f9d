/** Where a device model runs: inside the hypervisor, or as an ioreq server in another domain. */
import { asm } from "../../../guests/asm/assembler.ts";
import { COUNTER_BASE } from "../../../hv-core/abi/devices.ts";
import { DEVICE_AT_CORE, DEVICE_AT_HOST } from "../../../hv-core/abi/knobs.ts";
import { startLoop } from "../../guest-loop.ts";
import type { Study } from "../study.ts";

/** Where the guest counts its bursts. */
const BURSTS = 0x9000;
/** Budget of one cycle: exits and elements of a repeated instruction use it up as well as instructions do. */
const BUDGET = 4000;
/** A cycle ends anywhere in a burst: the stores of one are an average. */
const AVERAGED = 10;

/** `count` stores of 4 bytes by one instruction. */
const burst = (count: number): string => asm`
        mov edi, ${COUNTER_BASE + 0x800}
        mov ecx, ${count}
        rep stosd
        inc dword [${BURSTS}]
`;

const place = (label: string, at: number, rep: number) => ({ label, knobs: { "device.at": at, "emulate.rep": rep } });

export const devicePlace: Study = {
  name: "device-place",
  title: "Device model in the hypervisor, or behind an ioreq server",
  question:
    "A device behind an ioreq server costs a trip to another domain for each request. How much is that, and how much of it does Xen win back by sending one request for a whole repeated instruction?",
  workload: "a guest that writes to a device with REP STOSD of growing counts.",
  operation: "store",
  variants: [
    place("in the hypervisor", DEVICE_AT_CORE, 0),
    place("ioreq server, REP as one request", DEVICE_AT_HOST, 0),
    place("ioreq server, one request a store", DEVICE_AT_HOST, 1),
  ],
  sizes: [1, 4, 16, 64, 256],
  sizeLabel: "stores by one instruction",
  scale: "log",
  start(wasm, variant, count) {
    const { machine, domid, run } = startLoop(
      wasm,
      { knobs: variant.knobs, memoryBytes: 4 * 2 ** 20 },
      "cld",
      burst(count),
    );
    const bursts = (): number => new DataView(machine.peek(domid, BURSTS, 4).slice().buffer).getUint32(0, true);
    run(BUDGET);
    const before = bursts();
    for (let cycle = 0; cycle < AVERAGED; cycle++) run(BUDGET);
    const stores = ((bursts() - before) / AVERAGED) * count;
    return { machine, operations: stores, phases: [{ name: "stores", run: () => run(BUDGET) }] };
  },
};
