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
/** expand_array has seen that there is an event array; the event lock is free. */
export const W_FIFO_SEEN = 52;
/** The p2m lock is free, the TLB flush for what changed under it is not yet sent. */
export const W_P2M_UNLOCKED = 20;
/** One entry of a path has been repaired, the ones below are invalid now (order: children first, then the parent). */
export const W_P2M_CHILDREN_INVALID = 21;
/** The page is marked dirty, its type still forbids writing. */
export const W_MARKED_DIRTY = 22;
/** The p2m lock has been let go between the lookup of a type and the request (knob unmap.holdP2mLock=off). */
export const W_P2M_RELEASED = 15;
/** A right to map a frame has been checked, its entry is not made yet. */
export const W_IO_CHECKED = 95;
/** A grant has found no other holder, and has not taken the unit yet. */
export const W_IO_GRANT_CHECKED = 96;
/** A mapping of ports has been found, and not been used yet. */
export const W_IO_PORT_FOUND = 97;
/** An entry that mapped a device is gone, its count is not lowered yet, or the reverse. */
export const W_IO_ZAPPED = 98;
/** A right was withdrawn, its mappings are still to be taken away. */
export const W_IO_REVOKED = 99;
/** A count has been read and is about to be written. */
export const W_IO_COUNT_READ = 100;
/** An interrupt line has no guest left, and is about to be released. */
export const W_IO_LINE_EMPTY = 101;
/** Variant: the tables of a dying domain are about to go, and its p2m lock is not held (hv/domain/destroy.ts). */
export const W_IO_TEARDOWN = 32;
/** Pseudo window: the actor waits for a lock. */
export const W_LOCK = 0;
/** The answer to a request is in and the vCPU has not entered the guest yet. */
export const W_COMPLETED = 7;
/** A domctl has done its work, and has not copied its answer to the caller yet (where KNOB_CALLER_MEMORY says so). */
export const W_COPY_OUT = 60;
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
/** The same for one page, under the p2m lock; the page does not count as one of the type yet. */
export const W_PAGE_NOT_COUNTED = 16;
/** Historic: a fault has seen a shared page, and has not taken the p2m lock yet. */
export const W_SHARED_SEEN = 65;
/** Nominated: the frame belongs to nobody's memory any more, the p2m still says ram_rw. */
export const W_FRAME_TAKEN = 66;
/** Unsharing has counted one saved page less, and has no frame for the copy yet. */
export const W_SAVED_COUNTED = 67;
/** Unsharing has copied the page, the p2m still shows the shared one. */
export const W_PAGE_COPIED = 68;
/** The last sharer's info is gone, the page is not private yet. */
export const W_INFO_FREED = 69;
/** Sharing has moved one entry of the client's reverse map to the source. */
export const W_ENTRY_MOVED = 70;
/** Sharing has counted one used frame less, and not yet one saved page more. */
export const W_USED_COUNTED = 71;
/** The audit has looked at the info of one page. */
export const W_AUDITED = 72;
/** A producer has a slot of a vm_event ring and has not filled it. */
export const W_EVENT_CLAIMED = 80;
/** A paged page is on its way in, its request is not on the ring yet. */
export const W_POPULATE_TYPED = 81;
/** A request is on the ring, its vCPU still in the hypervisor, the listener not told. */
export const W_EVENT_PUT = 82;
/** A violation of a page's access was found; the p2m lock is free, the event not sent. */
export const W_ACCESS_CHECKED = 83;
/** A paged page was met; the p2m lock is free, nobody has asked for the page. */
export const W_PAGED_SEEN = 84;
/** Historic: evict has looked at the page, without the p2m lock. */
export const W_EVICT_CHECKED = 85;
/** A response is off the ring, nothing has been done about it. */
export const W_RESPONSE_TAKEN = 87;
/** A producer has seen that there is a ring, and does not hold its lock. */
export const W_RING_CHECKED = 89;
/** A vCPU found no free slot and has not said yet that it waits for one. */
export const W_NO_SLOT = 90;
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
/** A grant entry was read, and is not marked as in use yet; in version 2 it is marked, and is not read again yet. */
export const W_GRANT_ENTRY_READ = 110;
/** A granted frame is pinned, and mapped nowhere yet. */
export const W_GRANT_PINNED = 111;
/** Historic: an unmap has taken its use off the count, the mapping is still there. */
export const W_GRANT_UNPINNED = 112;
/** Historic: a copy has given its reference back, its pin is still there. */
export const W_GRANT_PUT = 113;
/** Historic: a frame of the grant table was found for add_to_physmap, the table's lock is free, the p2m not changed. */
export const W_GRANT_FRAME_FOUND = 114;
/** Historic: add_to_physmap knows where the frame was before, and holds no lock. */
export const W_GRANT_OLD_GFN = 115;
/** Historic: a status frame that goes is out of the p2m, its references are not counted yet. */
export const W_GRANT_STATUS_UNMAPPED = 116;
/** A transitive entry has been read, the locks are free, the other domain's entry comes next. */
export const W_GRANT_TRANSITIVE = 117;
/** Both frames of a grant copy are known, no byte is copied yet. */
export const W_GRANT_COPY_FOUND = 118;
/** Pseudo window: an access to shared state, made a switch point by `--windows all` (scripts/footprint.mjs). */
export const W_ACCESS = 30;
