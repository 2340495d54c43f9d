/**
 * Probe: what a guest sees of its platform at the PVH entry: registers, start info, memory map, CPUID, MSRs, hypercall page, shared info, parameters.
 *
 * Lines are `item|key|value`, the form of test/oracle/recorded/facts.tsv. The image ends at 0x120000, so the loader's blocks lie there.
 */
import * as hc from "../../hv-core/abi/hypercalls.ts";
import { asm } from "../asm/assembler.ts";
import { assemblyGuest } from "../guest.ts";
import { IMAGE_BASE, stack, start } from "../lib/boot.ts";
import { faultHandling, loadIdt } from "../lib/faults.ts";
import { hypercall, shutdown } from "../lib/hypercall.ts";
import { hex, newline, print, say } from "../lib/print.ts";
import { CPUID_LEAVES, HYPERCALL_ENTRIES, MSRS } from "./tables.ts";

const HYPERCALL_PAGE = 0x130000;
const SHARED_INFO = 0x131000;

const REGISTERS = ["eax", "ebx", "ecx", "edx", "esi", "edi", "ebp", "esp"];

/** The first instructions: keep every register before anything changes it. */
const keepEntryState = (): string => asm`
        bits 32
start:
${REGISTERS.map((r) => `        mov [entry.${r}], ${r}`).join("\n")}
        mov esp, stack_top
        pushfd
        pop dword [entry.eflags]
${["cr0", "cr3", "cr4", "dr6", "dr7"].map((r) => `        mov eax, ${r}\n        mov [entry.${r}], eax`).join("\n")}
        sgdt [entry.gdt]
        sidt [entry.idt]
        mov [entry.selectors], cs
        mov [entry.selectors+2], ds
        mov [entry.selectors+4], ss
        str [entry.selectors+6]
        sldt [entry.selectors+8]
        mov ebx, [entry.ebx]
        jmp set_up`;

const entryRow = (key: string, from: string): string => asm`
${say(`entry|${key}|`)}${hex(`[${from}]`)}
${newline()}`;

const entryRows = (): string =>
  [
    ...[...REGISTERS, "eflags", "cr0", "cr3", "cr4", "dr6", "dr7"].map((r) => entryRow(r, `entry.${r}`)),
    entryRow("gdt.limit+base.lo", "entry.gdt"),
    entryRow("idt.limit+base.lo", "entry.idt"),
    entryRow("ds:cs", "entry.selectors"),
    entryRow("tr:ss", "entry.selectors+4"),
    entryRow("ldt", "entry.selectors+8"),
  ].join("\n");

/** A row per dword of the block at EBX. */
const dwords = (item: string, label: string, bytes: number): string => asm`
        xor ebp, ebp
${label}:
${say(`${item}|+`)}${hex("ebp")}
${say("|")}${hex("[ebx+ebp]")}
${newline()}
        add ebp, 4
        cmp ebp, ${bytes}
        jb ${label}`;

const memoryMap = (): string => asm`
        mov ebx, [start_info]
        mov edi, [ebx+48]
        mov ebx, [ebx+40]
map_entry:
${say("memmap|")}${hex("ebx")}
${say("|")}
        xor ebp, ebp
map_dword:
${hex("[ebx+ebp]")}
${say(" ")}
        add ebp, 4
        cmp ebp, 24
        jb map_dword
${newline()}
        add ebx, 24
        dec edi
        jnz map_entry`;

const cpuidRows = (): string => asm`
        mov ebp, cpuid_leaves
cpuid_row:
        mov eax, [ebp]
        mov ecx, [ebp+4]
        cpuid
        mov [result], eax
        mov [result+4], ebx
        mov [result+8], ecx
        mov [result+12], edx
${say("cpuid|")}${hex("[ebp]")}
${say(":")}${hex("[ebp+4]")}
${say("|")}${[0, 4, 8, 12].map((o) => hex(`[result+${o}]`)).join(say(" "))}
${newline()}
        add ebp, 8
        cmp ebp, cpuid_leaves.end
        jb cpuid_row`;

