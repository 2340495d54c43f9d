/** The back end of a pair: maps the granted ring, reads what comes, copies a letter, unmaps. See README.md. */
import * as grant from "../../hv-core/abi/grant.ts";
import * as hc from "../../hv-core/abi/hypercalls.ts";
import { asm } from "../asm/assembler.ts";
import { assemblyGuest } from "../guest.ts";
import { hypercall, mapSharedInfo, sharedInfoPage } from "../lib/hypercall.ts";
import { say } from "../lib/print.ts";
import { program32 } from "../lib/program.ts";
import {
  CONSUMED,
  DATA,
  findPeer,
  LETTER_REF,
  notify,
  PORT,
  PRODUCED,
  RING_REF,
  SIZE,
  waitRoutine,
} from "../lib/ring.ts";

/** Above the guest's RAM: where the ring appears. */
const RING_GFN = 0x80000;
const RING = RING_GFN * 4096;
/** Turns that the front end gets to grant its ring. */
const TRIES = 1000;
const LETTER_BYTES = 128;

/** map_grant_ref until it succeeds; between two tries the others have a turn. */
const mapRing = (): string => asm`
        mov dword [tries], ${TRIES}
.again: mov dword [map], ${RING}
        mov dword [map+8], ${grant.GNTMAP_HOST_MAP}
        mov dword [map+12], ${RING_REF}
        mov eax, [peer]
        mov [map+16], ax
${hypercall(32, hc.HC_GRANT_TABLE_OP, grant.GNTTABOP_MAP_GRANT_REF, "map", 1)}
        cmp word [map+18], 0
        je .mapped
${hypercall(32, hc.HC_SCHED_OP, hc.SCHEDOP_YIELD, 0)}
        dec dword [tries]
        jnz .again
        jmp alone
.mapped:`;

const bindChannel = (): string => asm`
        mov eax, [peer]
        mov [bind], ax
        mov eax, [${RING + PORT}]
        mov [bind+4], eax
${hypercall(32, hc.HC_EVENT_CHANNEL_OP, hc.EVTCHNOP_BIND_INTERDOMAIN, "bind")}
        mov eax, [bind+8]
        mov [port], eax`;

/** The indexes are the other domain's: each is read once, and what cannot be is not believed. */
const readText = (): string => asm`
.look:  mov ebx, [${RING + PRODUCED}]
        sub ebx, [${RING + CONSUMED}]
        jz .empty
        cmp ebx, ${SIZE}
        ja broken
.take:  mov edx, [${RING + CONSUMED}]
        and edx, ${SIZE - 1}
        mov al, [${RING + DATA}+edx]
        inc dword [${RING + CONSUMED}]
        test al, al
        jz .end
        call putc
        dec ebx
        jnz .take
${notify()}
        jmp .look
.empty: call wait
        jmp .look
.end:`;

const copyLetter = (): string => asm`
        mov dword [copy], ${LETTER_REF}
        mov eax, [peer]
        mov [copy+4], ax
        mov word [copy+6], 0
        mov dword [copy+8], letter >> 12
        mov word [copy+12], ${hc.DOMID_SELF}
        mov word [copy+14], 0
        mov word [copy+16], ${LETTER_BYTES}
        mov word [copy+18], ${grant.GNTCOPY_SOURCE_GREF}
${hypercall(32, hc.HC_GRANT_TABLE_OP, grant.GNTTABOP_COPY, "copy", 1)}`;

const unmapRing = (): string => asm`
        mov dword [unmap], ${RING}
        mov eax, [map+20]
        mov [unmap+16], eax
${hypercall(32, hc.HC_GRANT_TABLE_OP, grant.GNTTABOP_UNMAP_GRANT_REF, "unmap", 1)}`;

export default assemblyGuest({
  name: "ring-back",
  title: "maps a ring that another domain has granted and reads it",
  source: program32(
    asm`
${mapSharedInfo()}
${findPeer(-1)}
map_ring:
${mapRing()}
${say("back: the ring is mapped\nback: ")}
${bindChannel()}
read_text:
${readText()}
${say("\nback: ")}
${copyLetter()}
        mov esi, letter
        call puts
${say("\n")}
${unmapRing()}
${notify()}
        jmp finish
broken:
${say("\nback: the ring's indexes cannot be\n")}
        jmp finish
alone:
${say("back: nobody has granted me a ring\n")}
finish:`,
    asm`
${waitRoutine()}
        align 8
map:    dd 0, 0, 0, 0, 0, 0, 0, 0
unmap:  dd 0, 0, 0, 0, 0, 0
copy:   dd 0, 0, 0, 0, 0, 0
bind:   dd 0, 0, 0
tries:  dd 0
        align 4096
letter: zero 4096
${sharedInfoPage()}`,
  ),
});
