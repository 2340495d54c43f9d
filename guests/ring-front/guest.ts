/** The front end of a pair: grants a ring and a letter, sends a text through the ring, takes the pages back. See README.md. */
import * as grant from "../../hv-core/abi/grant.ts";
import * as hc from "../../hv-core/abi/hypercalls.ts";
import { asm } from "../asm/assembler.ts";
import { assemblyGuest } from "../guest.ts";
import { hypercall, mapSharedInfo, sharedInfoPage } from "../lib/hypercall.ts";
import { quote, say } from "../lib/print.ts";
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

/** Above the guest's RAM: where its grant table appears. */
const TABLE_GFN = 0x80000;
const TABLE = TABLE_GFN * 4096;
const IN_USE = grant.GTF_READING | grant.GTF_WRITING;
/** Milliseconds without a sign of life after which the front end gives up. */
const PATIENCE = 20;

const mapTable = (): string => asm`
        mov word [table_arg], ${hc.DOMID_SELF}
        mov dword [table_arg+4], ${hc.XENMAPSPACE_GRANT_TABLE}
        mov dword [table_arg+8], 0
        mov dword [table_arg+12], ${TABLE_GFN}
${hypercall(32, hc.HC_MEMORY_OP, hc.XENMEM_ADD_TO_PHYSMAP, "table_arg")}`;

/** Frame first, then flags and domid in one store: the entry is never half there. */
const grantPage = (ref: number, label: string, flags: number): string => asm`
        mov dword [${TABLE + ref * 8 + 4}], ${label} >> 12
        mov eax, [peer]
        shl eax, 16
        or eax, ${flags}
        mov [${TABLE + ref * 8}], eax`;

const openChannel = (): string => asm`
        mov word [channel], ${hc.DOMID_SELF}
        mov eax, [peer]
        mov [channel+2], ax
${hypercall(32, hc.HC_EVENT_CHANNEL_OP, hc.EVTCHNOP_ALLOC_UNBOUND, "channel")}
        mov eax, [channel+4]
        mov [port], eax
        mov [ring+${PORT}], eax`;

/** A byte at a time; the other end hears of it when the ring is full, and at the end. */
const sendText = (): string => asm`
        mov esi, text
.next:  mov eax, [ring+${PRODUCED}]
        sub eax, [ring+${CONSUMED}]
        cmp eax, ${SIZE}
        jb .room
${notify()}
        call wait
        jc .next
        inc dword [misses]
        cmp dword [misses], ${PATIENCE}
        jb .next
        jmp alone
.room:  mov eax, [ring+${PRODUCED}]
        and eax, ${SIZE - 1}
        mov cl, [esi]
        mov [ring+${DATA}+eax], cl
        inc dword [ring+${PRODUCED}]
        inc esi
        test cl, cl
        jnz .next
${notify()}`;

/** The page is ours again when the marks are gone; then the entry is swapped for nothing, in one instruction. */
const takeBack = (ref: number): string => asm`
.used${ref}: test word [${TABLE + ref * 8}], ${IN_USE}
        jz .free${ref}
        call wait
        jmp .used${ref}
.free${ref}: mov dword [${TABLE + ref * 8}], 0`;

export default assemblyGuest({
  name: "ring-front",
  title: "grants a ring to another domain and sends a text through it",
  source: program32(
    asm`
${mapSharedInfo()}
${findPeer(1)}
${mapTable()}
${openChannel()}
${grantPage(LETTER_REF, "letter", grant.GTF_PERMIT_ACCESS | grant.GTF_READONLY)}
${say("front: a ring is granted as reference 8, a letter as reference 9\n")}
${grantPage(RING_REF, "ring", grant.GTF_PERMIT_ACCESS)}
send_text:
${sendText()}
take_back:
${takeBack(RING_REF)}
${takeBack(LETTER_REF)}
${say("front: nobody uses my pages any more; they are mine again\n")}
        jmp finish
alone:
${say("front: nobody came\n")}
finish:`,
    asm`
${waitRoutine()}
        align 8
table_arg: dd 0, 0, 0, 0
channel: dd 0, 0
misses: dd 0
text:   db ${quote("every byte of this text went through one page that two domains share, and round a ring of sixty-four places twice")}, 0
        align 4096
ring:   zero 4096
letter: db ${quote("this line was never mapped: the hypervisor copied it")}, 0
        align 4096
${sharedInfoPage()}`,
  ),
});
