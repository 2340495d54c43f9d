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
/** Security module: 0 = Xen's "dummy" (spec 05 section 5.4), 1 = the same plus the rules of a loaded policy. */
export const KNOB_XSM = 10;
export const XSM_DUMMY = 0;
export const XSM_POLICY = 1;
/** Defects of 2014 that are put back, DEFECT_*; only builds with variants have them. */
export const KNOB_DOMCTL_DEFECTS = 11;
/** XSA-127: resumedomain and the TSC operations may be aimed at oneself. */
export const DEFECT_SELF_PAUSE = 1;
/** XSA-132: gettscinfo copies a local structure out with padding that nobody wrote. */
export const DEFECT_STACK_PADDING = 2;
/** The pause by the toolstack is a flag: two pauses, one unpause. */
export const DEFECT_PAUSE_FLAG = 4;
/** iomem_permission does not ask whether the caller holds what it gives. */
export const DEFECT_UNCHECKED_IO = 8;
/** get_vnumainfo looks at the tables, lets the lock go, and copies from them (C-72, XSA-502). */
export const DEFECT_VNUMA_FREE = 16;
/** Interface of HYPERVISOR_domctl: 0 = 4.17 (version 0x15), 1 = May 2014 (version 0x0a), the one that was audited. */
export const KNOB_DOMCTL_ERA = 12;
export const DOMCTL_ERA_4_17 = 0;
export const DOMCTL_ERA_0A = 1;
/** Bitmaps wider than the machine: 0 = cleared byte by byte as far as the caller says (F-3), 1 = left alone there. */
export const KNOB_DOMCTL_BITMAP = 13;
/** A handler of a global VIRQ: 0 = the last one wins, 1 = -EBUSY while the one before has it bound. */
export const KNOB_VIRQ_HANDLER = 14;
/** What a policy sees of max_mem: 0 = who and whom, as in Xen, 1 = its value, too. */
export const KNOB_XSM_MAX_MEM = 15;
/** Domctls that a device model's domain may make: 0 = under the domctl lock, 1 = without it (XSA-492). */
export const KNOB_DOMCTL_LOCK = 16;
/** What Xen 4.17 does and a processor would not: 0 = xen, 1 = fixed. */
export const AS_XEN = 0;
export const AS_FIXED = 1;
/** Variants only, 0/1: the memory of dom0's process may change under its hypercall (spec 07 section 7.5): W_COPY_OUT is a window. */
export const KNOB_CALLER_MEMORY = 20;
/** Repeated string instructions: one request with a count, or every element for itself. */
export const KNOB_EMULATE_REP = 32;
/** A repeated instruction may hand a watched page to a device model as its buffer (N-4), or its elements are writes to be watched. */
export const KNOB_EMULATE_REP_TYPED = 33;
/** Parts of accesses that are remembered while an instruction waits: three, so that some never end (N-2), or all. */
export const KNOB_EMULATE_CACHE = 34;
/** INS forgets what it read when its write has to wait, and the domain crashes (N-3), or not. */
export const KNOB_EMULATE_INS = 35;
/** Pages of type ioreq_server cannot be executed (N-1), or can. */
export const KNOB_TYPE_FETCH = 36;
/** A vCPU whose server is destroyed while it waits is never woken (N-5), or reads all ones. */
export const KNOB_DESTROY_PENDING = 37;
/** Variant, third value: the vCPU is woken, but its request is not ended. */
export const DESTROY_PENDING_WAKE = 2;
/** The pages of a destroyed server keep the type (S-1), or become RAM. */
export const KNOB_DESTROY_TYPE = 38;
/**
 * set_mem_type looks for the type's server once (S-3); 1 = for each page under the p2m lock, and the unmap looks at the count of pages under
 * it, too; 2 = only the first half of that.
 */
