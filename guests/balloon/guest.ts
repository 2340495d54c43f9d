/** Gives memory back to the hypervisor and takes it again. See README.md. */
import * as hc from "../../hv-core/abi/hypercalls.ts";
import { asm } from "../asm/assembler.ts";
import { assemblyGuest } from "../guest.ts";
import { hypercall } from "../lib/hypercall.ts";
import { hex, newline, say } from "../lib/print.ts";
import { program32 } from "../lib/program.ts";

const FIRST = 0x2000;
const COUNT = 16;
const ADDRESS = FIRST * 4096;

const show = (name: string, operand: string): string => asm`
        mov eax, ${operand}
${say(`${name}: `)}${hex("eax")}
${newline()}`;

/** struct xen_memory_reservation, 32-bit layout: list, count, order, flags, domain. */
const reservation = (name: string, command: number): string => asm`
${hypercall(32, hc.HC_MEMORY_OP, command, "reservation")}
${say(`${name}: `)}
        call decimal
${say(" pages\n")}`;

/** Pages of the domain now, less those at the start. */
const change = (): string => asm`
${hypercall(32, hc.HC_MEMORY_OP, hc.XENMEM_CURRENT_RESERVATION, "self")}
        sub eax, [before]
${say("  change of the reservation: ")}${hex("eax")}
${newline()}`;

export default assemblyGuest({
  name: "balloon",
  title: "gives pages back, finds holes, takes pages again",
  source: program32(
    asm`
        mov edi, gfns                   ; the list of frames: 16 in a row
        mov eax, ${FIRST}
        mov ecx, ${COUNT}
fill:   stosd
        inc eax
        dec ecx
        jnz fill
${hypercall(32, hc.HC_MEMORY_OP, hc.XENMEM_CURRENT_RESERVATION, "self")}
        mov [before], eax
        mov dword [${ADDRESS}], 0x12345678
${show("before", `[${ADDRESS}]`)}
${reservation("decrease", hc.XENMEM_DECREASE_RESERVATION)}
${change()}
${show("a page that is gone reads", `[${ADDRESS}]`)}
        mov dword [${ADDRESS}], 0x9abcdef0
${show("and ignores writes", `[${ADDRESS}]`)}
${show("its neighbour behind the hole", `[${ADDRESS + COUNT * 4096}]`)}
${reservation("decrease once more", hc.XENMEM_DECREASE_RESERVATION)}
${reservation("populate", hc.XENMEM_POPULATE_PHYSMAP)}
${change()}
${show("a fresh page reads", `[${ADDRESS + 0x5000}]`)}
        mov dword [${ADDRESS + 0x5000}], 0x13572468
${show("and keeps what is written", `[${ADDRESS + 0x5000}]`)}
`,
    asm`
        align 4
self:   dd ${hc.DOMID_SELF}
before: dd 0
reservation: dd gfns, ${COUNT}, 0, 0, ${hc.DOMID_SELF}
gfns:   zero ${COUNT * 4}
`,
  ),
});
