/** Exit reasons: the basic exit reasons of VMX (Intel SDM 3D, appendix C), and ours from 0x1000 on, which no processor reports. */
export const EXIT_EXCEPTION_NMI = 0;
export const EXIT_EXTERNAL_INTERRUPT = 1;
export const EXIT_TRIPLE_FAULT = 2;
export const EXIT_INIT = 3;
export const EXIT_SIPI = 4;
export const EXIT_INTERRUPT_WINDOW = 7;
export const EXIT_TASK_SWITCH = 9;
export const EXIT_CPUID = 10;
export const EXIT_HLT = 12;
export const EXIT_INVD = 13;
export const EXIT_RDPMC = 15;
export const EXIT_VMCALL = 18;
export const EXIT_CR_ACCESS = 28;
export const EXIT_DR_ACCESS = 29;
export const EXIT_IO_INSTRUCTION = 30;
export const EXIT_RDMSR = 31;
export const EXIT_WRMSR = 32;
export const EXIT_MWAIT = 36;
export const EXIT_MONITOR_TRAP_FLAG = 37;
export const EXIT_MONITOR = 39;
export const EXIT_PAUSE = 40;
export const EXIT_EPT_VIOLATION = 48;
export const EXIT_EPT_MISCONFIG = 49;
/** LGDT, LIDT, SGDT, SIDT; LLDT, LTR, SLDT, STR. */
export const EXIT_GDTR_IDTR = 46;
export const EXIT_LDTR_TR = 47;
export const EXIT_WBINVD = 54;
export const EXIT_XSETBV = 55;
export const EXIT_PML_FULL = 62;

/** An exception that the exception bitmap intercepts: exit reason 0 of the manual, which inside the processor would mean "no exit". */
export const EXIT_EXCEPTION = 0x1005;

/** The instruction budget given to the processor is used up; nothing happened. */
export const EXIT_BUDGET = 0x1000;
/** Something outside asked this processor to stop between two instructions (cpu.attention). */
export const EXIT_ATTENTION = 0x1001;
/** Replay only: the instruction needs an answer that is not in the cache yet (hw/answers.ts, the last entry). */
export const EXIT_NEED_ANSWER = 0x1002;
/** Replay only: the instruction retired, or delivered its exception to the guest. */
export const EXIT_REPLAYED = 0x1003;
/** Replay only: the instruction cannot be emulated here (for instance its bytes do not lie in RAM). */
export const EXIT_UNHANDLEABLE = 0x1004;

// Exit qualification of an EPT violation (SDM 3C, table 27-7): bit numbers.
export const QUAL_READ_BIT = 0;
export const QUAL_WRITE_BIT = 1;
export const QUAL_FETCH_BIT = 2;
export const QUAL_EPT_R_BIT = 3;
export const QUAL_EPT_W_BIT = 4;
export const QUAL_EPT_X_BIT = 5;
/** The guest linear address is valid. */
export const QUAL_GLA_VALID_BIT = 7;
/** Only with GLA_VALID: 1 = access to the final translation, 0 = access by the walk of the guest's own tables. */
export const QUAL_GLA_FINAL_BIT = 8;
/** The exit happened in an IRET that had just ended the blocking of NMIs. */
export const QUAL_NMI_UNBLOCKED_BIT = 12;

// Exit qualification of an I/O instruction (SDM 3C, table 27-5).
/** Bits 2:0 = size - 1. */
export const QUAL_IO_IN_BIT = 3;
export const QUAL_IO_STRING_BIT = 4;
export const QUAL_IO_REP_BIT = 5;
export const QUAL_IO_IMMEDIATE_BIT = 6;
/** Bits 31:16 = port. */
export const QUAL_IO_PORT_SHIFT = 16;