export const KNOB_SET_TYPE_CHECK = 39;
export const SET_TYPE_CHECK_PAGE = 2;
/** A request is marked as pending after the device model was told (S-5), or before. */
export const KNOB_SEND_PENDING = 42;
/** A request that could not be sent still puts a shutdown off (S-6), or not. */
export const KNOB_SEND_DEFERRAL = 43;
/** 1 = superpages are not executable; a fetch splits them (the mitigation of CVE-2018-12207, Xen's exec_sp = false). */
export const KNOB_EPT_NX_SUPERPAGES = 40;
/** 1 = the processor logs first writes to tracked pages (page-modification logging), 0 = they fault. */
export const KNOB_PML = 60;
/** Unmapping the type ends the tracking of log-dirty mode (S-2), or not. */
export const KNOB_UNMAP_LOG_DIRTY = 44;
/** Mapping and unmapping the type: 1 = with the domain paused. */
export const KNOB_UNMAP_PAUSE = 45;
/** What becomes of the pages when the type is unmapped (hv/ioreq/mem-type-reset.ts). */
export const KNOB_UNMAP_RESET = 46;
export const RESET_SWEEP = 0;
export const RESET_RECALC = 1;
export const RESET_DIRECT = 2;
export const RESET_NONE = 3;
/** Variant: a sweep that compares the type as it will be with the type as it was, and so never finds a page (C-3). */
export const RESET_COMPARE = 4;
/** An EPT violation: 0 = the p2m lock is held until the request is sent, 1 = let go after the lookup. */
export const KNOB_EARLY_UNLOCK = 47;
/** An access to a page of the type that has no server: run again, nobody answers, or carried out on RAM. */
export const KNOB_NO_SERVER = 48;
export const NO_SERVER_RETRY = 0;
export const NO_SERVER_NULL = 1;
export const NO_SERVER_COPY = 2;
/** The read half of a read-modify-write on a page of the type: 0 = from RAM, 1 = a request of its own. */
export const KNOB_RMW_READ = 49;
export const KNOB_IOREQ_LOCK = 50;
export const IOREQ_LOCK_PLAIN = 1;
/** 1 = a server may ask for reads of the type, too. */
export const KNOB_TYPE_READ = 51;
/** 1 = several servers may have the type; an access goes to the one that claims its address as a memory range. */
export const KNOB_TYPE_SERVERS = 52;
/** The type can be mapped while pages of it are left: 0 = -EBUSY, 1 = yes. */
export const KNOB_MAP_LEFT = 53;
/** Memory sharing (hv/sharing): the answers of 4.17 or of the interface of 2012, where they differ. */
export const KNOB_SHARING_ERA = 80;
export const SHARING_ERA_4_17 = 0;
export const SHARING_ERA_2012 = 1;
/** What the hypervisor was built for and runs on: Intel's EPT, AMD's NPT (experimental), or without sharing (Xen's default). */
export const KNOB_SHARING_BUILD = 81;
export const SHARING_INTEL = 0;
export const SHARING_AMD = 1;
export const SHARING_OFF = 2;
/** The reverse map of a shared frame: list or hash by its length, or always one of them. */
export const KNOB_SHARING_RMAP = 82;
export const SHARING_RMAP_AUTO = 0;
export const SHARING_RMAP_LIST = 1;
export const SHARING_RMAP_HASH = 2;
/** A failed add_to_physmap counts a page as saved (S-8), or not. */
export const KNOB_SHARING_ADD_COUNT = 83;
/** The audit leaves pages locked that it finds broken (S-9), or not. */
export const KNOB_SHARING_AUDIT = 84;
/** Sharing moves pages of a third domain under the page locks (S-10: Xen stops), or with its p2m lock taken before them. */
export const KNOB_SHARING_THIRD = 85;
/** A fork takes its parent's p2m lock on top of its own, sharing takes both by their ids; or sharing takes a fork's first, too. */
export const KNOB_SHARING_FORK_ORDER = 61;
/** Defects of sharing's history, SHARING_DEFECT_*; only builds with variants have them. */
export const KNOB_SHARING_DEFECTS = 86;
/** C-50: the type is looked at before the lock is taken, and not again. */
export const SHARING_DEFECT_UNLOCKED_TYPE = 1;
/** C-51: an unshare that fails for want of memory does not put the saved page back. */
export const SHARING_DEFECT_NO_UNDO = 2;
/** C-52: the info of the last sharer is freed before the page is private. */
export const SHARING_DEFECT_EARLY_FREE = 4;
/** C-53: the last type reference of a destroyed domain's page is dropped under the page lock. */
export const SHARING_DEFECT_PUT_LOCKED = 8;
/** C-54: sharing with a bad client handle leaves the pages locked. */
export const SHARING_DEFECT_LEFT_LOCKED = 16;
/** C-56: the two gfns are locked in the order they were named. */
export const SHARING_DEFECT_NAMED_ORDER = 64;
/** Whether the hypervisor can page (CONFIG_MEM_PAGING): 0 = no, as in the recorded 4.17, 1 = yes. */
export const KNOB_MEM_PAGING = 88;
/** mem_access needs VMX: 0 = it has it, 1 = answers as on AMD. */
export const KNOB_MEM_ACCESS = 89;
export const MEM_ACCESS_SVM = 1;
/** A response to a paging request by another domain's vCPU is ignored (S-11), or ends the request. */
export const KNOB_PAGING_FOREIGN = 90;
/** Disabling a ring while another processor has a slot of it: the ring is freed under its feet (C-66), or -EBUSY. */
export const KNOB_EVENT_DISABLE = 91;
/** Variant, third value: the domain is not paused meanwhile (V-5). */
export const EVENT_DISABLE_UNPAUSED = 2;
/** An event whose listener went before it could be sent: the domain crashes (spec 02), or the access is made again without a listener. */
export const KNOB_EVENT_UNSENT = 59;
export const UNSENT_CRASH = 0;
export const UNSENT_GO_ON = 1;
/** Slots of a vm_event ring that are used, 1..8; 0 = all 8. A race is small with a small ring. */
export const KNOB_EVENT_SLOTS = 95;
/** The I/O Resource Accountant (spec 06 section 6.3): 0 = Xen without it, otherwise how it keeps its counts of mapped frames. */
export const KNOB_IO_ACCOUNT = 96;
export const ACCOUNT_NONE = 0;
/** A word for every frame of the I/O window, in an array. */
export const ACCOUNT_HEADERS = 1;
/** An object for every mapped frame, found through a hash. */
export const ACCOUNT_SLAB = 2;
/** A tree of tables. */
export const ACCOUNT_RADIX = 3;
/** Ranges of frames with equal counts. */
export const ACCOUNT_RANGES = 4;
/** What the accountant does when a right is withdrawn that is in use. */
export const KNOB_IO_REVOKE = 97;
export const REVOKE_REFUSE = 0;
export const REVOKE_LAZY = 1;
export const REVOKE_FORCED = 2;
/** How dom0's ports are checked: every access traps, or the I/O bitmap lets through what dom0 held when it was made. */
export const KNOB_IO_PORT_CHECK = 98;
export const PORT_CHECK_TRAP = 0;
export const PORT_CHECK_BITMAP = 1;
/** The hypervisor's own I/O frames: 0 = reserved, 1 = also counted as mapped by it. */
export const KNOB_IO_OWN = 99;
/** Ports that dom0 does not get at start: first port | number << 16, 0 = none. */
export const KNOB_IO_DOM0_PORTS = 100;
/** Rules of the permission and mapping domctls. */
export const KNOB_IO_ERA = 101;
export const IO_ERA_4_17 = 0;
/** A caller hands out what it does not hold; mapping memory grants it. */
export const IO_ERA_2014 = 1;
/** A port mapping needs the target's right, and is no grant. Which of these domctls go without the domctl lock: KNOB_DOMCTL_LOCK. */
export const IO_ERA_TODAY = 2;
/** Most ranges in a domain's set of capabilities, 0 = unlimited. */
export const KNOB_IO_QUOTA = 102;
/** 1 = the machine has an IOMMU, and the devices of the bus can be assigned. */
export const KNOB_IO_IOMMU = 103;
/** Variant: where a check, a count or a flush comes too early or not at all. */
export const KNOB_IO_RACE = 104;
/** R-1, C-91: the right is checked, and the entry made later, with nothing held in between. */
export const IO_RACE_CHECK_THEN_MAP = 1;
/** a grant looks for other holders and takes the unit in two steps. */
export const IO_RACE_DOUBLE_GRANT = 2;
/** the count falls before the TLBs are flushed. */
export const IO_RACE_EARLY_COUNT = 3;
/** C-16: a port mapping that was found is used without another look. */
export const IO_RACE_PORT_LIST = 4;
/** C-94: a flush leaves the devices' translation caches out. */
export const IO_RACE_NO_IOTLB = 5;
/** an interrupt line changes hands while its last interrupt is not acknowledged. */
export const IO_RACE_IN_FLIGHT = 6;
/** C-93: a direct mapping of MMIO has the memory type that the guest's MTRRs say. */
export const IO_RACE_GUEST_TYPE = 7;
/** the count falls with nothing held, behind the p2m lock: another mapping that is counted meanwhile is forgotten. */
export const IO_RACE_LOST_COUNT = 8;
/** the tables of a dying domain go without its p2m lock, and a mapping does not look at the right again. */
export const IO_RACE_TEARDOWN = 9;
/** 1 = dom0 begins with no I/O right at all: it gets what the boot loader's list says. */
export const KNOB_IO_DOM0_CAPS = 105;
/** vCPUs of dom0 beside the one that the host plays. */
export const KNOB_DOM0_VCPUS = 106;
/** Devices on the bus (abi/bus.ts). */
export const KNOB_IO_DEVICES = 107;
/** expand_array: 0 = looks under the event lock whether there is an event array, 1 = before it only (C-73, XSA-505). */
export const KNOB_FIFO_EXPAND = 117;
export const FIFO_UNLOCKED = 1;
/** XSETBV of a guest: 0 = #UD, as CPUID says; 1 = it works, although XSAVE and XRSTOR do not (C-75). */
export const KNOB_XSETBV = 116;
/** The size that getvcpuextstate tells: 0 = the largest there can be, 1 = that of the state used so far (C-75). */
export const KNOB_EXT_STATE = 118;
export const EXT_STATE_CURRENT = 1;
/** Writes to ioreq servers: 0 = only what Xen itself buffers, 1 = every write that fits goes through the buffered ring, nobody waits. */
export const KNOB_IOREQ_BUFFERED = 120;
export const BUFFERED_WRITES = 1;
export const NR_KNOBS = 128;

