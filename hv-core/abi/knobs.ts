/** Indices of the knobs in the machine header. Names, values, defaults and eras: host/lib/knobs.ts. */
/** 0 = 2012, 1 = 2014, 2 = 2016-v6, 3 = 4.17, 4 = today. */
export const KNOB_ERA = 0;
export const ERA_2012 = 0;
export const ERA_2014 = 1;
export const ERA_2016 = 2;
export const ERA_4_17 = 3;
export const ERA_TODAY = 4;
/** Entries of each vCPU's TLB: a power of two, 16..1024. */
export const KNOB_TLB_ENTRIES = 1;
/** 0 = device models in the host, 1 = inside the core. */
export const KNOB_DEVICE_AT = 2;
export const DEVICE_AT_HOST = 0;
export const DEVICE_AT_CORE = 1;
/** 1 = map guest RAM with 2M (and 1G) leaves where aligned, 0 = 4K only. */
export const KNOB_P2M_SUPERPAGES = 3;
/** Guest instructions a vCPU may run before the next one has its turn. */
export const KNOB_SCHED_QUANTUM = 4;
/** Frequency of the virtual TSC in kHz; one instruction is one tick. */
export const KNOB_TSC_KHZ = 5;
/** Classes of trace events that are recorded: bit n = class n; 0 switches the ring off. */
export const KNOB_TRACE_MASK = 6;
/** Physical address width shown to guests and checked in page tables. */
export const KNOB_PADDR_BITS = 7;
/** Seed of everything random. */
export const KNOB_SEED = 8;
/** 1 = guests may write to the hypervisor's console (a debug build of Xen), 0 = only dom0 (a release build). */
export const KNOB_CONSOLE_VERBOSE = 9;
/** 1 = superpages are not executable; a fetch splits them (the mitigation of CVE-2018-12207, Xen's exec_sp = false). */
export const KNOB_EPT_NX_SUPERPAGES = 40;
export const NR_KNOBS = 64;

// Variants: historic bugs and designs that lost. Only builds with variants (debug, race) look at them; 0 = as Xen 4.17.
/** Writes to an ioreq_server page: 0 = the p2m lock is held until the request is sent, 1 = dropped after the lookup. */
export const KNOB_UNMAP_LOCK = 48;
export const UNMAP_LOCK_EARLY_RELEASE = 1;
/** The page type has no server: 0 = run the instruction again, 1 = the write vanishes. */
export const KNOB_UNMAP_NO_SERVER = 49;
export const UNMAP_NO_SERVER_NULL = 1;
/** Unmapping the type: 1 = with the domain paused, pages reset before it goes on (v6 of September 2016). */
export const KNOB_UNMAP_PAUSE = 50;
/** How a vCPU waits for an answer. 0 = the value read last decides, and it looks again after it said that it sleeps. */
export const KNOB_WAIT = 51;
export const WAIT_NO_RETEST = 1;
export const WAIT_REREAD = 2;
export const WAIT_CHECK_THEN_JUMP = 3;
/** A server dies with a request pending: 0 = the vCPU is not told, 1 = woken and the request ended, 2 = woken only. */
export const KNOB_DESTROY_PENDING = 52;
export const DESTROY_PENDING_FINISH = 1;
export const DESTROY_PENDING_WAKE = 2;
/** A server dies with the page type: 0 = its pages keep the type, 1 = they become RAM. */
export const KNOB_DESTROY_TYPE = 53;
export const DESTROY_TYPE_SWEEP = 1;
/** set_mem_type looks for the type's server: 0 = once, before the loop, 1 = for each page, under its lock. */
export const KNOB_SET_TYPE_CHECK = 54;
export const SET_TYPE_CHECK_LOCKED = 1;
/** 1 = a write to an ioreq_server page takes ioreqLock while it holds the p2m lock: the reverse of set_ioreq_server_state. */
export const KNOB_SEND_LOCK = 55;
export const SEND_LOCK_IOREQ = 1;
/** The answer to a memory write is in: 0 = it ends the request, 1 = the page type decides again, and RAM is written directly. */
export const KNOB_RESUME = 56;
export const RESUME_BY_TYPE = 1;
/** A replayed access that has an answer: 0 = takes it, 1 = goes to memory where the EPT allows it by now (except the page of the exit). */
export const KNOB_REPLAY = 57;
export const REPLAY_BY_RIGHTS = 1;
/** Rights of an ioreq_server page: 0 = never executable, 1 = executable. */
export const KNOB_IOREQ_TYPE_X = 58;
