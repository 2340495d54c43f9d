/**
 * An exit in the middle of an event's delivery, where nothing but the hypervisor's own bookkeeping was in the way: the event is
 * delivered again (SDM 3C, 27.2.4: IDT-vectoring information goes back as VM-entry interruption information).
 */
import { Cpu } from "../../hw/cpu";

export function requeueEvent(c: Cpu): void {
  if (c.exitIdtVectoring == 0) return;
  c.entryEvent = c.exitIdtVectoring;
  c.entryErrorCode = c.exitIdtError;
  c.entryInsnLength = c.exitInsnLength;
}
