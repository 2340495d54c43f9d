/** Hypercall numbers and sub-operations (spec 08). What is not listed answers -ENOSYS. */
export const HC_PLATFORM_OP = 7;
export const HC_MEMORY_OP = 12;
export const HC_MULTICALL = 13;
export const HC_SET_TIMER_OP = 15;
export const HC_XEN_VERSION = 17;
export const HC_CONSOLE_IO = 18;
export const HC_GRANT_TABLE_OP = 20;
export const HC_VM_ASSIST = 21;
export const HC_VCPU_OP = 24;
export const HC_MMUEXT_OP = 26;
export const HC_XSM_OP = 27;
export const HC_SCHED_OP = 29;
export const HC_EVENT_CHANNEL_OP = 32;
export const HC_PHYSDEV_OP = 33;
export const HC_HVM_OP = 34;
export const HC_SYSCTL = 35;
export const HC_DOMCTL = 36;
export const HC_ARGO_OP = 39;
export const HC_XENPMU_OP = 40;
export const HC_DM_OP = 41;
export const HC_HYPFS_OP = 42;
export const NR_HYPERCALLS = 64;

export const DOMID_SELF = 0x7ff0;
export const DOMID_IO = 0x7ff1;
export const DOMID_XEN = 0x7ff2;
export const DOMID_COW = 0x7ff3;
export const DOMID_INVALID = 0x7ff4;
export const DOMID_ANY = 0x7ff5;
export const DOMID_FIRST_RESERVED = 0x7ff0;

export const XENMEM_INCREASE_RESERVATION = 0;
export const XENMEM_DECREASE_RESERVATION = 1;
export const XENMEM_MAXIMUM_RAM_PAGE = 2;
export const XENMEM_CURRENT_RESERVATION = 3;
export const XENMEM_MAXIMUM_RESERVATION = 4;
export const XENMEM_POPULATE_PHYSMAP = 6;
export const XENMEM_ADD_TO_PHYSMAP = 7;
export const XENMEM_MEMORY_MAP = 9;
export const XENMEM_SET_MEMORY_MAP = 13;
export const XENMEM_MAXIMUM_GPFN = 14;
export const XENMEM_REMOVE_FROM_PHYSMAP = 15;
export const XENMEM_ADD_TO_PHYSMAP_BATCH = 23;
export const XENMEM_GET_VNUMAINFO = 26;
export const XENMEM_ACQUIRE_RESOURCE = 28;
export const XENMAPSPACE_SHARED_INFO = 0;
export const XENMAPSPACE_GRANT_TABLE = 1;
export const XENMAPSPACE_GMFN = 2;
export const XENMAPSPACE_GMFN_RANGE = 3;
export const XENMAPSPACE_GMFN_FOREIGN = 4;
export const XENMAPSPACE_DEV_MMIO = 5;
export const XENMEM_RESOURCE_IOREQ_SERVER = 0;

export const SCHEDOP_YIELD = 0;
export const SCHEDOP_BLOCK = 1;
export const SCHEDOP_SHUTDOWN = 2;
export const SCHEDOP_POLL = 3;
export const SCHEDOP_REMOTE_SHUTDOWN = 4;
export const SHUTDOWN_POWEROFF = 0;
export const SHUTDOWN_REBOOT = 1;
export const SHUTDOWN_SUSPEND = 2;
export const SHUTDOWN_CRASH = 3;
export const SHUTDOWN_WATCHDOG = 4;
export const SHUTDOWN_SOFT_RESET = 5;

export const VCPUOP_INITIALISE = 0;
export const VCPUOP_UP = 1;
export const VCPUOP_DOWN = 2;
export const VCPUOP_IS_UP = 3;
export const VCPUOP_GET_RUNSTATE_INFO = 4;
export const VCPUOP_REGISTER_RUNSTATE_AREA = 5;
export const VCPUOP_SET_PERIODIC_TIMER = 6;
export const VCPUOP_STOP_PERIODIC_TIMER = 7;
export const VCPUOP_SET_SINGLESHOT_TIMER = 8;
export const VCPUOP_STOP_SINGLESHOT_TIMER = 9;
export const VCPUOP_REGISTER_VCPU_INFO = 10;

