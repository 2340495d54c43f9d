/** Stores, loads and read-modify-write instructions on a device's memory. See README.md. */
import {
  COUNTER_BASE,
  COUNTER_LAST,
  COUNTER_READS,
  COUNTER_SCRATCH,
  COUNTER_VALUE,
  COUNTER_WRITES,
} from "../../hv-core/abi/devices.ts";
import { asm } from "../asm/assembler.ts";
import { assemblyGuest } from "../guest.ts";
import { hex, newline, say } from "../lib/print.ts";
import { program32 } from "../lib/program.ts";

const VALUE = COUNTER_BASE + COUNTER_VALUE;
const SCRATCH = COUNTER_BASE + COUNTER_SCRATCH;

/** Runs the code, then shows what the device counted meanwhile; its own reads of the counters are taken out again. */
const step = (name: string, code: string): string => asm`
        mov eax, [${COUNTER_BASE + COUNTER_READS}]
        mov [reads], eax
        mov eax, [${COUNTER_BASE + COUNTER_WRITES}]
        mov [writes], eax
${code}
        mov ebx, [${COUNTER_BASE + COUNTER_LAST}]
        mov ecx, [${COUNTER_BASE + COUNTER_READS}]
        mov ebp, [${COUNTER_BASE + COUNTER_WRITES}]
        sub ecx, [reads]
        sub ecx, 3
        sub ebp, [writes]
${say(`${name}: reads `)}${hex("ecx")}
${say(" writes ")}${hex("ebp")}
${say(" last ")}${hex("ebx")}
${newline()}`;

const value = (): string => asm`
        mov eax, [${VALUE}]
${say("  value ")}${hex("eax")}
${newline()}`;

export default assemblyGuest({
  name: "mmio",
  title: "stores, loads and read-modify-write on a device's memory",
  source: program32(
    asm`
${step("store of 4 bytes", `mov dword [${VALUE}], 0x1000`)}
${step("store of 1 byte", `mov byte [${VALUE}], 0x23`)}
${value()}
${step("load of 2 bytes", `mov ax, [${VALUE}]`)}
${step("add", `add dword [${VALUE}], 5`)}
${value()}
${step("lock inc", `lock inc dword [${VALUE}]`)}
${step("xchg", `mov eax, 0x77\n xchg eax, [${VALUE}]`)}
${value()}
${step("cmpxchg that fails", `mov eax, 1\n mov ecx, 2\n cmpxchg [${VALUE}], ecx`)}
${step("bts", `bts dword [${VALUE}], 31`)}
${value()}
${step("push from the device", `push dword [${VALUE}]\n pop eax`)}
${step("compare only", `cmp dword [${VALUE}], 0`)}
${step("unaligned store of 4 bytes", `mov dword [${SCRATCH + 1}], 0x44332211`)}
        mov eax, [${SCRATCH}]
${say("  scratch ")}${hex("eax")}
${newline()}
${step("movs of 8 words to the device", `mov esi, words\n mov edi, ${SCRATCH}\n mov ecx, 8\n rep movsd`)}
`,
    asm`
        align 4
reads:  dd 0
writes: dd 0
words:  dd 1, 2, 3, 4, 5, 6, 7, 8
`,
  ),
});
