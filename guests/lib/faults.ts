/**
 * Exceptions in guests: an interrupt table whose entries all end in one handler, and `attempt`, which runs a few instructions that may
 * fault and reports what came: vector, error code, CR2 and how far the instruction pointer had got.
 *
 * 32-bit and 64-bit code. Read next: guests/probe-faults32, guests/exceptions.
 */
import { asm } from "../asm/assembler.ts";
import type { Bits } from "../asm/forms.ts";
import { CODE32, CODE64, DATA, TSS, USER_CODE32, USER_CODE64, USER_DATA } from "./boot.ts";
import { hex, newline, say } from "./print.ts";

/** Vectors that push an error code. */
const HAS_ERROR = new Set([8, 10, 11, 12, 13, 14, 17, 21, 29, 30]);
const VECTORS = 64;
/** Instruction pointers this close behind the attempt's beginning are shown relative to it. */
const NEAR = 0x100;
const INTERRUPT_GATE = 0x8e00;
const USER_INTERRUPT_GATE = 0xee00;

const vectors = Array.from({ length: VECTORS }, (_, i) => i);

/** One descriptor. Vectors 3, 4 and 0x30 may be called by user code; in long mode each gate takes the stack IST 1, so that a bad RSP is survived. */
function gate(bits: Bits, vector: number): string {
  const type = vector === 3 || vector === 4 || vector === 0x30 ? USER_INTERRUPT_GATE : INTERRUPT_GATE;
  const upper = bits === 64 ? "\n        dd 0, 0" : "";
  const ist = bits === 64 ? 1 : 0;
  return `        dw stub_${vector} & 0xffff, ${bits === 64 ? CODE64 : CODE32}, ${type + ist}, stub_${vector} >> 16${upper}`;
}

/** Pushes a zero where the processor pushes no error code, so that all frames look the same, then the vector. */
const stub = (vector: number): string =>
  `stub_${vector}:${HAS_ERROR.has(vector) ? "" : " push 0"}\n        push ${vector}\n        jmp fault_entry`;

/** The table, its entries, the handler, and `fault_report`. */
export function faultHandling(bits: Bits): string {
  const p = bits === 64 ? "r" : "e";
  const w = bits === 64 ? 8 : 4;
  return asm`
        align 16
idt:
${vectors.map((v) => gate(bits, v)).join("\n")}
idt.end:
idt.pointer: dw idt.end - idt - 1
        dq idt
        align 8
fault.vector: dd -1                     ; what the last attempt met; -1 = nothing
fault.error: dd 0
fault.cr2: dd 0
fault.ip: dd 0
fault.cs: dd 0
fault.flags: dd 0
fault.resume: dd 0, 0                   ; where to go on after a fault
fault.stack: dd 0, 0                    ; with this stack pointer
fault.from: dd 0                        ; where the attempt began

${vectors.map(stub).join("\n")}

fault_entry:                            ; [sp] vector, error, ip, cs, flags
        push ${p}ax
        mov eax, ${DATA}                        ; whatever the attempt did to DS
        mov ds, eax
        mov eax, [${p}sp+${w}]
        mov [fault.vector], eax
        mov eax, [${p}sp+${2 * w}]
        mov [fault.error], eax
        mov eax, [${p}sp+${3 * w}]
        mov [fault.ip], eax
        mov eax, [${p}sp+${4 * w}]
        mov [fault.cs], eax
        mov eax, [${p}sp+${5 * w}]
        mov [fault.flags], eax
        mov ${p}ax, cr2
        mov [fault.cr2], eax
        mov ${p}sp, [fault.stack]
        jmp ${bits === 64 ? "qword" : "dword"} [fault.resume]

fault_report:                           ; one line about the last attempt
        cmp dword [fault.vector], -1
        jne .fault
${say("none\n")}
        ret
.fault:
${say("vector ")}
        push ${p}dx
        mov edx, [fault.vector]
        call hex8
        pop ${p}dx
${say(" error ")}${hex("[fault.error]", bits)}
        cmp dword [fault.vector], 14
        jne .noaddress
${say(" cr2 ")}${hex("[fault.cr2]", bits)}
.noaddress:
        push ${p}ax
        mov eax, [fault.ip]
        sub eax, [fault.from]
        cmp eax, ${NEAR}
        jae .elsewhere
${say(" ip +")}${hex("eax", bits)}
        jmp .end
.elsewhere:
${say(" ip ")}${hex("[fault.ip]", bits)}
.end:   pop ${p}ax
${newline()}
        ret
`;
}

/** Loads the interrupt table. */
export const loadIdt = (): string => asm`
        lidt [idt.pointer]
`;

/** Fills the TSS descriptor and loads TR. `tss` is a label of a task state segment of at least 104 bytes. */
export const loadTss = (): string => asm`
        mov eax, tss
        mov word [gdt.tss], 103
        mov [gdt.tss+2], ax
        shr eax, 16
        mov [gdt.tss+4], al
        mov byte [gdt.tss+5], 0x89      ; present, available TSS
        mov byte [gdt.tss+6], 0
        mov [gdt.tss+7], ah
        mov eax, ${TSS}
        ltr ax
`;

/** Makes `attempt` functions that number their labels. One maker per guest. */
export function attempts(bits: Bits): (name: string, code: string) => string {
  const p = bits === 64 ? "r" : "e";
  let count = 0;
  return (name, code) => {
    const id = count++;
    return asm`
${say(`${name} = `)}
        mov dword [fault.vector], -1
        mov dword [fault.resume], attempted_${id}
        mov dword [fault.from], attempt_${id}
        mov [fault.stack], ${p}sp
attempt_${id}:
${code}
attempted_${id}:
        call fault_report`;
  };
}

/**
 * The same for ring 3. `int 0x30` behind the code comes back, so a report of "vector 30" means that nothing faulted.
 * Needs the label `user_stack` (end of a stack that user code may use) and a loaded TSS.
 */
export function userAttempts(
  bits: Bits,
  attempt: (name: string, code: string) => string,
): (name: string, code: string) => string {
  let count = 0;
  return (name, code) => {
    const id = count++;
    return attempt(
      `user ${name}`,
      asm`
        mov dword [fault.from], user_${id}
        mov eax, ${USER_DATA}
        mov ds, eax
        mov es, eax
        push ${USER_DATA}
        push user_stack
        push 2
        push ${bits === 64 ? USER_CODE64 : USER_CODE32}
        push user_${id}
        ${bits === 64 ? "iretq" : "iretd"}
user_${id}:
${code}
        int 0x30`,
    );
  };
}
