/**
 * The vm_event interface, version 7 (spec 04 section 4.6; Xen's public vm_event.h): DOMCTL_vm_event_op, the ring page, its entries
 * of 400 bytes, flags and reasons; XENMEM_paging_op, XENMEM_access_op and DOMCTL_monitor_op go with it.
 */
export const VM_EVENT_VERSION = 7;

/** DOMCTL_vm_event_op: op u32 @0, mode u32 @4, port or version u32 @8. */
export const VM_EVENT_ENABLE = 0;
export const VM_EVENT_DISABLE = 1;
export const VM_EVENT_RESUME = 2;
export const VM_EVENT_GET_VERSION = 3;

export const VM_EVENT_MODE_PAGING = 1;
export const VM_EVENT_MODE_MONITOR = 2;
export const VM_EVENT_MODE_SHARING = 3;

/** Ring page: indexes at its start, then eight entries; a response takes the place of its request. */
export const RING_REQ_PROD = 0;
export const RING_REQ_EVENT = 4;
export const RING_RSP_PROD = 8;
export const RING_RSP_EVENT = 12;
export const RING_ENTRIES = 64;
export const VM_EVENT_SIZE = 400;
export const RING_SLOTS = 8;

/** Entry. */
export const EV_VERSION = 0;
export const EV_FLAGS = 4;
export const EV_REASON = 8;
export const EV_VCPU_ID = 12;
export const EV_ALTP2M = 16;
export const EV_UNION = 24;
export const EV_DATA = 56;

/** Union, mem_access: gfn u64, offset u64, gla u64, flags u32. mem_paging: gfn u64, p2mt u32, flags u32. mem_sharing: gfn u64, p2mt u32. */
export const EV_GFN = 24;
export const EV_P2MT = 32;
export const EV_PAGING_FLAGS = 36;
export const EV_OFFSET = 32;
export const EV_GLA = 40;
export const EV_ACCESS_FLAGS = 48;
/** Union, cpuid: insn_length u32, leaf u32, subleaf u32. singlestep: gfn u64. */
export const EV_CPUID_LENGTH = 24;
export const EV_CPUID_LEAF = 28;
export const EV_CPUID_SUBLEAF = 32;
/** Union, write_ctrlreg: index u32, then new and old value; mov_to_msr: msr u64, new and old value. */
export const EV_REGISTER = 24;
export const EV_NEW_VALUE = 32;
export const EV_OLD_VALUE = 40;
/** Union, software_breakpoint: gfn u64, pending_dbg u64, insn_length u32, type u8. */
export const EV_BREAKPOINT_LENGTH = 40;
export const EV_BREAKPOINT_TYPE = 44;
/** Union, desc_access: instruction information u32, qualification u64 @32, descriptor u8, is_write u8. */
export const EV_DESCRIPTOR = 40;
export const EV_DESCRIPTOR_WRITE = 41;
/** Data of a response: size u32, bytes (SET_EMUL_READ_DATA). */
export const EV_READ_SIZE = 56;
export const EV_READ_BYTES = 60;
export const EV_READ_MAX = 340;

/** Reasons. */
export const REASON_MEM_ACCESS = 1;
export const REASON_MEM_SHARING = 2;
export const REASON_MEM_PAGING = 3;
export const REASON_WRITE_CTRLREG = 4;
export const REASON_MOV_TO_MSR = 5;
export const REASON_SOFTWARE_BREAKPOINT = 6;
export const REASON_GUEST_REQUEST = 8;
export const REASON_DESCRIPTOR_ACCESS = 13;
export const REASON_SINGLESTEP = 7;
export const REASON_CPUID = 10;

/** Flags of an entry. */
export const EVF_VCPU_PAUSED = 1;
export const EVF_FOREIGN = 2;
export const EVF_EMULATE = 4;
export const EVF_EMULATE_NOWRITE = 8;
export const EVF_TOGGLE_SINGLESTEP = 16;
export const EVF_SET_EMUL_READ_DATA = 32;
export const EVF_DENY = 64;
export const EVF_SET_REGISTERS = 256;

