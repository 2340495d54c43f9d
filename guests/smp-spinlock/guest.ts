/** Two vCPUs add to one counter under a spinlock, and once without. See README.md. */
import * as hc from "../../hv-core/abi/hypercalls.ts";
import { asm } from "../asm/assembler.ts";
import { assemblyGuest } from "../guest.ts";
import { hypercall } from "../lib/hypercall.ts";
import { hex, newline, say } from "../lib/print.ts";
import { program32 } from "../lib/program.ts";

const ROUNDS = 20000;
/** Segment attributes as in a descriptor: type, S, DPL, P in the low byte; AVL, L, D/B, G above. */
const CODE = 0xc9b;
const DATA = 0xc93;
const TSS = 0x8b;

/** The lock: XCHG is atomic by itself; PAUSE tells the processor (and a hypervisor) that this is a spin loop. */
const worker = (): string => asm`
worker: mov ecx, ${ROUNDS}
.next:  mov eax, 1
.spin:  xchg eax, [lock]
        test eax, eax
        jz .mine
        pause
        jmp .spin
.mine:  mov edx, [counter]              ; not atomic: this is what the lock protects
        inc edx
        mov [counter], edx
        mov dword [lock], 0
        lock inc dword [atomic]
        dec ecx
        jnz .next
        lock inc dword [finished]
        ret
`;

/** Where vCPU 1 begins. It has its own stack and ends by taking itself down. */
const second = (): string => asm`
second: mov esp, second_stack
        call worker
${hypercall(32, hc.HC_VCPU_OP, hc.VCPUOP_DOWN, 1, 0)}
        ud2
`;

/** struct vcpu_hvm_context, 32-bit mode: registers, control registers, five segments. */
const context = (): string => asm`
        align 8
context: dd 0, 0                        ; mode 0: 32-bit
        dd 0, 0, 0, 0, second_stack, 0, 0, 0
        dd second, 2                    ; EIP, EFLAGS
        dd 0x11, 0, 0, 0                ; CR0, CR3, CR4
        dq 0                            ; EFER
        dd 0, 0, 0, 0, 0                ; bases: CS DS SS ES TR
        dd -1, -1, -1, -1, 0x67         ; limits
        dw ${CODE}, ${DATA}, ${DATA}, ${DATA}, ${TSS}, 0, 0, 0
`;

const total = (name: string, from: string): string => asm`
${say(`${name}: `)}
        mov eax, [${from}]
        call decimal
${newline()}`;

export default assemblyGuest({
  name: "smp-spinlock",
  title: "two vCPUs, one counter, one spinlock",
  run: { vcpus: 2 },
  source: program32(
    asm`
${hypercall(32, hc.HC_VCPU_OP, hc.VCPUOP_INITIALISE, 1, "context")}
${say("initialise vCPU 1: ")}${hex("eax")}
${newline()}
${hypercall(32, hc.HC_VCPU_OP, hc.VCPUOP_UP, 1, 0)}
        mov [started], eax
${say("up: ")}${hex("eax")}
${newline()}
        cmp dword [started], 0
        jne alone
        call worker
wait:   cmp dword [finished], 2
        je both
        pause
        jmp wait
both:
${hypercall(32, hc.HC_VCPU_OP, hc.VCPUOP_IS_UP, 1, 0)}
        test eax, eax
        jnz both                        ; until it has taken itself down
${total("counter under the lock", "counter")}
${total("counter by lock inc", "atomic")}
        jmp done
alone:
${say("there is no vCPU 1: run this with --vcpus 2")}
${newline()}
done:
`,
    asm`
${worker()}
${second()}
${context()}
lock:   dd 0
counter: dd 0
atomic: dd 0
finished: dd 0
started: dd 0                           ; what VCPUOP_up answered
        align 16
        zero 1024
second_stack:
`,
  ),
});
