/** A routine that is patched, and code that appears in a page of data: what a monitor is for. See README.md. */
import { asm } from "../asm/assembler.ts";
import { assemblyGuest } from "../guest.ts";
import { say } from "../lib/print.ts";
import { program32 } from "../lib/program.ts";

/** Its text: a routine that answers 1, until it is patched. */
const TEXT = 0x300000;
/** Its data: nobody expects code here. */
const DATA = 0x301000;

export default assemblyGuest({
  name: "intruder",
  title: "patches a routine and runs code from a page of data: vmexit monitor catches both",
  source: program32(
    asm`
        mov dword [${TEXT}], 0x000001b8         ; mov eax, 1
        mov word [${TEXT + 4}], 0xc300          ; ret
        mov eax, ${TEXT}
        call eax
        cmp eax, 1
        jne .end
${say("the routine answers 1\n")}
        mov byte [${TEXT + 1}], 2               ; the patch
        mov eax, ${TEXT}
        call eax
        cmp eax, 2
        jne .end
${say("now it answers 2\n")}
        mov dword [${DATA}], 0x0003b890         ; nop, mov eax, 3
        mov dword [${DATA + 4}], 0x00c30000     ; ret
        mov eax, ${DATA}
        call eax
        cmp eax, 3
        jne .end
${say("data was executed\n")}
.end:
`,
  ),
});
