/** Builds four levels of page tables, enters 64-bit mode, and sees one frame through two addresses. See README.md. */
import { DEBUG_PORT } from "../../hv-core/abi/devices.ts";
import { asm } from "../asm/assembler.ts";
import { assemblyGuest } from "../guest.ts";
import { DATA, enterLongMode, IMAGE_BASE, PAGE_TABLES, stack, start } from "../lib/boot.ts";
import { hypercallPage, setUpHypercalls, shutdown } from "../lib/hypercall.ts";
import { hex, newline, print, say } from "../lib/print.ts";

/** The second window onto the frame at 2 MiB: an address in the upper half, mapped by tables of its own. */
const UPPER = "0xffff800000000000";
const FRAME = 0x200000;
const UPPER_PDPT = PAGE_TABLES + 0x6000;
const UPPER_PD = PAGE_TABLES + 0x7000;
const UPPER_PT = PAGE_TABLES + 0x8000;

const show64 = (name: string, register: string): string => asm`
${say(name)}
        mov rbx, ${register}
        shr rbx, 32
${hex("ebx", 64)}
        mov rbx, ${register}
${hex("ebx", 64)}
${newline()}`;

export default assemblyGuest({
  name: "long-mode",
  title: "builds page tables, enters 64-bit mode, maps one frame twice",
  machine: "x86-64",
  source: asm`
        org ${IMAGE_BASE}
${start()}
main:
${setUpHypercalls()}
${say32()}
${enterLongMode("long_mode")}
        bits 64
long_mode:
        mov eax, ${DATA}
        mov ds, eax
        mov es, eax
        mov ss, eax
${say("now in 64-bit mode\n")}
        mov rax, 0x1122334455667788
        rol rax, 16
${show64("rotated left by 16: ", "rax")}
        mov qword [${PAGE_TABLES + 8 * 256}], ${UPPER_PDPT + 3}   ; entry 256: first of the upper half
        mov qword [${UPPER_PDPT}], ${UPPER_PD + 3}
        mov qword [${UPPER_PD}], ${UPPER_PT + 3}
        mov qword [${UPPER_PT}], ${FRAME + 3}
        mov rsi, ${UPPER}
        mov rax, 0xfeedfacecafebeef
        mov [rsi], rax                                  ; through the upper half
        mov rax, [${FRAME}]                             ; through the identity map
${show64("stored at FFFF800000000000, read at 200000: ", "rax")}
        mov rax, [${UPPER_PT}]
${show64("its page-table entry, accessed and dirty: ", "rax")}
        mov rax, [${PAGE_TABLES + 8 * 256}]
${show64("the top entry, accessed: ", "rax")}
${shutdown(64)}
${print(64)}
${hypercallPage()}
${stack()}
`,
});

/** One line while still in 32-bit code, in one instruction: the routines of lib/print are assembled for 64 bits here. */
function say32(): string {
  return asm`
        mov esi, text32
        mov ecx, text32.end - text32
        mov edx, ${DEBUG_PORT}
        rep outsb
        jmp text32.end
text32: db "in 32-bit mode, paging off\n"
text32.end:`;
}
