/**
 * Where the code and data of a comparison case lie: the same linear addresses on the real CPU (harness.c maps them) and in our guest
 * (silicon-guest.ts builds page tables for them). All below 4 GiB, so that 32-bit code reaches them. Next: case-format.ts.
 */
/** Two pages, readable, writable, executable; refilled with INT3 before each case. */
export const CODE_BASE = 0x1000_0000;
export const CODE_BYTES = 0x2000;
/** Two pages, readable and writable, not executable; the pages around them are not mapped. */
export const DATA_BASE = 0x2000_0000;
export const DATA_BYTES = 0x2000;
/** One page, readable only. It repeats the first page of data. */
export const READ_ONLY_BASE = 0x2000_4000;
export const READ_ONLY_BYTES = 0x1000;
/** Bases of FS and GS in 64-bit mode: offsets into the data pages, not aligned on purpose. */
export const FS_BASE = DATA_BASE + 0x808;
export const GS_BASE = DATA_BASE + 0x1010;

/** Selectors as Linux's user mode has them; our guest's GDT repeats them. */
export const SEL_CODE32 = 0x23;
export const SEL_DATA = 0x2b;
export const SEL_CODE64 = 0x33;

/** Where our guest's kernel lies (16 pages); nothing on the real system, and no case goes there but by chance. */
export const KERNEL_BASE = 0xe000_0000;
export const KERNEL_BYTES = 0x2_0000;
