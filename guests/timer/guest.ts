/** The single-shot timer: once waited for by polling its event channel, then taken as an interrupt. See README.md. */
import * as hc from "../../hv-core/abi/hypercalls.ts";
import { asm } from "../asm/assembler.ts";
import { assemblyGuest } from "../guest.ts";
import { faultHandling, loadIdt } from "../lib/faults.ts";
import { hypercall, mapSharedInfo, sharedInfoPage } from "../lib/hypercall.ts";
import { say } from "../lib/print.ts";
import { program32 } from "../lib/program.ts";

/** Any vector of the guest's own choice. */
const VECTOR = 0x38;
const MILLISECOND = 1_000_000;
const PENDING = "shared_info + 2048";
const MASK = "shared_info + 2176";

/** Sets the timer one millisecond from now. */
const armTimer = (): string => asm`
${hypercall(32, hc.HC_HVM_OP, hc.HVMOP_GET_TIME, "shot")}
        add dword [shot], ${MILLISECOND}
        adc dword [shot+4], 0
        mov dword [shot+8], 0
${hypercall(32, hc.HC_VCPU_OP, hc.VCPUOP_SET_SINGLESHOT_TIMER, 0, "shot")}`;

const bindTimer = (): string => asm`
        mov dword [bind], ${hc.VIRQ_TIMER}
        mov dword [bind+4], 0
${hypercall(32, hc.HC_EVENT_CHANNEL_OP, hc.EVTCHNOP_BIND_VIRQ, "bind")}
        mov eax, [bind+8]
        mov [port], eax`;

const byPolling = (): string => asm`
${armTimer()}
        mov dword [poll], port
        mov dword [poll+4], 1
        mov dword [poll+8], 0                     ; no time-out
        mov dword [poll+12], 0
${hypercall(32, hc.HC_SCHED_OP, hc.SCHEDOP_POLL, "poll")}
        mov ecx, [port]
        btr dword [${PENDING}], ecx
        jnc never
${say("1: the poll came back and the timer's port is pending\n")}`;

/** The callback vector (parameter 0, type 2) needs no local APIC and no end-of-interrupt. */
const byInterrupt = (): string => asm`
        mov word [idt + ${VECTOR}*8], upcall & 0xffff
        mov word [idt + ${VECTOR}*8 + 6], upcall >> 16
        mov word [hvm_param], ${hc.DOMID_SELF}
        mov dword [hvm_param+4], ${hc.HVM_PARAM_CALLBACK_IRQ}
        mov dword [hvm_param+8], ${VECTOR}
        mov dword [hvm_param+12], 2 << 24
${hypercall(32, hc.HC_HVM_OP, hc.HVMOP_SET_PARAM, "hvm_param")}
        mov dword [shared_info], 0                ; forget what is pending
        mov dword [shared_info+4], 0
        mov dword [${PENDING}], 0
        mov dword [${MASK}], 0
        mov dword [rounds], 3
next_round:
${armTimer()}
wait:   sti
        hlt                                       ; STI takes effect after the next instruction: no interrupt is lost
        cli
        btr dword [taken], 0
        jnc wait
        dec dword [rounds]
        jnz next_round
${say("5: done\n")}
        jmp finish
never:
${say("the timer did not fire\n")}
finish:`;

/** The way every upcall handler goes: clear "pending", take the selector, look at the bits. */
const upcall = (): string => asm`
upcall: pushad
        mov byte [shared_info], 0
        xor eax, eax
        xchg eax, [shared_info+4]
        mov ecx, [port]
        btr dword [${PENDING}], ecx
        jnc .end
        mov dword [taken], 1
        mov eax, 5
        sub eax, [rounds]
        call decimal
${say(": upcall\n")}
.end:   popad
        iretd
`;

export default assemblyGuest({
  name: "timer",
  title: "single-shot timer: polled, then as an interrupt",
  source: program32(
    asm`
${loadIdt()}
${mapSharedInfo()}
${bindTimer()}
${byPolling()}
${byInterrupt()}
`,
    asm`
${faultHandling(32)}
${upcall()}
        align 8
shot:   dd 0, 0, 0, 0
poll:   dd 0, 0, 0, 0
bind:   dd 0, 0, 0
port:   dd 0
taken:  dd 0
rounds: dd 0
${sharedInfoPage()}
`,
  ),
});