export const EVTCHNOP_BIND_INTERDOMAIN = 0;
export const EVTCHNOP_BIND_VIRQ = 1;
export const EVTCHNOP_BIND_PIRQ = 2;
export const EVTCHNOP_CLOSE = 3;
export const EVTCHNOP_SEND = 4;
export const EVTCHNOP_STATUS = 5;
export const EVTCHNOP_ALLOC_UNBOUND = 6;
export const EVTCHNOP_BIND_IPI = 7;
export const EVTCHNOP_BIND_VCPU = 8;
export const EVTCHNOP_UNMASK = 9;
export const EVTCHNOP_RESET = 10;
export const EVTCHNOP_INIT_CONTROL = 11;
export const EVTCHNOP_EXPAND_ARRAY = 12;
export const EVTCHNOP_SET_PRIORITY = 13;
export const EVTCHNSTAT_CLOSED = 0;
export const EVTCHNSTAT_UNBOUND = 1;
export const EVTCHNSTAT_INTERDOMAIN = 2;
export const EVTCHNSTAT_PIRQ = 3;
export const EVTCHNSTAT_VIRQ = 4;
export const EVTCHNSTAT_IPI = 5;

export const VIRQ_TIMER = 0;
export const VIRQ_DEBUG = 1;
export const VIRQ_CONSOLE = 2;
export const VIRQ_DOM_EXC = 3;
export const NR_VIRQS = 24;

export const HVMOP_SET_PARAM = 0;
export const HVMOP_GET_PARAM = 1;
export const HVMOP_FLUSH_TLBS = 5;
export const HVMOP_GET_TIME = 10;
export const HVMOP_GET_MEM_TYPE = 15;
export const HVMOP_SET_EVTCHN_UPCALL_VECTOR = 23;

export const HVM_PARAM_CALLBACK_IRQ = 0;
export const HVM_PARAM_STORE_PFN = 1;
export const HVM_PARAM_STORE_EVTCHN = 2;
export const HVM_PARAM_IOREQ_PFN = 5;
export const HVM_PARAM_BUFIOREQ_PFN = 6;
export const HVM_PARAM_VIRIDIAN = 9;
export const HVM_PARAM_TIMER_MODE = 10;
export const HVM_PARAM_IDENT_PT = 12;
export const HVM_PARAM_CONSOLE_PFN = 17;
export const HVM_PARAM_ACPI_IOPORTS_LOCATION = 19;
export const HVM_PARAM_CONSOLE_EVTCHN = 18;
export const HVM_PARAM_PAGING_RING_PFN = 27;
export const HVM_PARAM_MONITOR_RING_PFN = 28;
export const HVM_PARAM_SHARING_RING_PFN = 29;
export const HVM_PARAM_TRIPLE_FAULT_REASON = 31;
export const HVM_PARAM_IOREQ_SERVER_PFN = 32;
export const HVM_PARAM_NR_IOREQ_SERVER_PAGES = 33;
export const HVM_NR_PARAMS = 39;

export const DOMCTL_CREATEDOMAIN = 1;
export const DOMCTL_DESTROYDOMAIN = 2;
export const DOMCTL_PAUSEDOMAIN = 3;
export const DOMCTL_UNPAUSEDOMAIN = 4;
export const DOMCTL_GETDOMAININFO = 5;
export const DOMCTL_MAX_MEM = 11;
export const DOMCTL_MAX_VCPUS = 15;
export const DOMCTL_GETHVMCONTEXT = 33;
export const DOMCTL_SETHVMCONTEXT = 34;
/** Interface version of Xen 4.17; a wrong one is -EACCES. */
export const DOMCTL_INTERFACE_VERSION_4_17 = 0x15;

export const DMOP_CREATE_IOREQ_SERVER = 1;
export const DMOP_GET_IOREQ_SERVER_INFO = 2;
export const DMOP_MAP_IO_RANGE_TO_IOREQ_SERVER = 3;
export const DMOP_UNMAP_IO_RANGE_FROM_IOREQ_SERVER = 4;
export const DMOP_SET_IOREQ_SERVER_STATE = 5;
export const DMOP_DESTROY_IOREQ_SERVER = 6;
export const DMOP_SET_MEM_TYPE = 12;
export const DMOP_INJECT_EVENT = 13;
export const DMOP_MAP_MEM_TYPE_TO_IOREQ_SERVER = 15;
export const DMOP_REMOTE_SHUTDOWN = 16;
export const DMOP_NR_VCPUS = 20;

export const DOMCTL_SETDOMAINHANDLE = 17;
export const DOMCTL_GETVCPUINFO = 14;
export const DOMCTL_HYPERCALL_INIT = 22;
export const DOMCTL_RESUMEDOMAIN = 27;
export const DOMCTL_GET_PAGING_MEMPOOL_SIZE = 85;
export const DOMCTL_SET_PAGING_MEMPOOL_SIZE = 86;
/** XEN_DOMCTL_CDF_*. */
export const CDF_HVM = 1;
export const CDF_HAP = 2;

