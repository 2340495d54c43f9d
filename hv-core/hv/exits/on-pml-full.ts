/** Exit 62: a vCPU's log of written pages is full (hw/pml.ts). It is read and emptied; the write is made again, or the event delivered again. */
import { pmlFlush } from "../logdirty/pml";
import { Vcpu } from "../vcpu";
import { Verdict } from "../verdict";
import { blockNmiAgain } from "./nmi";
import { requeueEvent } from "./requeue";

export function onPmlFull(v: Vcpu): Verdict {
  blockNmiAgain(v.cpu);
  pmlFlush(v.domain, v.cpu);
  requeueEvent(v.cpu);
  return Verdict.Retry;
}
