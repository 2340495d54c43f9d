/** The hypervisor console (console_io): a ring of bytes in the journal, header {head u32, tail u32} free-running, then the bytes. */
import { HV_CONSOLE_BASE, HV_CONSOLE_SIZE } from "../../hv-core/abi/layout.ts";
import type { Core } from "./core.ts";

const BYTES = HV_CONSOLE_SIZE - 8;

/** Takes what guests wrote with console_io since the last call. */
export function drainHvConsole(core: Core, each: (byte: number) => void): void {
  const word = HV_CONSOLE_BASE >> 2;
  const head = core.u32[word]!;
  let tail = core.u32[word + 1]!;
  if ((head - tail) >>> 0 > BYTES) tail = (head - BYTES) >>> 0; // the oldest bytes are overwritten
  while (tail !== head) {
    each(core.u8[HV_CONSOLE_BASE + 8 + (tail % BYTES)]!);
    tail = (tail + 1) >>> 0;
  }
  core.u32[word + 1] = tail;
}
