/** Control registers, EFER, RFLAGS, MSR indices and descriptor types (SDM 3A chapters 2, 3 and 4; SDM 4). Literals below 2^31 only. */
export const CR0_PE = 0x1;
export const CR0_MP = 0x2;
export const CR0_EM = 0x4;
export const CR0_TS = 0x8;
export const CR0_ET = 0x10;
export const CR0_NE = 0x20;
export const CR0_WP = 0x10000;
export const CR0_AM = 0x40000;
export const CR0_NW = 0x20000000;
export const CR0_CD = 0x40000000;
export const CR0_PG_BIT = 31;

export const CR4_VME = 0x1;
export const CR4_PVI = 0x2;
export const CR4_TSD = 0x4;
export const CR4_DE = 0x8;
export const CR4_PSE = 0x10;
export const CR4_PAE = 0x20;
export const CR4_MCE = 0x40;
export const CR4_PGE = 0x80;
export const CR4_PCE = 0x100;
export const CR4_OSFXSR = 0x200;
export const CR4_OSXMMEXCPT = 0x400;

export const EFER_SCE = 0x1;
export const EFER_LME = 0x100;
export const EFER_LMA = 0x400;
export const EFER_NXE = 0x800;

export const FLAG_CF = 0x1;
export const FLAG_FIXED = 0x2;
export const FLAG_PF = 0x4;
export const FLAG_AF = 0x10;
export const FLAG_ZF = 0x40;
export const FLAG_SF = 0x80;
export const FLAG_TF = 0x100;
export const FLAG_IF = 0x200;
export const FLAG_DF = 0x400;
export const FLAG_OF = 0x800;
export const FLAG_IOPL = 0x3000;
export const FLAG_IOPL_SHIFT = 12;
export const FLAG_NT = 0x4000;
export const FLAG_RF = 0x10000;
export const FLAG_VM = 0x20000;
export const FLAG_AC = 0x40000;
export const FLAG_VIF = 0x80000;
export const FLAG_VIP = 0x100000;
export const FLAG_ID = 0x200000;

export const MSR_TSC = 0x10;
export const MSR_SYSENTER_CS = 0x174;
export const MSR_SYSENTER_ESP = 0x175;
export const MSR_SYSENTER_EIP = 0x176;
export const MSR_PAT = 0x277;
/** The extended ones are this base plus an offset (the base itself does not fit a literal below 2^31). */
export const MSR_EXTENDED_HIGH = 0xc000;
export const MSR_LOW_EFER = 0x80;
export const MSR_LOW_STAR = 0x81;
export const MSR_LOW_LSTAR = 0x82;
export const MSR_LOW_CSTAR = 0x83;
export const MSR_LOW_SFMASK = 0x84;
export const MSR_LOW_FS_BASE = 0x100;
export const MSR_LOW_GS_BASE = 0x101;
export const MSR_LOW_KERNEL_GS_BASE = 0x102;
export const MSR_LOW_TSC_AUX = 0x103;

/** Hidden part of a segment register (Seg.attr): VMX access-rights format. */
export const ATTR_TYPE = 0xf;
export const ATTR_ACCESSED = 0x1;
export const ATTR_WRITABLE = 0x2; // data: writable, code: readable
export const ATTR_EXPAND_DOWN = 0x4; // data: expand-down, code: conforming
export const ATTR_CODE = 0x8;
export const ATTR_S = 0x10;
export const ATTR_DPL_SHIFT = 5;
export const ATTR_P = 0x80;
export const ATTR_L = 0x2000;
export const ATTR_DB = 0x4000;
export const ATTR_G = 0x8000;
export const ATTR_UNUSABLE = 0x10000;

/** Types of system descriptors (S = 0). */
export const TYPE_TSS16 = 1;
export const TYPE_LDT = 2;
export const TYPE_CALL_GATE16 = 4;
export const TYPE_TASK_GATE = 5;
export const TYPE_INTERRUPT_GATE16 = 6;
export const TYPE_TRAP_GATE16 = 7;
export const TYPE_TSS = 9;
export const TYPE_TSS_BUSY = 11;
export const TYPE_CALL_GATE = 12;
export const TYPE_INTERRUPT_GATE = 14;
export const TYPE_TRAP_GATE = 15;

/** Page-fault error code (SDM 3A, 4.7). */
export const PF_P = 0x1;
export const PF_W = 0x2;
export const PF_U = 0x4;
export const PF_RSVD = 0x8;
export const PF_I = 0x10;
