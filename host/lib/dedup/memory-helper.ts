/**
 * Listens on the sharing ring of a domain: a write to a shared page found no memory for a copy (spec 04 section 4.2, ENOMEM protocol). The
 * helper makes memory available *before* it answers: the answer lets the vCPU run, and its instruction needs the memory at once.
 */
import { VM_EVENT_MODE_SHARING } from "../../../hv-core/abi/vm-event.ts";
import type { Dom0 } from "../dom0.ts";
import type { DomId } from "../ids.ts";
import { type Listener, openListener, takeOverListener } from "../vm-event/listener.ts";

export interface MemoryHelper {
  readonly listener: Listener;
  /** Answers what waits on the ring, once memory has been made. @returns how many requests; those without memory stay unanswered. */
  serve(): number;
}

/**
 * @param makeMemory frees at least one frame for a copy of `gfn`; false when it cannot: the vCPU then waits until a later `serve`.
 * @throws HvError what enabling the ring answers.
 */
export function createMemoryHelper(dom0: Dom0, domid: DomId, makeMemory: (gfn: number) => boolean): MemoryHelper {
  const listener =
    takeOverListener(dom0, domid, VM_EVENT_MODE_SHARING) ?? openListener(dom0, domid, VM_EVENT_MODE_SHARING);
  return {
    listener,
    serve() {
      let served = 0;
      for (let request = listener.next(); request; request = listener.next()) {
        if (!makeMemory(request.gfn)) break;
        listener.respond(request, request.flags);
        served++;
      }
      if (served > 0) listener.notify();
      return served;
    },
  };
}
