/** Writes to a device model: the guest waits for each, or they go into a ring. */
import { asm } from "../../../guests/asm/assembler.ts";
import { UART_PORT } from "../../../hv-core/abi/devices.ts";
import { BUFFERED_WRITES } from "../../../hv-core/abi/knobs.ts";
import { startLoop } from "../../guest-loop.ts";
import type { Study } from "../study.ts";

/** The scratch register of the UART: a device that remembers and does nothing else. */
const PORT = UART_PORT + 7;
const BURSTS = 4;

/** `writes` writes, then a read that waits for all of them. */
const burst = (writes: number): string => asm`
        mov edx, ${PORT}
        mov ecx, ${writes}
more:   out dx, al
        dec ecx
        jnz more
        in al, dx
        inc ebx
`;

export const bufferedIoreq: Study = {
  name: "buffered-ioreq",
  title: "Requests that are waited for, and requests in a ring",
  question:
    "A device model that is asked synchronously costs the guest a switch to another domain and back for each write. Writes could go into a ring that the device model empties when it is woken, or before it answers the next read. What is saved, and how many writes between two reads does it take?",
  workload:
    "a guest that writes to a register of a device model a number of times, and then reads it. The ring has 511 places; what does not fit is waited for. The device model is woken by an event for each write in both designs: one that polls would save those, too.",
  operation: "write",
  variants: [
    { label: "the guest waits", knobs: { "ioreq.buffered": 0 } },
    { label: "buffered", knobs: { "ioreq.buffered": BUFFERED_WRITES } },
  ],
  sizes: [1, 4, 16, 64, 256, 1024],
  sizeLabel: "writes between two reads",
  scale: "log",
  start(wasm, variant, writes) {
    const settings = { knobs: variant.knobs, memoryBytes: 2 ** 22 };
    const { machine, retire } = startLoop(wasm, settings, "xor ebx, ebx", burst(writes));
    // mov, mov, in, inc, jmp; and three for each write
    const turn = 5 + 3 * writes;
    retire(turn);
    return {
      machine,
      operations: BURSTS * writes,
      phases: [{ name: "writes and reads", run: () => retire(BURSTS * turn) }],
    };
  },
};