const msrRows = (): string => asm`
        mov ebp, msrs
msr_row:
${say("msr|")}${hex("[ebp]")}
${say("|")}
        mov ecx, [ebp]
        mov dword [fault.resume], msr_fault
        mov [fault.stack], esp
        rdmsr
${hex("edx")}
${hex("eax")}
        jmp msr_next
msr_fault:
${say("#GP")}
msr_next:
${newline()}
        add ebp, 4
        cmp ebp, msrs.end
        jb msr_row`;

const hypercallRows = (): string => asm`
        mov eax, 0x40000002
        cpuid
        mov ecx, ebx
        mov eax, ${HYPERCALL_PAGE}
        xor edx, edx
        wrmsr
        mov ebp, hypercall_entries
hypercall_row:
        mov edi, [ebp]
${say("hypercall_page|entry ")}${hex("edi")}
${say("|")}
        shl edi, 5
        mov ebx, 8
hypercall_dword:
        mov eax, [${HYPERCALL_PAGE}+edi]
        bswap eax
${hex("eax")}
${say(" ")}
        add edi, 4
        dec ebx
        jnz hypercall_dword
${newline()}
        add ebp, 4
        cmp ebp, hypercall_entries.end
        jb hypercall_row`;

const sharedInfo = (): string => asm`
        mov word [physmap], ${hc.DOMID_SELF}
        mov dword [physmap+12], ${SHARED_INFO} >> 12
${hypercall(32, hc.HC_MEMORY_OP, hc.XENMEM_ADD_TO_PHYSMAP, "physmap")}
${say("shared_info|map result|")}${hex("eax")}
${newline()}
        xor edi, edi
shared_row:
        mov eax, [${SHARED_INFO}+edi]
        test eax, eax
        jz shared_next
${say("shared_info32|+")}${hex("edi")}
${say("|")}${hex(`[${SHARED_INFO}+edi]`)}
${newline()}
shared_next:
        add edi, 4
        cmp edi, 4096
        jb shared_row`;

const parameters = (): string => asm`
        xor ebp, ebp
param_row:
        mov word [param], ${hc.DOMID_SELF}
        mov [param+4], ebp
        mov dword [param+8], 0
        mov dword [param+12], 0
${hypercall(32, hc.HC_HVM_OP, hc.HVMOP_GET_PARAM, "param")}
        mov [result], eax
${say("own_param|")}${hex("ebp")}
${say("|")}${hex("[result]")}
${say(" ")}${hex("[param+12]")}
${hex("[param+8]")}
${newline()}
        inc ebp
        cmp ebp, 40
        jb param_row`;

const table = (name: string, values: readonly number[]): string => asm`
        align 4
${name}: dd ${values.join(", ")}
${name}.end:`;

const guest = assemblyGuest({
  name: "probe-facts",
  title: "probe: registers, start info, memory map, CPUID, MSRs and parameters as a guest finds them",
  source: asm`
        org ${IMAGE_BASE}
${keepEntryState()}
${start().replace("start:", "set_up:")}
hypercall_page equ ${HYPERCALL_PAGE}
main:
${loadIdt()}
${entryRows()}
        mov ebx, [start_info]
${dwords("start_info", "start_info_row", 56)}
${memoryMap()}
${say("cmdline|text|")}
        mov ebx, [start_info]
        mov esi, [ebx+24]
        call puts
${newline()}
        mov ebx, [start_info]
        mov ebx, [ebx+32]
        test ebx, ebx
        jz no_rsdp
${dwords("rsdp", "rsdp_row", 36)}
no_rsdp:
${cpuidRows()}
${msrRows()}
${hypercallRows()}
${sharedInfo()}
${parameters()}
${say("end|-|-\n")}
${shutdown(32)}
${print(32)}
${faultHandling(32)}
${table("cpuid_leaves", CPUID_LEAVES.flat())}
${table("msrs", MSRS)}
${table("hypercall_entries", HYPERCALL_ENTRIES)}
${[...REGISTERS, "eflags", "cr0", "cr3", "cr4", "dr6", "dr7"].map((r) => `entry.${r}: dd 0`).join("\n")}
entry.gdt: dd 0, 0, 0
entry.idt: dd 0, 0, 0
entry.selectors: dd 0, 0, 0, 0
        align 8
result: zero 16
physmap: zero 16
param:  zero 16
${stack()}
`,
  memoryEnd: 0x120000,
  run: { cmdline: "hello world" },
  isProbe: true,
});

export default guest;
