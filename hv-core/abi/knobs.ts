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
/** 1 = superpages are not executable; a fetch splits them (the mitigation of CVE-2018-12207, Xen's exec_sp = false). */
export const KNOB_EPT_NX_SUPERPAGES = 40;
export const NR_KNOBS = 64;