/** Records of an HVM context (public save format). */
export const HVM_SAVE_END = 0;
export const HVM_SAVE_HEADER = 1;
export const HVM_SAVE_CPU = 2;
export const HVM_SAVE_MTRR = 14;
export const HVM_SAVE_HEADER_SIZE = 24;
export const HVM_SAVE_CPU_SIZE = 1032;
export const HVM_SAVE_MTRR_SIZE = 240;
export const HVM_SAVE_MAGIC = 0x54381286;

export const XENMEM_POD_FLAG_BIT = 16;
export const DOMINF_DYING = 1;
export const DOMINF_HVM = 2;
export const DOMINF_SHUTDOWN = 4;
export const DOMINF_PAUSED = 8;
export const DOMINF_BLOCKED = 16;
export const DOMINF_RUNNING = 32;
export const DOMINF_XS = 128;
export const DOMINF_HAP = 256;
export const DOMINF_SHUTDOWN_SHIFT = 16;

export const DMOP_TRACK_DIRTY_VRAM = 7;
export const DMOP_MODIFIED_MEMORY = 11;
export const DMOP_SET_PCI_INTX_LEVEL = 8;
export const DMOP_SET_ISA_IRQ_LEVEL = 9;
export const DMOP_SET_PCI_LINK_ROUTE = 10;
export const DMOP_INJECT_MSI = 14;
export const DMOP_RELOCATE_MEMORY = 17;
export const DMOP_PIN_MEMORY_CACHEATTR = 18;
/** Highest dm_op number that has a structure (spec 03 section 3.2). */
export const DMOP_LAST = 20;
/** Flags of DMOP_get_ioreq_server_info and of DMOP_map_mem_type_to_ioreq_server. */
export const DMOP_INFO_NO_GFNS = 1;
export const DMOP_MEM_ACCESS_READ = 1;
export const DMOP_MEM_ACCESS_WRITE = 2;

export const DOMCTL_SHADOW_OP = 10;
/** Operations and modes of DOMCTL_shadow_op. */
export const SHADOW_OP_OFF = 0;
export const SHADOW_OP_ENABLE_TEST = 1;
export const SHADOW_OP_ENABLE_LOGDIRTY = 2;
export const SHADOW_OP_CLEAN = 11;
export const SHADOW_OP_PEEK = 12;
export const SHADOW_OP_GET_ALLOCATION = 30;
export const SHADOW_OP_SET_ALLOCATION = 31;
export const SHADOW_OP_ENABLE = 32;
export const SHADOW_ENABLE_LOG_DIRTY = 4;
export const SHADOW_LOGDIRTY_FINAL = 1;

export const XENMEM_SET_POD_TARGET = 16;
export const XENMEM_GET_POD_TARGET = 17;

export const XENMEM_GET_SHARING_FREED_PAGES = 18;
export const XENMEM_GET_SHARING_SHARED_PAGES = 19;
export const XENMEM_SHARING_OP = 22;
/** XENMEM_sharing_op (spec 04 section 4.2): its operations today, and the numbers of 2012 that differ. */
export const SHARING_OP_NOMINATE_GFN = 0;
export const SHARING_OP_NOMINATE_GREF = 1;
export const SHARING_OP_SHARE = 2;
export const SHARING_OP_DEBUG_GFN = 3;
export const SHARING_OP_DEBUG_MFN = 4;
export const SHARING_OP_DEBUG_GREF = 5;
export const SHARING_OP_ADD_PHYSMAP = 6;
export const SHARING_OP_AUDIT = 7;
export const SHARING_OP_RANGE_SHARE = 8;
export const SHARING_OP_FORK = 9;
export const SHARING_OP_FORK_RESET = 10;
export const SHARING_OP_2012_RESUME = 3;
export const SHARING_OP_2012_DEBUG_GFN = 4;
export const SHARING_OP_2012_DEBUG_MFN = 5;
export const SHARING_OP_2012_DEBUG_GREF = 6;
export const SHARING_OP_2012_ADD_PHYSMAP = 7;
export const SHARING_OP_2012_AUDIT = 8;
/** Results that are no errno, returned as they are. */
export const SHARING_S_HANDLE_INVALID = -10;
export const SHARING_C_HANDLE_INVALID = -9;
/** Flags of fork and fork_reset. */
export const FORK_WITH_IOMMU_ALLOWED = 1;
export const FORK_BLOCK_INTERRUPTS = 2;
export const FORK_RESET_STATE = 4;
export const FORK_RESET_MEMORY = 8;
