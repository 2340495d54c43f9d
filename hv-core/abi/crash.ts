/** Why the hypervisor crashed a domain: the b field of TRC_CRASH; host/lib/crash.ts has the sentences. */
export const CRASH_NONE = 0;
/** An EPT violation on a page that no rule handles. */
export const CRASH_EPT_VIOLATION = 1;
export const CRASH_EPT_MISCONFIG = 2;
/** A completed request does not match the re-issued one (spec 03 section 3.5, step 2). */
export const CRASH_IO_MISMATCH = 3;
/** A device model put an ioreq slot into an impossible state. */
export const CRASH_IOREQ_STATE = 4;
/** A triple fault where HVM_PARAM_TRIPLE_FAULT_REASON says crash. */
export const CRASH_TRIPLE_FAULT = 5;
/** The access happened while an event was being delivered, to a page that must be emulated. */
export const CRASH_EVENT_DELIVERY = 6;
/** An exit reason that the dispatch table does not know. */
export const CRASH_UNKNOWN_EXIT = 7;
/** The guest asked for it (SCHEDOP_shutdown with reason crash). */
export const CRASH_GUEST_REQUEST = 8;
/** The pages of an ioreq server were not where they had to be. */
export const CRASH_IOREQ_PAGE = 9;
/** The special p2m entry of a page would have been replaced. */
export const CRASH_P2M_SPECIAL = 10;
/** The vCPU halted with interrupts disabled and nothing can wake it. */
export const CRASH_DEAD_HALT = 11;
/** No frame left for an EPT table while handling an exit. */
export const CRASH_NO_TABLE = 12;
/** The same exit again and again without progress. */
export const CRASH_NO_PROGRESS = 13;
/** A processor waits for a lock that it holds itself (knob ioreq.lock=plain). */
export const CRASH_DEADLOCK = 14;
/** The page's machine frame is bad. */
export const CRASH_BROKEN_FRAME = 30;
/** A populate-on-demand page was touched and no memory is left for it. */
export const CRASH_POD_EMPTY = 31;
/** A guest wrote to a shared page, there is no memory for its copy, and nobody listens on the sharing ring. */
export const CRASH_UNSHARE_NO_MEMORY = 32;
/** A paged page was touched and there is no pager. */
export const CRASH_NO_PAGER = 36;
/** A status frame of version 2 is in use elsewhere while the guest goes back to version 1. */
export const CRASH_GRANT_STATUS = 45;
/** A page access was violated, nobody listens, and the domain may not run without a listener (set_access_required). */
export const CRASH_ACCESS_REQUIRED = 37;
/** The event of a violated page access could not be sent. */
export const CRASH_EVENT_UNSENT = 38;
