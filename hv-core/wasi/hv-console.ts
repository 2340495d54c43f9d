/** The hypervisor's console (console_io): a ring in the journal, header {head u32, tail u32}, as host/lib/hv-console.ts reads it. */
import { HV_CONSOLE_BASE, HV_CONSOLE_SIZE } from "../abi/layout";
import { Output } from "./output";

const BYTES: u32 = HV_CONSOLE_SIZE - 8;

export function drainHypervisorConsole(): void {
  const head = load<u32>(HV_CONSOLE_BASE);
  let tail = load<u32>(HV_CONSOLE_BASE, 4);
  if (head - tail > BYTES) tail = head - BYTES; // the oldest bytes are overwritten
  while (tail != head) {
    Output.put(load<u8>(HV_CONSOLE_BASE + 8 + (tail % BYTES)));
    tail++;
  }
  store<u32>(HV_CONSOLE_BASE, tail, 4);
}
