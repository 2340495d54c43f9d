/** Fault vectors and error codes, and a page-fault handler that repairs the fault so that the instruction runs again. See README.md. */
import { asm } from "../asm/assembler.ts";
import { assemblyGuest } from "../guest.ts";
import { attempts, faultHandling, loadIdt } from "../lib/faults.ts";
import { hex, newline, say } from "../lib/print.ts";
import { program32 } from "../lib/program.ts";

const attempt = attempts(32);

const DIRECTORY = 0x500000;
const TABLE = 0x501000;
/** A window of 4 MiB whose pages get their frames only when they are touched. */
const WINDOW = 0x10000000;
const FIRST_FRAME = 0x600000;

const pagingOn = (): string => asm`
        mov dword [${DIRECTORY}], 0x000083        ; 0..4 MiB and 4..8 MiB: one large page each
        mov dword [${DIRECTORY + 4}], 0x400083
        mov dword [${DIRECTORY + (WINDOW >>> 22) * 4}], ${TABLE + 3}
        mov eax, cr4
        or eax, 0x10                              ; PSE: large pages
        mov cr4, eax
        mov eax, ${DIRECTORY}
        mov cr3, eax
        mov eax, cr0
        or eax, 0x80010000                        ; PG, WP
        mov cr0, eax`;

/** Replaces the page-fault entry by a handler that gives the page a frame and returns to the instruction. */
const demandPaging = (): string => asm`
        mov word [idt + 14*8], page_fault & 0xffff
        mov word [idt + 14*8 + 6], page_fault >> 16
        mov dword [${WINDOW + 0x5004}], 0x1234    ; faults, is repaired, runs again
        mov eax, [${WINDOW + 0x5004}]
${say("the store that faulted is there: ")}${hex("eax")}
${newline()}
        mov dword [${WINDOW + 0x9ffe}], eax       ; crosses a page border: two faults
        mov eax, [repairs]
${say("repaired faults: ")}
        call decimal
${newline()}`;

const pageFault = (): string => asm`
page_fault:
        pushad
        mov eax, cr2
        mov ebx, [esp+32]                         ; behind the eight registers: the error code
${say("page fault at ")}${hex("eax")}
${say(", error code ")}${hex("ebx")}
${newline()}
        sub eax, ${WINDOW}
        shr eax, 12
        mov edx, [next_frame]
        or edx, 3
        mov [${TABLE}+eax*4], edx
        add dword [next_frame], 0x1000
        inc dword [repairs]
        popad
        add esp, 4                                ; the error code
        iretd
        align 4
next_frame: dd ${FIRST_FRAME}
repairs: dd 0
`;

export default assemblyGuest({
  name: "exceptions",
  title: "fault vectors, error codes, and a page-fault handler that repairs",
  source: program32(
    asm`
${loadIdt()}
${attempt("undefined instruction", "ud2")}
${attempt("breakpoint", "int3")}
${attempt("division by zero", "xor ecx, ecx\n div ecx")}
${attempt("software interrupt", "int 0x31")}
${attempt("bad selector", "mov eax, 0x1000\n mov es, eax")}
${attempt("unknown MSR", "mov ecx, 0x3a\n rdmsr")}
${pagingOn()}
${attempt("read of an absent page", `mov eax, [${WINDOW + 0x123}]`)}
${attempt("write of an absent page", `mov [${WINDOW + 0x2000}], eax`)}
${demandPaging()}
`,
    asm`
${faultHandling(32)}
${pageFault()}
`,
  ),
});