// For the explorer's own tests (builds with variants).
/** 1 = the order of locks is not checked (base/lock-order.ts): for races whose lesson is the deadlock that comes of it. */
export const KNOB_LOCK_ORDER = 64;
/** Number of the lock or look that is left out (base/mutation.ts), 0 = none. */
export const KNOB_MUTATION = 65;

// Variants: historic bugs and designs that lost. Only builds with variants (debug, race) look at them; 0 = as Xen 4.17.
/** How a vCPU waits for an answer. 0 = the value read last decides, and it looks again after it said that it sleeps. */
export const KNOB_WAIT = 54;
export const WAIT_NO_RETEST = 1;
export const WAIT_REREAD = 2;
export const WAIT_CHECK_THEN_JUMP = 3;
/** 1 = a write to an ioreq_server page takes ioreqLock while it holds the p2m lock: the reverse of set_ioreq_server_state. */
export const KNOB_SEND_LOCK = 55;
export const SEND_LOCK_IOREQ = 1;
/** Also a variant: the notification of a device model takes the event channels lock of the domain, as it did before 2015. */
export const SEND_LOCK_EVENTS = 2;
/** The answer to a memory write is in: 0 = it ends the request, 1 = the page type decides again, and RAM is written directly. */
export const KNOB_RESUME = 56;
export const RESUME_BY_TYPE = 1;
/** A replayed access that has an answer: 0 = takes it, 1 = goes to memory where the EPT allows it by now (except the page of the exit). */
export const KNOB_REPLAY = 57;
export const REPLAY_BY_RIGHTS = 1;
/**
 * Writes to an ioreq_server page: 0 = the p2m lock is held until the request is sent, 1 = dropped after the lookup, and a page that is
 * RAM by then is taken for a device. KNOB_EARLY_UNLOCK lets go too, but decides anew.
 */
