/**
 * A toy driver of the shadow-table device: two vCPUs fill and edit the tables of one directory, each its own four, with stores,
 * read-modify-writes, exchanges and partial writes, and take tables out of the directory and put them back. Each of these instructions is
 * made on plain RAM as well: the device cannot know what it was never told, so the guest counts entries that are not what it wrote.
 * vCPU 0 also has the device look addresses up.
 */

import { asm } from "../../guests/asm/assembler.ts";
import { assemblyGuest } from "../../guests/guest.ts";
import { hypercall } from "../../guests/lib/hypercall.ts";
import { newline, say } from "../../guests/lib/print.ts";
import { program32 } from "../../guests/lib/program.ts";
import {
  SHADOW_BASE,
  SHADOW_DIFFERENCES,
  SHADOW_GOAL,
  SHADOW_LOOKUP,
  SHADOW_ROOT,
  SHADOW_TABLES,
  SHADOW_WRITES,
} from "../../hv-core/abi/devices.ts";
import * as hc from "../../hv-core/abi/hypercalls.ts";

const DIRECTORY = 0x400000;
/** Eight tables behind it, four for each vCPU. */
const TABLES = DIRECTORY + 0x1000;
const PAGE = 0x1000;
/** From a table to its twin in plain RAM. */
const TWIN = 0x10000;
/** Byte offsets of entries in four tables. */
const OFFSETS = 4 * PAGE - 4;
const CODE = 0xc9b;
const DATA = 0xc93;
const TSS = 0x8b;

/** esi: first table, edi: its directory entry, ebx: seed, ecx: rounds. */
const worker = (): string => asm`
worker:
.next:  imul ebx, ebx, 1103515245
        add ebx, 12345
        mov eax, ebx
        shr eax, 8
        and eax, ${OFFSETS}
        lea edx, [esi+eax]
        mov eax, ebx
        and eax, 0xfffff001
        test ebx, 0x20000
        jnz .odd
        test ebx, 0x10000
        jnz .lock
        mov [edx], eax
        mov [edx+${TWIN}], eax
        jmp .done
.lock:  lock xor [edx], eax
        xor [edx+${TWIN}], eax
        jmp .done
.odd:   test ebx, 0x10000
        jnz .swap
        add [edx+1], al
        mov [edx+2], ax
        add [edx+${TWIN + 1}], al
        mov [edx+${TWIN + 2}], ax
        jmp .done
.swap:  mov ebp, eax
        xchg [edx], eax
        xchg [edx+${TWIN}], ebp
.done:  test ecx, 0xff
        jnz .go
        xor dword [edi], 1              ; the table leaves the directory, and comes back
        xor dword [edi], 1
.go:    dec ecx
        jnz .next
        ret
`;

/** The device's answer for each entry of table 0 against the entry itself; ebp counts the wrong ones. */
const check = (): string => asm`
check:  xor ebp, ebp
        xor ecx, ecx
.next:  mov eax, ecx
        shl eax, 12
        mov [${SHADOW_BASE + SHADOW_LOOKUP}], eax
        mov edx, [${SHADOW_BASE + SHADOW_LOOKUP}]
        mov eax, [${TABLES}+ecx*4]
        test eax, 1
        jz .none
        and eax, 0xfffff000
        or eax, 0xa01
        jmp .both
.none:  xor eax, eax
.both:  cmp eax, edx
        je .right
        inc ebp
.right: inc ecx
        cmp ecx, 1024
        jne .next
        ret
`;

/** Entries of all tables that are not what was written; ebp counts them. */
const compare = (): string => asm`
compare: xor ebp, ebp
        mov edx, ${TABLES}
        mov ecx, ${8 * 1024}
.next:  mov eax, [edx]
        cmp eax, [edx+${TWIN}]
        je .right
        inc ebp
.right: add edx, 4
        dec ecx
        jnz .next
        ret
`;

const total = (name: string, from: string): string => asm`
${say(`${name}: `)}
        mov eax, [${from}]
        call decimal
${newline()}`;

export const shadowGuest = assemblyGuest({
  name: "shadow-table",
  title: "two vCPUs edit tables that a device shadows",
  run: { vcpus: 2 },
  source: program32(
    asm`
        mov edi, ${DIRECTORY}
        mov eax, ${TABLES + 1}
        mov ecx, 8
build:  mov [edi], eax
        add edi, 4
        add eax, ${PAGE}
        loop build
        mov dword [${SHADOW_BASE + SHADOW_ROOT}], ${DIRECTORY / PAGE}
        mov edi, ${TABLES + 0x7f8}
        mov eax, 0x12345001
        mov ecx, 64
        rep stosd
        mov edi, ${TABLES + TWIN + 0x7f8}
        mov ecx, 64
        rep stosd
${hypercall(32, hc.HC_VCPU_OP, hc.VCPUOP_INITIALISE, 1, "context")}
${hypercall(32, hc.HC_VCPU_OP, hc.VCPUOP_UP, 1, 0)}
        mov ecx, [${SHADOW_BASE + SHADOW_GOAL}]
        shr ecx, 1
        mov esi, ${TABLES}
        mov edi, ${DIRECTORY + 4}
        mov ebx, 1
        call worker
wait:   cmp dword [finished], 1
        je both
        pause
        jmp wait
both:   call check
        mov [wrong], ebp
        call compare
        mov [lost], ebp
${total("tables", String(SHADOW_BASE + SHADOW_TABLES))}
${total("writes", String(SHADOW_BASE + SHADOW_WRITES))}
${total("differences", String(SHADOW_BASE + SHADOW_DIFFERENCES))}
${total("wrong answers", "wrong")}
${total("lost writes", "lost")}
        mov dword [${SHADOW_BASE + SHADOW_ROOT}], 0
${total("tables without a root", String(SHADOW_BASE + SHADOW_TABLES))}
`,
    asm`
${worker()}
${check()}
${compare()}
second: mov ecx, [${SHADOW_BASE + SHADOW_GOAL}]
        shr ecx, 1
        mov esi, ${TABLES + 4 * PAGE}
        mov edi, ${DIRECTORY + 5 * 4}
        mov ebx, 7
        call worker
        mov dword [finished], 1
${hypercall(32, hc.HC_VCPU_OP, hc.VCPUOP_DOWN, 1, 0)}
        ud2
        align 8
context: dd 0, 0
        dd 0, 0, 0, 0, second_stack, 0, 0, 0
        dd second, 2
        dd 0x11, 0, 0, 0
        dq 0
        dd 0, 0, 0, 0, 0
        dd -1, -1, -1, -1, 0x67
        dw ${CODE}, ${DATA}, ${DATA}, ${DATA}, ${TSS}, 0, 0, 0
finished: dd 0
wrong:  dd 0
lost:   dd 0
        align 16
        zero 1024
second_stack:
`,
  ),
});
