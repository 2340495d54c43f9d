/**
 * The loops that are measured, as assembly text. Each starts in 32-bit protected mode without paging at PROGRAM_BASE, builds identity
 * page tables of 4 KiB pages for its first 96 MiB, turns paging on and then runs for ever. Any machine that can enter protected mode
 * can run them: ours, and the ones we are compared with.
 */
import { asm, assemble } from "../guests/asm/assembler.ts";

export const PROGRAM_BASE = 0x10_0000;
/** Where a program keeps its tables, and the 64 MiB it walks over. */
const PAGE_DIRECTORY = 0x40_0000;
const AREA = 0x100_0000;
const AREA_BYTES = 0x400_0000;
const MAPPED_PAGES = 0x6000;
/** RAM that a program needs. */
export const PROGRAM_RAM = 0x600_0000;

const paging = asm`
        bits 32
        org ${PROGRAM_BASE}
start:  mov edi, ${PAGE_DIRECTORY + 0x1000}
        mov eax, 3
        mov ecx, ${MAPPED_PAGES}
.pte:   mov [edi], eax
        add edi, 4
        add eax, 0x1000
        dec ecx
        jnz .pte
        mov edi, ${PAGE_DIRECTORY}
        mov eax, ${PAGE_DIRECTORY + 0x1003}
        mov ecx, ${MAPPED_PAGES / 1024}
.pde:   mov [edi], eax
        add edi, 4
        add eax, 0x1000
        dec ecx
        jnz .pde
        mov eax, ${PAGE_DIRECTORY}
        mov cr3, eax
        mov eax, cr0
        or eax, 0x80000000
        mov cr0, eax
        mov esp, 0x90000
        mov eax, 1
        mov ebx, 2
        mov ecx, 3
        mov esi, ${AREA}
`;

export interface BenchProgram {
  readonly name: string;
  /** What one pass does, for the report. */
  readonly what: string;
  readonly source: string;
}

export const PROGRAMS: readonly BenchProgram[] = [
  {
    name: "ALU loop",
    what: "register arithmetic, one branch in ten",
    source: asm`${paging}
loop:   add eax, ebx
        xor ecx, eax
        lea edx, [ecx+eax*2+5]
        sub ebx, edx
        shl esi, 3
        add esi, ecx
        and eax, 0x7fffffff
        or edx, 1
        dec edi
        jnz loop
        jmp loop
`,
  },
  {
    name: "memory loop, in order",
    what: "a load and a store for each 4 bytes of 64 MiB, 4K pages",
    source: asm`${paging}
loop:   mov eax, [esi]
        add eax, ebx
        mov [esi], eax
        add esi, 4
        cmp esi, ${AREA + AREA_BYTES}
        jb loop
        mov esi, ${AREA}
        jmp loop
`,
  },
  {
    name: "memory loop, random",
    what: "loads at pseudo-random places of 64 MiB, 4K pages; one load in 6 instructions",
    source: asm`${paging}
loop:   imul eax, eax, 1664525
        add eax, 1013904223
        mov edx, eax
        shr edx, 6
        add ecx, [edx+${AREA}]
        jmp loop
`,
  },
  {
    name: "call/branch loop",
    what: "a call, a return and two branches in each eight instructions",
    source: asm`${paging}
loop:   call leaf
        inc ebx
        test bl, 3
        jz skip
        add eax, ebx
skip:   jmp loop
leaf:   xor edx, eax
        ret
`,
  },
];

export interface StringProgram extends BenchProgram {
  /** Elements that are moved for each instruction that retires: what is done in one page at once counts as one instruction. */
  readonly elementsPerInstruction: number;
}

/** Chunks of a page each, one after the other, in 1 MiB. */
const CHUNKS = 256;
/** mov ecx; rep ...; dec; jnz */
const INSTRUCTIONS_PER_CHUNK = 4;
/** The copy goes not to a multiple of the TLB's reach: each page would drive its source out of the TLB. */
const COPY_DISTANCE = AREA_BYTES / 2 + 0x1_0000;

export const STRING_PROGRAMS: readonly StringProgram[] = [
  {
    name: "string copy, REP MOVSD",
    what: "elements of 4 bytes, a page at a time",
    elementsPerInstruction: 1024 / INSTRUCTIONS_PER_CHUNK,
    source: asm`${paging}
        cld
loop:   mov edi, ${AREA + COPY_DISTANCE}
        mov esi, ${AREA}
        mov edx, ${CHUNKS}
chunk:  mov ecx, 1024
        rep movsd
        dec edx
        jnz chunk
        jmp loop
`,
  },
  {
    name: "string fill, REP STOSB",
    what: "elements of a byte, a page at a time",
    elementsPerInstruction: 4096 / INSTRUCTIONS_PER_CHUNK,
    source: asm`${paging}
        cld
loop:   mov edi, ${AREA}
        mov edx, ${CHUNKS}
chunk:  mov ecx, 4096
        rep stosb
        dec edx
        jnz chunk
        jmp loop
`,
  },
];

/** A page fault in each turn; its handler steps over the load and returns. Four instructions retire for each fault. */
export const FAULT_PROGRAM: BenchProgram = {
  name: "page faults",
  what: "fault, handler through the IDT, IRET",
  source: asm`${paging}
        lgdt [gdt.pointer]
        jmp 8:.flat
.flat:  mov ax, 0x10
        mov ds, ax
        mov ss, ax
        lidt [idt.pointer]
loop:   mov eax, [${AREA + 2 * AREA_BYTES}]
resume: jmp loop
handler: add esp, 4
        add dword [esp], resume - loop
        iretd
        align 8
gdt:    dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt.pointer: dw 23
        dd gdt
        align 8
idt:    zero 112
        dw handler & 0xffff, 8, 0x8e00, handler >> 16
idt.pointer: dw 119
        dd idt
`,
};
export const INSTRUCTIONS_PER_FAULT = 4;

/** The bytes of a program, to be put at PROGRAM_BASE. */
export function programBytes(program: BenchProgram): Uint8Array {
  return assemble(program.source).sections[0]!.bytes;
}