/** Flags of mem_access. */
export const MEM_ACCESS_R = 1;
export const MEM_ACCESS_W = 2;
export const MEM_ACCESS_X = 4;
export const MEM_ACCESS_GLA_VALID = 8;
export const MEM_ACCESS_WITH_GLA = 16;
export const MEM_ACCESS_IN_GPT = 32;

/** Flags of mem_paging. */
export const MEM_PAGING_DROP_PAGE = 1;
export const MEM_PAGING_EVICT_FAIL = 2;

/** Register snapshot in the data (struct vm_event_regs_x86, 344 bytes): sixteen GPRs as on the stack, then these. */
export const REGS_RFLAGS = 128;
export const REGS_DR6 = 136;
export const REGS_DR7 = 144;
export const REGS_RIP = 152;
export const REGS_CR0 = 160;
export const REGS_CR2 = 168;
export const REGS_CR3 = 176;
export const REGS_CR4 = 184;
export const REGS_SYSENTER_CS = 192;
export const REGS_SYSENTER_ESP = 200;
export const REGS_SYSENTER_EIP = 208;
export const REGS_EFER = 216;
export const REGS_STAR = 224;
export const REGS_LSTAR = 232;
export const REGS_GDTR_BASE = 240;
export const REGS_NPT_BASE = 248;
export const REGS_VMTRACE_POS = 256;
export const REGS_CS_BASE = 264;
export const REGS_SS_BASE = 268;
export const REGS_DS_BASE = 272;
export const REGS_ES_BASE = 276;
export const REGS_FS_BASE = 280;
export const REGS_GS_BASE = 288;
/** Limit (20 bits) and rights (12 bits) of CS SS DS ES FS GS, one u32 each. */
export const REGS_CS = 296;
export const REGS_SHADOW_GS = 320;
export const REGS_GDTR_LIMIT = 328;
/** Selectors of CS SS DS ES FS GS, two bytes each. */
export const REGS_CS_SEL = 330;
export const REGS_SIZE = 344;

/** XENMEM_paging_op: op u8 @0, domain u16 @2, buffer u64 @8, gfn u64 @16. */
export const XENMEM_PAGING_OP = 20;
export const PAGING_NOMINATE = 0;
export const PAGING_EVICT = 1;
export const PAGING_PREP = 2;

/** XENMEM_access_op: op u8 @0, access u8 @1, domid u16 @2, nr u32 @4, pfn u64 @8, pfn_list @16, access_list @24. */
export const XENMEM_ACCESS_OP = 21;
export const ACCESS_SET = 0;
export const ACCESS_GET = 1;
export const ACCESS_SET_MULTI = 4;
/** Public access beyond those whose numbers are the p2m's own (p2m-types.ts): the domain's default. */
export const XENMEM_ACCESS_DEFAULT = 11;

/** DOMCTL_monitor_op: op u32 @0, event u32 @4, options @8. */
export const MONITOR_ENABLE = 0;
export const MONITOR_DISABLE = 1;
export const MONITOR_GET_CAPABILITIES = 2;
export const MONITOR_EMULATE_EACH_REP = 3;
/** Options: index u8 @8, sync u8, onchangeonly u8, 5 bytes 0, bits that do not matter u64 @16; msr u32 @8, onchangeonly u8 @12. */
export const MONITOR_WRITE_CTRLREG = 0;
export const MONITOR_MOV_TO_MSR = 1;
export const MONITOR_SOFTWARE_BREAKPOINT = 3;
export const MONITOR_DESC_ACCESS = 9;
export const MONITOR_SINGLESTEP = 2;
export const MONITOR_GUEST_REQUEST = 4;
export const MONITOR_CPUID = 6;
