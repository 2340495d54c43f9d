/**
 * The PV console from the guest's side: a ring in a page that the toolstack chose, and an event channel to ring the bell.
 *
 * The guest writes bytes, then the producer index, then notifies; the other end follows with the consumer index (spec 08 section 8.8).
 * 32-bit code. Needs setUpHypercalls, hvmParamBlock.
 */
import * as hc from "../../hv-core/abi/hypercalls.ts";
import { asm } from "../asm/assembler.ts";
import { getParam, hypercall } from "./hypercall.ts";

const OUT = 1024;
const OUT_SIZE = 2048;
const OUT_CONS = 3080;
const OUT_PROD = 3084;

/** Asks for the ring's page and the event channel. */
export const setUpPvConsole = (): string => asm`
${getParam(hc.HVM_PARAM_CONSOLE_PFN)}
        shl eax, 12
        mov [pv_console.ring], eax
${getParam(hc.HVM_PARAM_CONSOLE_EVTCHN)}
        mov [pv_console.port], eax
`;

/** The routine `pv_puts`: ESI = text ending with 0. Comes back when the other end has read everything. */
export const pvConsole = (): string => asm`
        align 4
pv_console.ring: dd 0
pv_console.port: dd 0
pv_puts: pushad
        mov edi, [pv_console.ring]
        mov ebx, [edi+${OUT_PROD}]
.next:  lodsb
        test al, al
        jz .publish
        mov edx, ebx
        and edx, ${OUT_SIZE - 1}
        mov [edi+edx+${OUT}], al
        inc ebx
        jmp .next
.publish:
        mov [edi+${OUT_PROD}], ebx               ; bytes first, then the index
${hypercall(32, hc.HC_EVENT_CHANNEL_OP, hc.EVTCHNOP_SEND, "pv_console.port")}
.wait:  mov edi, [pv_console.ring]
        mov eax, [edi+${OUT_CONS}]
        cmp eax, [edi+${OUT_PROD}]
        je .done
${hypercall(32, hc.HC_SCHED_OP, hc.SCHEDOP_YIELD, 0)}
        jmp .wait
.done:  popad
        ret
`;
