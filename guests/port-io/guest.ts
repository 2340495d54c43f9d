/** Ports of every size, with and without a device behind them, and string output. See README.md. */
import { DEBUG_PORT, EXIT_PORT, POST_PORT, UART_PORT } from "../../hv-core/abi/devices.ts";
import { asm } from "../asm/assembler.ts";
import { assemblyGuest } from "../guest.ts";
import { hex, newline, say } from "../lib/print.ts";
import { program32 } from "../lib/program.ts";

const UNCLAIMED = 0x300;
const SCRATCH = UART_PORT + 7;

const show = (name: string, register: string): string => asm`
        mov [value], ${register}
${say(`${name}: `)}${hex("[value]")}
${newline()}`;

export default assemblyGuest({
  name: "port-io",
  title: "IN, OUT, INS and OUTS on ports with and without a device",
  source: program32(
    asm`
        mov al, 0x42
        out ${POST_PORT}, al
        xor eax, eax
        in al, ${POST_PORT}
${show("POST port gives back", "eax")}
        mov edx, ${SCRATCH}
        mov al, 0x5a
        out dx, al
        xor eax, eax
        in al, dx
${show("UART scratch register", "eax")}
        xor eax, eax
        in al, ${DEBUG_PORT}
${show("debug port read", "eax")}
        mov edx, ${UNCLAIMED}
        xor eax, eax
        in al, dx
${show("nobody there, byte", "eax")}
        xor eax, eax
        in ax, dx
${show("nobody there, word", "eax")}
        in eax, dx
${show("nobody there, dword", "eax")}
        mov edi, buffer
        mov ecx, 4
        rep insb
        mov eax, [buffer]
${show("four bytes by INS", "eax")}
        mov esi, text
        mov ecx, text.end - text
        mov edx, ${DEBUG_PORT}
        rep outsb                       ; one instruction, one line
${say("leaving through the exit port\n")}
        xor eax, eax
        out ${EXIT_PORT}, al            ; 0 = power off; without such a device the hypercall below does it
`,
    asm`
text:   db "a whole line by REP OUTSB\n"
text.end:
        align 4
value:  dd 0
buffer: dd 0
`,
  ),
});
