/** Writes to pages that its copies share with it, checks what it wrote, and prints a sum for each round. See README.md. */
import { asm } from "../asm/assembler.ts";
import { assemblyGuest } from "../guest.ts";
import { hex, newline, say } from "../lib/print.ts";
import { program32 } from "../lib/program.ts";

/** 64 pages, each written once a round; a second area that is only read. */
const AREA = 0x100_0000;
const PAGES = 64;
const QUIET = 0x200_0000;
const ROUNDS = 16;
/** Turns of an empty loop between two rounds: others write meanwhile. */
const PAUSE = 200_000;

export default assemblyGuest({
  name: "cow",
  title: "writes to pages that copies of it share (vmexit dedup cow)",
  source: program32(
    asm`
        xor ebp, ebp                    ; round
round:  mov edi, ${AREA}
        mov ecx, ${PAGES}
write:  mov eax, ebp                    ; page i gets round * 65536 + i, at a place of its own each round
        shl eax, 16
        add eax, ecx
        mov [edi + ebp * 4], eax
        add edi, 4096
        dec ecx
        jnz write
        mov ecx, ${PAUSE}
wait:   dec ecx
        jnz wait
        xor ebx, ebx                    ; sum of all that was ever written
        mov edi, ${AREA}
        mov ecx, ${PAGES}
page:   xor edx, edx
word:   add ebx, [edi + edx * 4]
        inc edx
        cmp edx, ${ROUNDS}
        jb word
        add edi, 4096
        dec ecx
        jnz page
        mov edi, ${QUIET}               ; and of pages that nobody writes
        mov ecx, ${PAGES}
quiet:  add ebx, [edi]
        add edi, 4096
        dec ecx
        jnz quiet
${say("round ")}${hex("ebp")}
${say(" sum ")}${hex("ebx")}
${newline()}
        inc ebp
        cmp ebp, ${ROUNDS}
        jb round
`,
  ),
});
