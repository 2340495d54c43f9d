/**
 * From the PVH entry to a state in which a guest can work: own descriptor table, own stack, and (if wanted) long mode.
 *
 * The PVH entry is 32-bit protected mode with paging off; the selectors hold nothing usable until the guest loads its own
 * table (spec 10 section 2). Read next: hypercall.ts, faults.ts.
 */
import { asm } from "../asm/assembler.ts";

/** Guests are linked here, as most kernels are. */
export const IMAGE_BASE = 0x100000;

/** Selectors of `gdt()`. */
export const CODE32 = 0x08;
export const DATA = 0x10;
export const CODE64 = 0x18;
export const USER_CODE32 = 0x20 | 3;
export const USER_DATA = 0x28 | 3;
export const USER_CODE64 = 0x30 | 3;
export const TSS = 0x38;
export const ABSENT_CODE = 0x48;
export const ABSENT_DATA = 0x50;

/** The descriptor table. The TSS descriptor is left open for `loadTss` (faults.ts) to fill. */
export const gdt = (): string => asm`
        align 8
gdt:    dq 0
        dq 0x00cf9b000000ffff           ; 08 32-bit code, base 0, 4 GiB
        dq 0x00cf93000000ffff           ; 10 data
        dq 0x00af9b000000ffff           ; 18 64-bit code
        dq 0x00cffb000000ffff           ; 20 user 32-bit code
        dq 0x00cff3000000ffff           ; 28 user data
        dq 0x00affb000000ffff           ; 30 user 64-bit code
gdt.tss: dq 0, 0                        ; 38 TSS (two slots in long mode)
        dq 0x00cf1b000000ffff           ; 48 32-bit code, not present
        dq 0x00cf13000000ffff           ; 50 data, not present
gdt.end:
gdt.pointer: dw gdt.end - gdt - 1
        dq gdt
`;

/**
 * The entry: keeps EBX (start-info address) in `start_info`, loads table, segments and stack, goes on at `main`.
 * Put it first after `org`.
 */
export const start = (): string => asm`
        bits 32
start:  mov esp, stack_top
        mov [start_info], ebx
        lgdt [gdt.pointer]
        jmp ${CODE32}:.flat
.flat:  mov ax, ${DATA}
        mov ds, ax
        mov es, ax
        mov ss, ax
        cld
        jmp main
${gdt()}
start_info: dd 0
`;

/** Space for the stack; put it last. */
export const stack = (bytes = 4096): string => asm`
        align 16
        zero ${bytes}
stack_top:
`;

/** Where `enterLongMode` builds its tables: six pages of RAM well behind the image. */
export const PAGE_TABLES = 0x400000;
const PRESENT_WRITE_USER = 7;
const LARGE = 0x80;

/**
 * Identity-maps the first 4 GiB with 2 MiB pages (user access allowed), turns long mode on and goes on at `target` with 64-bit code.
 * Long mode needs, in this order: CR4.PAE, CR3, EFER.LME, CR0.PG, and a far jump to a 64-bit code segment.
 */
export const enterLongMode = (target: string): string => asm`
        mov dword [${PAGE_TABLES}], ${PAGE_TABLES + 0x1000 + PRESENT_WRITE_USER}
        mov dword [${PAGE_TABLES + 4}], 0
        mov edi, ${PAGE_TABLES + 0x1000}          ; four entries, one per GiB
        mov eax, ${PAGE_TABLES + 0x2000 + PRESENT_WRITE_USER}
.pdpt:  mov [edi], eax
        mov dword [edi+4], 0
        add edi, 8
        add eax, 0x1000
        cmp eax, ${PAGE_TABLES + 0x6000}
        jb .pdpt
        mov edi, ${PAGE_TABLES + 0x2000}          ; 4 x 512 large pages
        mov eax, ${PRESENT_WRITE_USER + LARGE}
.pd:    mov [edi], eax
        mov dword [edi+4], 0
        add edi, 8
        add eax, 0x200000
        jnc .pd                                   ; carry: 4 GiB done
        mov eax, cr4
        or eax, 0x20                              ; PAE
        mov cr4, eax
        mov eax, ${PAGE_TABLES}
        mov cr3, eax
        mov ecx, 0xc0000080                       ; EFER
        rdmsr
        or eax, 0x100                             ; LME
        wrmsr
        mov eax, cr0
        or eax, 0x80000001                        ; PG, PE
        mov cr0, eax
        jmp ${CODE64}:${target}
`;
