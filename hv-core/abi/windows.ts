/** Every named window of the hypervisor (docs/architecture.md section 5): where another processor may run in between. */
export const W_EXITED = 1;
export const W_TYPE_READ = 2;
export const W_SERVER_LOOKED_UP = 3;
export const W_REQUEST_READY = 4;
export const W_ANSWERED = 5;
export const W_TYPE_SERVER_CLEARED = 6;
/** The domctl lock was tried and is held: the hypercall is made again. */
export const W_DOMCTL_BUSY = 14;
/** The p2m lock is free, the TLB flush for what changed under it is not yet sent. */
export const W_P2M_UNLOCKED = 20;
/** One entry of a path has been repaired, the ones below are invalid now (order: children first, then the parent). */
export const W_P2M_CHILDREN_INVALID = 21;
/** The page is marked dirty, its type still forbids writing. */
export const W_MARKED_DIRTY = 22;
/** The p2m lock has been let go between the lookup of a type and the request (knob unmap.holdP2mLock=off). */
export const W_P2M_RELEASED = 15;
/** Pseudo window: the actor waits for a lock. */
export const W_LOCK = 0;
/** The answer to a request is in and the vCPU has not entered the guest yet. */
export const W_COMPLETED = 7;
/** A hypercall gave up the processor between two pieces (-ERESTART). */
export const W_PREEMPTED = 8;
/** Pseudo window: the actor waits until the vCPUs of a domain have left the hypervisor. */
export const W_PAUSE = 9;
/** A vCPU has seen that its request is not answered, and has not said yet that it sleeps. */
export const W_NOT_ANSWERED = 10;
/** A vCPU has said that it sleeps, and looks once more. */
export const W_FALLING_ASLEEP = 11;
/** Historic: the state of a slot was checked and is read a second time. */
export const W_STATE_CHECKED = 12;
/** set_mem_type has seen that the page type has a server. */
export const W_TYPE_SERVER_CHECKED = 13;
/** The pointers of a buffered ring were read, and are to be replaced by smaller ones. */
export const W_POINTERS_READ = 35;
/** An event to inject is half filled in. */
export const W_EVENT_HALF_FILLED = 36;
/** A piece of the bitmap of dirty pages is free, and the lock too. */
export const W_BITMAP_PIECE_FREED = 37;
/** Historic: a p2m entry was found not present, and is read a second time. */
export const W_ENTRY_NOT_PRESENT = 38;
/** An access was given to RAM because the page type has no server; it is not made yet. */
export const W_COPY_DECIDED = 39;
/** Historic: the domain's one flag says that device models must drop their mappings; the page is still there. */
export const W_FLAG_BEFORE_REMOVAL = 40;
/** Pseudo window: an access to shared state, made a switch point by `--windows all` (scripts/footprint.mjs). */
export const W_ACCESS = 30;
