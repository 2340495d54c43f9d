/** The guest of `vmexit demo`: identifies the hypervisor, stores into a device's memory, and says what happened. See README.md. */
import { COUNTER_BASE, COUNTER_READS, COUNTER_VALUE, COUNTER_WRITES } from "../../hv-core/abi/devices.ts";
import { asm } from "../asm/assembler.ts";
import { assemblyGuest } from "../guest.ts";
import { hex, newline, say } from "../lib/print.ts";
import { program32 } from "../lib/program.ts";

const signature = (): string => asm`
        mov eax, 0x40000000
        cpuid
        mov [signature], ebx
        mov [signature+4], ecx
        mov [signature+8], edx
        mov eax, 0x40000001
        cpuid
        mov [version], eax
${say("A guest is running. The hypervisor calls itself ")}
        mov esi, signature
        call puts
${say(", version ")}
        movzx eax, word [version+2]
        call decimal
${say(".")}
        movzx eax, word [version]
        call decimal
${say(".\n")}`;

export default assemblyGuest({
  name: "demo",
  title: "what `vmexit demo` boots: CPUID, a store that a device serves, a few numbers",
  source: program32(
    asm`
${signature()}
        mov dword [0x200000], 0x11111111
        mov eax, [0x200000]
${say("A store to RAM at 0x200000 needs nobody: ")}${hex("eax")}
${newline()}
        mov dword [${COUNTER_BASE + COUNTER_VALUE}], 41
        inc dword [${COUNTER_BASE + COUNTER_VALUE}]
        mov eax, [${COUNTER_BASE + COUNTER_VALUE}]
${say("A store to 0xFE000000 leaves the guest: EPT violation, ioreq, device, and back: ")}
        call decimal
${newline()}
        mov ebx, [${COUNTER_BASE + COUNTER_READS}]
        mov eax, [${COUNTER_BASE + COUNTER_WRITES}]
${say("The device counted ")}
        call decimal
${say(" writes and ")}
        mov eax, ebx
        call decimal
${say(" reads.\n")}
`,
    asm`
        align 4
signature: dd 0, 0, 0, 0
version: dd 0
`,
  ),
});
