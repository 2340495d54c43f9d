/**
 * What CPUID shows a guest: the leaves a PVH guest reads on the recorded Xen 4.17 (an AMD EPYC policy), minus what this processor
 * does not execute. A hidden feature must not work, so each mask below names what it takes away.
 * Leaves that depend on the vCPU or its CR4 are finished in on-cpuid.ts.
 */

/** Highest leaves of the three ranges. */
export const CPUID_MAX_BASIC: u32 = 0xd;
export const CPUID_MAX_XEN: u32 = 0x4000_0005;
export const CPUID_MAX_EXTENDED: u32 = 0x8000_001e;

/**
 * Leaf 1 EDX: DE 2, PSE 3, TSC 4, MSR 5, PAE 6, MCE 7, CX8 8, APIC 9, SEP 11, MTRR 12, PGE 13, MCA 14, CMOV 15, PAT 16, CLFSH 19,
 * HTT 28. Hidden against the record: FPU 0, PSE36 17, MMX 23, FXSR 24, SSE 25, SSE2 26.
 */
export const LEAF1_EDX: u32 = 0x1009_fbfc;
/**
 * Leaf 1 ECX: CX16 13, POPCNT 23, hypervisor 31.
 * Hidden: SSE3 0, PCLMUL 1, SSSE3 9, FMA 12, SSE4 19 20, x2APIC 21, MOVBE 22, AES 25, XSAVE 26, AVX 28, F16C 29, RDRAND 30.
 */
export const LEAF1_ECX: u32 = 0x8080_2000;
/** Leaf 80000001 EDX: the common bits of leaf 1, SYSCALL 11, NX 20, LM 29. Hidden: MMXEXT 22, page1gb 26, RDTSCP 27. */
export const LEAF_EXT1_EDX: u32 = 0x2011_fbfc;
/** Leaf 80000001 ECX: LAHF 0. Hidden: CR8 by LOCK MOV 4, ABM 5, SSE4A 6. */
export const LEAF_EXT1_ECX: u32 = 0x0000_0001;

// {leaf, subleaf, eax, ebx, ecx, edx}; everything else is zero.
const ROW_BYTES: usize = 24;
const ROWS: usize = 12;
const TABLE = memory.data<u32>([
  0x0000_0000,
  0,
  CPUID_MAX_BASIC,
  0x68747541,
  0x444d4163,
  0x69746e65,
  0x0000_0001,
  0,
  0x00800f12,
  0x00040800,
  LEAF1_ECX,
  LEAF1_EDX,
  0x0000_000b,
  1,
  0,
  0,
  1,
  0,
  0x8000_0000,
  0,
  CPUID_MAX_EXTENDED,
  0x68747541,
  0x444d4163,
  0x69746e65,
  0x8000_0001,
  0,
  0x00800f12,
  0,
  LEAF_EXT1_ECX,
  LEAF_EXT1_EDX,
  0x8000_0002,
  0,
  0x20444d41,
  0x43595045,
  0x6f725020,
  0x73736563,
  0x8000_0003,
  0,
  0x0000726f,
  0,
  0,
  0,
  0x8000_0005,
  0,
  0x01ff01ff,
  0x01ff01ff,
  0x20080140,
  0x40040140,
  0x8000_0006,
  0,
  0,
  0x42004200,
  0x02006140,
  0x00408140,
  0x8000_0008,
  0,
  0x00003028,
  0,
  0x00002003,
  0,
  0x4000_0000,
  0,
  CPUID_MAX_XEN,
  0x566e6558,
  0x65584d4d,
  0x4d4d566e,
  0x4000_0002,
  0,
  1,
  0x4000_0000,
  0,
  0,
]);

/** Address of the four words of a leaf, 0 when they are all zero. A subleaf counts only for the leaves that have them. */
export function cpuidRow(leaf: u32, subleaf: u32): usize {
  for (let i: usize = 0; i < ROWS; i++) {
    const row = TABLE + i * ROW_BYTES;
    if (load<u32>(row) != leaf) continue;
    if (leaf == 0xb && load<u32>(row, 4) != subleaf) continue;
    return row + 8;
  }
  return 0;
}

/** The rows that are there for everybody, for who lists them: address of {leaf, subleaf, eax, ebx, ecx, edx}, 0 = no more. */
export function cpuidRowAt(index: u32): usize {
  return index < <u32>ROWS ? TABLE + <usize>index * ROW_BYTES : 0;
}
