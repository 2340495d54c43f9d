/** Why the hypervisor crashed a domain, in sentences. Numbers: abi/crash.ts. */
import * as crash from "../../hv-core/abi/crash.ts";

const SENTENCES: Record<number, string> = {
  [crash.CRASH_NONE]: "no reason recorded",
  [crash.CRASH_EPT_VIOLATION]: "an EPT violation on a page that no rule handles",
  [crash.CRASH_EPT_MISCONFIG]: "an EPT misconfiguration that is not a pending type change",
  [crash.CRASH_IO_MISMATCH]: "the instruction came back with another access than the one that was answered",
  [crash.CRASH_IOREQ_STATE]: "a device model put an ioreq slot into an impossible state",
  [crash.CRASH_TRIPLE_FAULT]: "a triple fault, and HVM_PARAM_TRIPLE_FAULT_REASON says crash",
  [crash.CRASH_EVENT_DELIVERY]: "an event was being delivered through a page that must be emulated",
  [crash.CRASH_UNKNOWN_EXIT]: "an exit reason that the dispatch table does not know",
  [crash.CRASH_GUEST_REQUEST]: "the guest asked for it",
  [crash.CRASH_IOREQ_PAGE]: "a page of an ioreq server was not where it had to be",
  [crash.CRASH_P2M_SPECIAL]: "a special p2m entry would have been replaced",
  [crash.CRASH_DEAD_HALT]: "the vCPU halted with interrupts disabled and nothing can wake it",
  [crash.CRASH_NO_TABLE]: "no frame was left for an EPT table",
  [crash.CRASH_NO_PROGRESS]: "the same exit came again and again without progress",
  [crash.CRASH_DEADLOCK]: "a processor would wait for a lock that it holds itself (ioreq.lock=plain)",
  [crash.CRASH_UNSHARE_NO_MEMORY]:
    "a write to a shared page found no memory for a copy, and nobody listens on the sharing ring to free some",
  [crash.CRASH_BROKEN_FRAME]: "the page's machine frame is bad",
  [crash.CRASH_POD_EMPTY]: "a populate-on-demand page was touched and no memory is left for it",
  [crash.CRASH_NO_PAGER]: "a page that is paged out was touched and no pager listens",
  [crash.CRASH_ACCESS_REQUIRED]: "a page access was violated and nobody listens, although the domain requires it",
  [crash.CRASH_GRANT_STATUS]: "a status frame of its grant table is in use elsewhere and could not go",
  [crash.CRASH_EVENT_UNSENT]: "the event of a violated page access could not be sent: its listener went",
};

export function crashSentence(reason: number): string {
  return SENTENCES[reason] ?? `crash reason ${reason}`;
}
