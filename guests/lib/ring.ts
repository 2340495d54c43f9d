/**
 * The ring that ring-front and ring-back share by grant: who writes what where, and how they wait for each other. 32-bit code.
 *
 * Page: produced u32 (front), consumed u32 (back), port u32 (front), then 64 bytes of data. Indexes run freely; slot = index mod 64.
 */
import * as hc from "../../hv-core/abi/hypercalls.ts";
import { asm } from "../asm/assembler.ts";
import { hypercall } from "./hypercall.ts";

export const PRODUCED = 0;
export const CONSUMED = 4;
export const PORT = 8;
export const DATA = 64;
export const SIZE = 64;
/** References: the ring, and a page with a letter that is copied, not mapped. */
export const RING_REF = 8;
export const LETTER_REF = 9;

const MILLISECOND = 1_000_000;
const PENDING = "shared_info + 2048";

/** Sends an event through our end of the channel. */
export const notify = (): string => asm`
        mov eax, [port]
        mov [send], eax
${hypercall(32, hc.HC_EVENT_CHANNEL_OP, hc.EVTCHNOP_SEND, "send")}`;

/** Sleeps until the other end sends, or a millisecond is over: then carry is clear. */
export const waitRoutine = (): string => asm`
wait:   pushad
${hypercall(32, hc.HC_HVM_OP, hc.HVMOP_GET_TIME, "now")}
        mov eax, [now]
        mov edx, [now+4]
        add eax, ${MILLISECOND}
        adc edx, 0
        mov dword [poll], port
        mov dword [poll+4], 1
        mov [poll+8], eax
        mov [poll+12], edx
${hypercall(32, hc.HC_SCHED_OP, hc.SCHEDOP_POLL, "poll")}
        mov ecx, [port]
        btr dword [${PENDING}], ecx
        popad
        ret
        align 8
now:    dd 0, 0
poll:   dd 0, 0, 0, 0
send:   dd 0
port:   dd 0
own:    dd 0
peer:   dd 0`;

/** Our number and the other's: the front end is created first, so the back end's is the next one. */
export const findPeer = (step: 1 | -1): string => asm`
        mov eax, 0x40000004
        xor ecx, ecx
        cpuid
        mov [own], ecx
        add ecx, ${step}
        and ecx, 0xffff
        mov [peer], ecx`;
