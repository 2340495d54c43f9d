/** String instructions that run out of RAM into a device in the middle. See README.md. */
import { COUNTER_BASE, COUNTER_READS, COUNTER_SCRATCH, COUNTER_WRITES } from "../../hv-core/abi/devices.ts";
import { asm } from "../asm/assembler.ts";
import { assemblyGuest } from "../guest.ts";
import { hex, newline, say } from "../lib/print.ts";
import { program32 } from "../lib/program.ts";

const DIRECTORY = 0x500000;
const TABLE = 0x501000;
/** Two linear pages side by side, twice: RAM then device, and device then RAM. */
const RAM_DEVICE = 0x10000000;
const DEVICE_RAM = 0x10010000;
const FRAME_A = 0x600000;
const FRAME_B = 0x601000;
/** The counter device itself, mapped alone. */
const DEVICE = 0x10020000;
const LAST = DEVICE_RAM + 0x1000;

const map = (linear: number, frame: number): string =>
  `        mov dword [${TABLE + 4 * ((linear >>> 12) & 1023)}], ${frame + 3}`;

const pagingOn = (): string => asm`
        mov dword [${DIRECTORY}], 0x000083
        mov dword [${DIRECTORY + 4}], 0x400083
        mov dword [${DIRECTORY + (RAM_DEVICE >>> 22) * 4}], ${TABLE + 3}
${map(RAM_DEVICE, FRAME_A)}
${map(RAM_DEVICE + 0x1000, COUNTER_BASE)}
${map(DEVICE_RAM, COUNTER_BASE)}
${map(DEVICE_RAM + 0x1000, FRAME_B)}
${map(DEVICE, COUNTER_BASE)}
        mov eax, cr4
        or eax, 0x10
        mov cr4, eax
        mov eax, ${DIRECTORY}
        mov cr3, eax
        mov eax, cr0
        or eax, 0x80000000
        mov cr0, eax`;

/** Shows the registers a string instruction leaves, relative to where it began, and what the device counted. */
const step = (name: string, code: string, source: number | string, target: number | string): string => asm`
        mov eax, [${DEVICE + COUNTER_READS}]
        mov [reads], eax
        mov eax, [${DEVICE + COUNTER_WRITES}]
        mov [writes], eax
${code}
        sub esi, ${source}
        sub edi, ${target}
        mov eax, [${DEVICE + COUNTER_READS}]
        mov ebx, [${DEVICE + COUNTER_WRITES}]
        sub eax, [reads]
        sub eax, 2
        sub ebx, [writes]
${say(`${name}: esi +`)}${hex("esi")}
${say(" edi +")}${hex("edi")}
${say(" ecx ")}${hex("ecx")}
${say(" device reads ")}${hex("eax")}
${say(" writes ")}${hex("ebx")}
${newline()}`;

export default assemblyGuest({
  name: "rep-mmio",
  title: "REP MOVS and REP STOS over a page border into a device and out of it",
  source: program32(
    asm`
${pagingOn()}
${step("stosb, 16 bytes, 8 of them to the device", `xor esi, esi\n mov edi, ${RAM_DEVICE + 0xff8}\n mov ecx, 16\n mov eax, 0x5a\n rep stosb`, 0, RAM_DEVICE + 0xff8)}
        mov eax, [${FRAME_A + 0xffc}]
        mov ebx, [${DEVICE}]
${say("  RAM ")}${hex("eax")}
${say(" device ")}${hex("ebx")}
${newline()}
${step("movsd, 4 words, 2 of them to the device", `mov esi, words\n mov edi, ${RAM_DEVICE + 0xff8}\n mov ecx, 4\n rep movsd`, "words", RAM_DEVICE + 0xff8)}
        mov eax, [${FRAME_A + 0xffc}]
        mov ebx, [${DEVICE}]
${say("  RAM ")}${hex("eax")}
${say(" device ")}${hex("ebx")}
${newline()}
        mov dword [${DEVICE + COUNTER_SCRATCH + 0x7f8}], 0x11223344
        mov dword [${DEVICE + COUNTER_SCRATCH + 0x7fc}], 0x55667788
        mov dword [${LAST}], 0x99aabbcc
${step("movsw out of the device into RAM behind it", `mov esi, ${LAST - 8}\n mov edi, buffer\n mov ecx, 6\n rep movsw`, LAST - 8, "buffer")}
${say("  ")}${hex("[buffer]")}
${say(" ")}${hex("[buffer+4]")}
${say(" ")}${hex("[buffer+8]")}
${newline()}
        std
${step("movsb downwards into the device", `mov esi, words + 7\n mov edi, ${LAST + 3}\n mov ecx, 8\n rep movsb\n cld`, "words + 7", LAST + 3)}
        mov eax, [${DEVICE + COUNTER_SCRATCH + 0x7fc}]
${say("  device ")}${hex("eax")}
${say(" RAM ")}${hex(`[${LAST}]`)}
${newline()}
`,
    asm`
        align 4
words:  dd 0x04030201, 0x14131211, 0x24232221, 0x34333231
buffer: dd 0, 0, 0, 0
reads:  dd 0
writes: dd 0
`,
  ),
});
