/** Exact operation counters (journal): index of a u64 at COUNTERS_BASE. Names for people: host/lib/counters.ts. */
/** Counters 0..127: exits by reason (abi/exits.ts below 64, ours at 64 + low bits). */
export const CTR_EXITS = 0;
export const CTR_INSTRUCTIONS = 128;
export const CTR_TLB_MISSES = 129;
export const CTR_TLB_FILLS = 130;
export const CTR_TLB_FLUSHES = 131;
export const CTR_TLB_FLUSHED_PAGES = 132;
export const CTR_SHOOTDOWNS_SENT = 133;
export const CTR_SHOOTDOWNS_ACKED = 134;
export const CTR_GUEST_WALKS = 135;
export const CTR_GUEST_WALK_STEPS = 136;
export const CTR_EPT_WALKS = 137;
export const CTR_EPT_WALK_STEPS = 138;
export const CTR_BLOCKS_DECODED = 139;
export const CTR_CODE_INVALIDATIONS = 140;
export const CTR_PAGE_FAULTS = 141;
export const CTR_EXCEPTIONS = 142;
export const CTR_INTERRUPTS_INJECTED = 143;
export const CTR_HYPERCALLS = 144;
export const CTR_EVTCHN_SENDS = 145;
export const CTR_IOREQ_SENT = 146;
export const CTR_IOREQ_COMPLETED = 147;
export const CTR_IOREQ_BUFFERED = 148;
export const CTR_IOREQ_NULL = 149;
export const CTR_IOREQ_INTERNAL = 150;
export const CTR_REPLAYS = 151;
export const CTR_P2M_SETS = 152;
export const CTR_P2M_SPLITS = 153;
export const CTR_LOCKS_TAKEN = 154;
export const CTR_LOCKS_CONTENDED = 155;
export const CTR_DOMAIN_PAUSES = 156;
export const CTR_PAGES_COPIED = 157;
/** What an audit counts (docs/audit-domctl.md): calls of the guest-copy routines, their bytes, loop turns, frames allocated. */
export const CTR_GUEST_COPIES = 158;
export const CTR_GUEST_COPY_BYTES = 159;
export const CTR_LOOP_STEPS = 160;
export const CTR_FRAMES_ALLOCATED = 161;
/** A vCPU was to wait for its own pause: on a real machine the hypervisor stops here. */
export const CTR_SELF_PAUSES = 162;
/** Times a hypercall was preempted and goes on. */
export const CTR_CONTINUATIONS = 163;
/** TLB flushes of a whole domain because its p2m changed; entries made invalid on purpose; paths and entries repaired. */
export const CTR_P2M_FLUSHES = 170;
export const CTR_P2M_INVALIDATED = 171;
export const CTR_P2M_RESOLVES = 172;
export const CTR_P2M_RESOLVED_ENTRIES = 173;
/** Misconfiguration exits that found everything repaired already, by another vCPU. */
export const CTR_P2M_SPURIOUS = 174;
export const CTR_LOGDIRTY_FAULTS = 175;
export const CTR_LOGDIRTY_MARKED = 176;
export const CTR_POD_POPULATED = 177;
export const CTR_POD_RECLAIMED = 178;
export const CTR_P2M_SHATTERED = 179;
/** vm_event: requests sent; responses acted upon; responses skipped; waits for a slot; vCPUs stopped before the ring is full. */
export const CTR_VM_EVENTS_SENT = 230;
export const CTR_VM_EVENTS_ANSWERED = 231;
export const CTR_VM_EVENTS_SKIPPED = 232;
export const CTR_VM_EVENT_WAITS = 233;
export const CTR_VM_EVENT_BLOCKED = 234;
export const CTR_ACCESS_VIOLATIONS = 235;
export const CTR_PAGED_OUT = 236;
export const CTR_PAGED_IN = 237;
/** A response index that nobody's requests can explain. */
export const CTR_VM_EVENT_BAD_INDEX = 238;
export const CTR_VM_EVENT_EMULATED = 239;
/** Steps (copies and loop turns) made while the domctl lock was held, and where that count began. */
export const CTR_DOMCTL_LOCK_STEPS = 200;
export const CTR_DOMCTL_LOCK_START = 201;
/** vCPUs that a pause had to wait for. */
export const CTR_PAUSE_WAITS = 202;
/** Domctls that found the lock held and were made again. */
export const CTR_DOMCTL_BUSY = 203;
/** Memory sharing: pages nominated and shared; unshared by copying, or by the last sharer; failed for want of memory. */
export const CTR_SHARE_NOMINATED = 215;
export const CTR_SHARE_SHARED = 216;
export const CTR_UNSHARE_COPIED = 217;
export const CTR_UNSHARE_LAST = 218;
export const CTR_UNSHARE_FAILED = 219;
/** Reverse maps: lists that became hashes, hashes that became lists, records looked at. */
export const CTR_RMAP_TO_HASH = 220;
export const CTR_RMAP_TO_LIST = 221;
export const CTR_RMAP_STEPS = 222;
/** Pages of a fork that came from its parent: shared with it, or copied. */
export const CTR_FORK_SHARED = 223;
export const CTR_FORK_COPIED = 224;
/** I/O resources: accesses to devices of the bus, IOTLB fills and flushes, look-ups in capabilities, records that counting touched. */
export const CTR_BUS_ACCESSES = 240;
export const CTR_IOTLB_FILLS = 241;
export const CTR_IOTLB_FLUSHES = 242;
export const CTR_IO_CHECKS = 243;
export const CTR_IO_COUNT_STEPS = 244;
/** MMIO pages of dom0 that were mapped at their first touch. */
export const CTR_IO_FIXUPS = 246;
/** Grants: mapped, unmapped, copies and their bytes, operations refused, entries that changed before they were marked. */
export const CTR_GRANT_MAPS = 255;
export const CTR_GRANT_UNMAPS = 256;
export const CTR_GRANT_COPIES = 257;
export const CTR_GRANT_COPY_BYTES = 258;
export const CTR_GRANT_REFUSED = 259;
export const CTR_GRANT_RETRIES = 260;
export const NR_COUNTERS = 512;
