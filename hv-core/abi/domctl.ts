/** DOMCTL numbers beyond those of the first boot (abi/hypercalls.ts), their small constants, and the policy of the XSM module. */
export const DOMCTL_SETVCPUAFFINITY = 9;
export const DOMCTL_SETVCPUCONTEXT = 12;
export const DOMCTL_GETVCPUCONTEXT = 13;
export const DOMCTL_SCHEDULER_OP = 16;
export const DOMCTL_SETDEBUGGING = 18;
export const DOMCTL_IRQ_PERMISSION = 19;
export const DOMCTL_IOMEM_PERMISSION = 20;
export const DOMCTL_IOPORT_PERMISSION = 21;
export const DOMCTL_SOFT_RESET_CONT = 23;
/** The same number in 2014. */
export const DOMCTL_ARCH_SETUP = 23;
export const DOMCTL_SETTIMEOFFSET = 24;
export const DOMCTL_GETVCPUAFFINITY = 25;
export const DOMCTL_REAL_MODE_AREA = 26;
export const DOMCTL_SENDTRIGGER = 28;
export const DOMCTL_SUBSCRIBE = 29;
export const DOMCTL_SET_ADDRESS_SIZE = 35;
export const DOMCTL_GET_ADDRESS_SIZE = 36;
export const DOMCTL_ASSIGN_DEVICE = 37;
export const DOMCTL_BIND_PT_IRQ = 38;
export const DOMCTL_MEMORY_MAPPING = 39;
export const DOMCTL_IOPORT_MAPPING = 40;
export const DOMCTL_SET_EXT_VCPUCONTEXT = 42;
export const DOMCTL_GET_EXT_VCPUCONTEXT = 43;
export const DOMCTL_TEST_ASSIGN_DEVICE = 45;
export const DOMCTL_SET_TARGET = 46;
export const DOMCTL_DEASSIGN_DEVICE = 47;
export const DOMCTL_UNBIND_PT_IRQ = 48;
export const DOMCTL_GET_DEVICE_GROUP = 50;
export const DOMCTL_DEBUG_OP = 54;
export const DOMCTL_GETHVMCONTEXT_PARTIAL = 55;
export const DOMCTL_VM_EVENT_OP = 56;
export const DOMCTL_MEM_SHARING_OP = 57;
export const DOMCTL_GETTSCINFO = 59;
export const DOMCTL_SETTSCINFO = 60;
export const DOMCTL_GETPAGEFRAMEINFO3 = 61;
export const DOMCTL_SETVCPUEXTSTATE = 62;
export const DOMCTL_GETVCPUEXTSTATE = 63;
export const DOMCTL_SET_ACCESS_REQUIRED = 64;
export const DOMCTL_AUDIT_P2M = 65;
export const DOMCTL_SET_VIRQ_HANDLER = 66;
export const DOMCTL_SET_BROKEN_PAGE_P2M = 67;
export const DOMCTL_SETNODEAFFINITY = 68;
export const DOMCTL_GETNODEAFFINITY = 69;
export const DOMCTL_CACHEFLUSH = 71;
export const DOMCTL_GET_VCPU_MSRS = 72;
export const DOMCTL_SET_VCPU_MSRS = 73;
export const DOMCTL_SETVNUMAINFO = 74;
export const DOMCTL_PSR_CMT_OP = 75;
export const DOMCTL_MONITOR_OP = 77;
export const DOMCTL_PSR_ALLOC = 78;
export const DOMCTL_SOFT_RESET = 79;
export const DOMCTL_VUART_OP = 81;
export const DOMCTL_GET_CPU_POLICY = 82;
export const DOMCTL_SET_CPU_POLICY = 83;
export const DOMCTL_VMTRACE_OP = 84;
export const DOMCTL_GDBSX_PAUSEVCPU = 1001;
export const DOMCTL_GDBSX_UNPAUSEVCPU = 1002;
export const DOMCTL_GDBSX_DOMSTATUS = 1003;

/** struct xen_domctl: its size, and where the union starts. */
export const DOMCTL_SIZE = 144;
export const DOMCTL_UNION = 16;
export const DOMINF_DEBUGGED = 64;
/** XEN_DOMCTL_CDF_xs_domain: the domain runs xenstore. */
export const CDF_XS = 16;

export const VCPUAFFINITY_HARD = 1;
export const VCPUAFFINITY_SOFT = 2;
export const VCPUAFFINITY_FORCE = 4;

export const SENDTRIGGER_NMI = 0;
export const SENDTRIGGER_RESET = 1;
export const SENDTRIGGER_INIT = 2;
export const SENDTRIGGER_POWER = 3;
export const SENDTRIGGER_SLEEP = 4;

/** struct vcpu_guest_context, 64-bit, and two of its flags. */
export const VCPU_CONTEXT_SIZE = 5168;
export const VGCF_IN_KERNEL = 4;
export const VGCF_ONLINE = 32;

/** TSC modes of settscinfo. */
export const TSC_MODE_DEFAULT = 0;
export const TSC_MODE_ALWAYS_EMULATE = 1;
export const TSC_MODE_NEVER_EMULATE = 2;

/** Physical processors that affinities are about. One executes (the scheduler takes turns); the recorded machine has two. */
export const NR_PCPUS = 2;

/**
 * xsm_op of the policy module (only with the knob xsm = policy): {cmd u32, version u32, nr_rules u32, pad u32, rules handle u64}.
 * A rule is 16 bytes: subject domid u16, target domid u16, domctl u16, pad u16, limit u64.
 */
export const XSM_OP_SIZE = 24;
export const XSM_OP_LOAD_POLICY = 1;
export const XSM_POLICY_VERSION = 1;
export const XSM_RULE_SIZE = 16;
export const XSM_MAX_RULES = 128;
/** Instead of a target: every domain but the control domain; the domain that is the subject's target (DOMCTL_set_target). */
export const XSM_TARGET_ANY = 0xffff;
export const XSM_TARGET_OWN = 0xfffe;

/** Interface version of May 2014 (knob domctl.era), and what only that interface has. */
export const DOMCTL_INTERFACE_VERSION_0A = 0x0a;
export const DOMCTL_GETPAGEFRAMEINFO = 7;
export const DOMCTL_GETPAGEFRAMEINFO2 = 8;
export const DOMCTL_SET_OPT_FEATURE = 44;
export const DOMCTL_SET_CPUID = 49;
export const DOMCTL_SET_MACHINE_ADDRESS_SIZE = 51;
export const DOMCTL_GET_MACHINE_ADDRESS_SIZE = 52;
export const DOMCTL_SUPPRESS_SPURIOUS_PAGE_FAULTS = 53;
export const DOMCTL_DISABLE_MIGRATE = 58;
export const DOMCTL_SET_MAX_EVTCHN = 70;
/** The last command of that interface, but for the debugger's from 1000 on. */
export const DOMCTL_LAST_0A = 73;

/** A leaf of a CPU policy: {leaf, subleaf, eax, ebx, ecx, edx}; a MSR of one: {index u32, flags u32, value u64}. */
export const CPUID_LEAF_SIZE = 24;
export const POLICY_MSR_SIZE = 16;
/** Any subleaf. */
export const CPUID_NO_SUBLEAF = 0xffffffff;
/** Room that get_cpu_policy asks for. */
export const CPUID_MAX_LEAVES = 120;
export const POLICY_MAX_MSRS = 2;
/** Entries of the table of set_cpuid. */
export const SET_CPUID_ENTRIES = 40;
