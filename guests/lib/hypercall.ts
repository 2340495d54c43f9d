/**
 * Calling the hypervisor: the hypercall page, argument registers, and the way out.
 *
 * 32-bit code passes arguments in EBX ECX EDX ESI EDI and gets the result in EAX; 64-bit code uses RDI RSI RDX R10 R8 and RAX
 * (spec 08 section 8.1). Pointers are linear addresses in the caller's page tables.
 */
import * as hc from "../../hv-core/abi/hypercalls.ts";
import { asm } from "../asm/assembler.ts";
import type { Bits } from "../asm/forms.ts";

const ARGUMENTS: Readonly<Record<Bits, readonly string[]>> = {
  32: ["ebx", "ecx", "edx", "esi", "edi"],
  64: ["rdi", "rsi", "rdx", "r10", "r8"],
};

/** Asks the hypervisor to fill the page at `hypercall_page`; 32-bit code, once, before the first hypercall. */
export const setUpHypercalls = (): string => asm`
        mov eax, 0x40000002             ; leaf base+2: EBX = number of the MSR
        cpuid
        mov ecx, ebx
        mov eax, hypercall_page
        xor edx, edx
        wrmsr
`;

/** The page itself: one entry of 32 bytes per hypercall. Put it among the data. */
export const hypercallPage = (): string => asm`
        align 4096
hypercall_page: zero 4096
`;

/** One hypercall. Arguments are immediates, registers or labels; they are loaded in order, so a register must not be overwritten before. */
export function hypercall(bits: Bits, number: number, ...args: readonly (number | string)[]): string {
  const registers = ARGUMENTS[bits];
  const loads = args.map((a, i) => (a === registers[i] ? "" : `        mov ${registers[i]}, ${a}`));
  return asm`
${loads.filter((l) => l !== "").join("\n")}
        call hypercall_page + ${32 * number}`;
}

/** SCHEDOP_shutdown: never returns. Default: power off. */
export const shutdown = (bits: Bits, reason: number = hc.SHUTDOWN_POWEROFF): string => asm`
        mov dword [shutdown_reason], ${reason}
${hypercall(bits, hc.HC_SCHED_OP, hc.SCHEDOP_SHUTDOWN, "shutdown_reason")}
        ud2
shutdown_reason: dd 0
`;

/** Maps the shared-info page over the guest's page `shared_info` (32-bit structure layout). */
export const mapSharedInfo = (): string => asm`
        mov word [physmap], ${hc.DOMID_SELF}
        mov dword [physmap+4], ${hc.XENMAPSPACE_SHARED_INFO}
        mov dword [physmap+8], 0
        mov dword [physmap+12], shared_info >> 12
${hypercall(32, hc.HC_MEMORY_OP, hc.XENMEM_ADD_TO_PHYSMAP, "physmap")}
`;

/** The page that `mapSharedInfo` gives away and its argument block. */
export const sharedInfoPage = (): string => asm`
        align 4096
shared_info: zero 4096
physmap: dd 0, 0, 0, 0
`;

/** Reads an HVM parameter into EAX (its low half). Needs `hvmParamBlock` among the data. 32-bit code. */
export const getParam = (index: number): string => asm`
        mov word [hvm_param], ${hc.DOMID_SELF}
        mov dword [hvm_param+4], ${index}
${hypercall(32, hc.HC_HVM_OP, hc.HVMOP_GET_PARAM, "hvm_param")}
        mov eax, [hvm_param+8]
`;

export const hvmParamBlock = (): string => asm`
        align 8
hvm_param: dd 0, 0, 0, 0
`;
