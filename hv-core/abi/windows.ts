/** Every named window of the hypervisor (docs/architecture.md section 5): where another processor may run in between. */
export const W_EXITED = 1;
export const W_TYPE_READ = 2;
export const W_SERVER_LOOKED_UP = 3;
export const W_REQUEST_READY = 4;
export const W_ANSWERED = 5;
export const W_TYPE_SERVER_CLEARED = 6;
/** The domctl lock was tried and is held: the hypercall is made again. */
export const W_DOMCTL_BUSY = 14;
/** The domctl lock has just been taken. */
export const W_DOMCTL_LOCKED = 50;
/** The size of a virtual NUMA topology is known; the lock over it is free. */
export const W_VNUMA_SIZED = 51;
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