export const KNOB_UNMAP_LOCK = 58;
export const UNMAP_LOCK_EARLY_RELEASE = 1;
/** Paging as it once was. 1 = prep maps the page before its contents are there; 2 = evict without the p2m lock; 3 = evict takes a page that was touched. */
export const KNOB_PAGING_HISTORIC = 92;
export const PAGING_PREP_EARLY = 1;
export const PAGING_UNLOCKED = 2;
export const PAGING_TOUCH_IGNORED = 3;
/** Responses as they once were handled. 1 = registers are written at once; 2 = the vCPU need not be paused, nor its count be above 0. */
export const KNOB_EVENT_RESPONSE = 93;
export const RESPONSE_AT_ONCE = 1;
export const RESPONSE_UNCHECKED = 2;
/**
 * Full rings. 0 = as Xen 4.17: a slot lets one stopped vCPU go on. Historic: 1 = they go on only when there are as many slots as vCPUs;
 * 2 = the request is dropped. 3 = fixed: a free slot lets all of them go on, those that find none sleep.
 */
export const KNOB_EVENT_FULL = 94;
export const FULL_NEEDS_ALL = 1;
export const FULL_LOST = 2;
export const FULL_WAKE_ALL = 3;
/** A writable map of another domain's grant takes no type reference (as in Xen, for HVM), so nominate_gref may share a page that is written to; or it takes one. */
export const KNOB_GRANT_TYPE = 109;
/** Defects of the grant table's history (catalogue C-40 to C-45, C-55), one at a time. */
export const KNOB_GRANT_RACE = 108;
/** XSA-379: add_to_physmap of a table's frame looks where it was before, and takes the p2m lock afterwards. */
export const GRANT_RACE_STATUS_UNLOCKED = 1;
/** XSA-384: the frame is found under the grant lock, and mapped without it. */
export const GRANT_RACE_STATUS_DROPPED = 2;
/** XSA-486: the same with a reference to the frame. */
export const GRANT_RACE_STATUS_REF = 3;
/** XSA-255: a change of version frees status frames wherever they are mapped. */
export const GRANT_RACE_BLIND_FREE = 4;
/** C-41, XSA-501: where the marks of use are is remembered over a change of version. */
export const GRANT_RACE_STALE_STATUS = 5;
/** C-42, XSA-218: an unmap counts first, and unmaps afterwards. */
export const GRANT_RACE_EARLY_REPORT = 6;
/** C-43, XSA-236: a copy gives its reference back before its pin. */
export const GRANT_RACE_PUT_FIRST = 7;
/** C-44, XSA-500: a copy to a pinned entry holds the frame that the entry names by now. */
export const GRANT_RACE_ENTRY_FRAME = 8;
/** C-45: a copy does not hold the page that it found by gfn. */
export const GRANT_RACE_NO_REFERENCE = 9;
/** C-55: nominate_gref takes the gfn of any entry. */
export const GRANT_RACE_UNCHECKED_REF = 10;
/** XSA-387: the old mapping of a table's frame is removed under the grant lock, the new one made without looking again. */
export const GRANT_RACE_EARLY_REMOVE = 11;
/** The later pieces of a split access: 0 = each looks at its page's type, 1 = they go the way the first one went. */
export const KNOB_PIECES = 72;
export const PIECES_BY_FIRST = 1;
/** Whether a request counts as sent: 0 = the sender says so, 1 = the caller asks afterwards whether the domain shuts down (C-7). */
export const KNOB_SUSPENDED = 73;
export const SUSPENDED_BY_DOMAIN = 1;
/** INVALIDATE requests: 0 = as Xen 4.17, 1 = only the first answer is waited for (C-8), 2 = one flag for the whole domain (C-9). */
export const KNOB_INVALIDATE = 74;
export const INVALIDATE_FIRST = 1;
export const INVALIDATE_DOMAIN_FLAG = 2;
/** The hypervisor copies data out to a page of type ioreq_server: 0 = refused, 1 = written behind the device model's back. */
export const KNOB_COPY_TYPED = 75;
export const COPY_TYPED_WRITE = 1;
/** The pointers of a buffered ring become small again: 0 = one compare-and-swap of both, 1 = a plain store of both (C-10). */
export const KNOB_CANONICALISE = 76;
export const CANONICALISE_STORE = 1;
/** An event to inject: 0 = its fields are filled in behind a gate, 1 = the vector first, then the rest (C-14). */
export const KNOB_INJECT = 77;
export const INJECT_VECTOR_FIRST = 1;
/** Dirty video memory: 0 = independent of log-dirty mode, 1 = switches the mode on, while another call may be ending it (C-20). */
export const KNOB_VRAM_MODE = 78;
export const VRAM_MODE_SHARED = 1;
/** A lookup without the p2m lock: 0 = reads an entry once, 1 = once to see whether it is present, once for its type (C-25). */
export const KNOB_LEAF_READ = 79;
export const LEAF_READ_TWICE = 1;
