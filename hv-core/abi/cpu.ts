/** Offsets inside a processor (hw/cpu.ts) that the host's views read; pinned there at compile time. */
export const CPU_REGS = 0;
export const CPU_ZERO_REG = 128;
export const CPU_RIP = 136;
export const CPU_FLAG_KIND = 168;
export const CPU_RFLAGS = 172;
export const CPU_SEGS = 176;
export const CPU_SEG_SIZE = 24;
export const CPU_GDTR_BASE = 368;
export const CPU_IDTR_BASE = 376;
export const CPU_CR0 = 392;
export const CPU_CR2 = 400;
export const CPU_CR3 = 408;
export const CPU_CR4 = 416;
export const CPU_EFER = 432;
export const CPU_RETIRED = 616;
export const CPU_CPL = 624;
export const CPU_EXIT_REASON = 680;
export const CPU_EXIT_GPA = 696;
export const CPU_TLB_MASK = 728;

export const REG_RAX = 0;
export const REG_RCX = 1;
export const REG_RDX = 2;
export const REG_RBX = 3;
export const REG_RSP = 4;
export const REG_RBP = 5;
export const REG_RSI = 6;
export const REG_RDI = 7;

export const SEG_ES = 0;
export const SEG_CS = 1;
export const SEG_SS = 2;
export const SEG_DS = 3;
export const SEG_FS = 4;
export const SEG_GS = 5;
export const SEG_LDTR = 6;
export const SEG_TR = 7;

/** Exception vectors (SDM 3A, table 6-1). */
export const VEC_DE = 0;
export const VEC_DB = 1;
export const VEC_NMI = 2;
export const VEC_BP = 3;
export const VEC_OF = 4;
export const VEC_BR = 5;
export const VEC_UD = 6;
export const VEC_NM = 7;
export const VEC_DF = 8;
export const VEC_TS = 10;
export const VEC_NP = 11;
export const VEC_SS = 12;
export const VEC_GP = 13;
export const VEC_PF = 14;
export const VEC_MF = 16;
export const VEC_AC = 17;
export const VEC_MC = 18;
export const VEC_XM = 19;
