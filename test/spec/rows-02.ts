/** Spec 02, EPT violations and misconfigurations: its rows and branches, and where each is tested. */
import { refused, row, type SpecRow } from "./rows.ts";

const VIOLATION = "hv/violation.test.ts";
const RECALC = "hv/p2m-recalc.test.ts";
const TYPES = "hv/p2m-memory-type.test.ts";
const WALK = "hw/guest-walk.test.ts";
const REPLAY = "ioreq/replay.test.ts";
const EVENT = "vm-event/vm-event.test.ts";
const PAGED = "vm-event/paging.test.ts";
const ACCESS = "vm-event/access.test.ts";
const REFUSED = "hv/views-refused.test.ts";
const NO_NESTED = "a guest that tries to run guests of its own gets #UD, and CPUID does not offer it";
const NO_ALTP2M = "a domain has one view of its memory; HVMOP_altp2m answers EOPNOTSUPP, as the recorded Xen does";

export const ROWS_02: readonly SpecRow[] = [
  row("2.1 exit reasons 48 and 49", `${WALK}: exits with the qualification of table accesses and of the final one`),
  row(
    "2.1 qualification: kind of access, rights in the entry, linear address valid, translated or by the walk",
    `${WALK}: exits with the qualification of table accesses and of the final one`,
  ),
  row(
    "2.1 qualification bit 12: NMI unblocking by IRET",
    "hw/system.test.ts: IRET lets NMIs through before it reads its stack: a violation there says so, another exit or none does not",
    `${VIOLATION}: an IRET that let NMIs through and exited blocks them again until it is made`,
  ),
  row("2.1 rights are the AND over the levels", "hw/ept-walk.test.ts: gives the AND of the rights of all levels"),
  row(
    "2.1 a misconfiguration has an address only",
    `${WALK}: exits with the qualification of table accesses and of the final one`,
  ),
  row(
    "2.1 every write is also a read",
    `${REPLAY}: writes to read-only RAM vanish, and read-modify-writes see what is there`,
  ),
  row(
    "2.1 result 1: the guest goes on",
    `${RECALC}: V-6: whatever the type has become since the fault, a RAM page is tried again`,
  ),
  row("2.1 result 0: the domain crashes", `${VIOLATION}: step 5 to 9: a read and a write of %s`),
  refused(
    "2.1 result -1: to the inner hypervisor",
    NO_NESTED,
    `${REFUSED}: a guest inside a guest: CPUID shows neither VMX nor SVM, CR4 takes no VMXE, and the instructions are #UD`,
  ),
  refused(
    "2.2 step 0: nested guests",
    NO_NESTED,
    `${REFUSED}: a guest inside a guest: CPUID shows neither VMX nor SVM, CR4 takes no VMXE, and the instructions are #UD`,
    `${REFUSED}: createdomain takes the flag for guests inside guests, as recorded, and gives nothing for it; the old parameter is refused`,
  ),
  row(
    "2.2 step 1: internal handlers, without lookup or lock",
    `${VIOLATION}: step 1: our own handlers come before the map, which is not even looked at`,
  ),
  row(
    "2.2 step 2: populate on demand",
    "hv/pod.test.ts: a superpage is populated whole when the cache has one",
    `${VIOLATION}: a promise without memory crashes the domain`,
  ),
  row(
    "2.2 step 2: a shared page is unshared for a write",
    "sharing/unshare.test.ts: copies it: the others keep what they had",
  ),
  row("2.2 step 2: a broken frame", `${VIOLATION}: a broken frame crashes the domain`),
  refused(
    "2.2 step 3: altp2m",
    NO_ALTP2M,
    `${REFUSED}: altp2m: every operation is EOPNOTSUPP, for dom0 and for the guest itself`,
    `${REFUSED}: the parameter that would allow views is only kept: 0 to 3, and once`,
  ),
  row(
    "2.2 step 4: violation of the access, the table of accesses",
    `${ACCESS}: %s leaves these rights in the EPT entry`,
    `${EVENT}: goes to the listener, pauses the vCPU, and the answer lets it go on`,
  ),
  row(
    "2.2 step 4a: a fetch splits a superpage; no frame for it",
    `${VIOLATION}: step 4a: a fetch from a superpage splits it, a fetch from a small page or of nothing does not`,
  ),
  refused(
    "2.2 step 4b: #VE",
    NO_ALTP2M,
    `${REFUSED}: altp2m: every operation is EOPNOTSUPP, for dom0 and for the guest itself`,
  ),
  row(
    "2.2 step 4c: event to the listener, synchronous or not",
    `${EVENT}: goes to the listener, pauses the vCPU, and the answer lets it go on`,
    `${ACCESS}: n2rwx becomes rwx at any touch, with an event that nobody waits for`,
  ),
  row(
    "2.2 step 5: mmio_dm",
    `${VIOLATION}: step 5 to 9: a read and a write of %s`,
    `${REPLAY}: a page given to the device model by type is I/O`,
  ),
  row(
    "2.2 step 5: writes to ram_ro and grant_map_ro",
    `${VIOLATION}: step 5 to 9: a read and a write of %s`,
    `${REPLAY}: writes to read-only RAM vanish, and read-modify-writes see what is there`,
  ),
  row(
    "2.2 step 5: writes to ioreq_server",
    `${VIOLATION}: step 5 to 9: a read and a write of %s`,
    "ioreq/request.test.ts: goes to the type's server only, and asks for a retry without one",
  ),
  row(
    "2.2 step 5: writes to read-only device memory",
    `${TYPES}: a write to it is emulated: nobody answers, so it is dropped; a read never leaves the guest`,
  ),
  row("2.2 step 5: the p2m lock is held until the request is sent", "race: ioreq-unmap-window"),
  row("2.2 step 5: emulation fails: #GP(0)", `${REPLAY}: executing emulated memory is #GP(0)`),
  row(
    "2.2 step 5: during the delivery of an event",
    `${VIOLATION}: step 5: during the delivery of an event there is no instruction to emulate: the domain crashes`,
    `${REPLAY}: delivering an exception on a stack in emulated memory crashes the domain and nothing else`,
  ),
  row(
    "2.2 step 6: a page that is away",
    `${PAGED}: asks the pager, pauses the vCPU, and the answer brings page and vCPU back`,
  ),
  row(
    "2.2 step 7: no memory to unshare",
    "sharing/unshare.test.ts: and no ring: the domain crashes with a reason, the other goes on, nothing has changed",
  ),
  row("2.2 step 8: RAM: tried again", `${VIOLATION}: step 5 to 9: a read and a write of %s`),
  row(
    "2.2 step 8: a write to tracked RAM",
    `${VIOLATION}: step 8: a write to a tracked page makes it writable and is counted; a read does neither`,
    `${RECALC}: V-1: a write to a tracked page makes it writable; another one finds it so`,
  ),
  row(
    "2.2 step 8: the event that was being delivered is delivered again",
    `${VIOLATION}: step 8: the event whose delivery met a page that is fine by now is delivered again`,
  ),
  row("2.2 step 8: ram_paging_in is RAM: the guest comes back", `${VIOLATION}: step 5 to 9: a read and a write of %s`),
  row("2.2 step 9: anything else", `${VIOLATION}: step 5 to 9: a read and a write of %s`),
  row(
    "2.2 exit (a): populate request after the lock",
    `${PAGED}: asks the pager, pauses the vCPU, and the answer brings page and vCPU back`,
    "race: evict-against-touch",
  ),
  row(
    "2.2 exit (b): ENOMEM event, crash without a ring",
    "sharing/enomem.test.ts: hears of the write, frees memory, and the write is made",
    "sharing/unshare.test.ts: and no ring: the domain crashes with a reason, the other goes on, nothing has changed",
  ),
  row(
    "2.2 exit (c): event after the lock",
    `${EVENT}: goes to the listener, pauses the vCPU, and the answer lets it go on`,
  ),
  row(
    "2.2 exit (c): the event cannot be sent",
    `${ACCESS}: the event cannot be sent: the domain crashes, with a reason`,
    "race: listener-leaves",
  ),
  row(
    "2.2 an access is dirty before it is allowed",
    `${VIOLATION}: step 8: the mark comes first: when memory ends in between, a page that is marked stays read-only`,
  ),
  row(
    "2.2 p2m_mem_access_check: rx2rw, n2rwx, no listener, required",
    `${ACCESS}: rx2rw becomes rw at a write, and nobody is told`,
    `${ACCESS}: n2rwx becomes rwx at any touch, with an event that nobody waits for`,
    `${ACCESS}: without a listener the page becomes rwx, or the domain is crashed when it needs one`,
  ),
  row("2.3 the page of the exit is latched: no second walk", `${REPLAY}: retires each instruction once`),
  row("2.3 UNHANDLEABLE: #GP(0)", `${REPLAY}: executing emulated memory is #GP(0)`),
  row(
    "2.3 EXCEPTION: injected",
    `${REPLAY}: a page fault of the second operand leaves the registers alone`,
    `${REPLAY}: DIV by an operand in emulated memory, also when it faults`,
  ),
  row("2.3 RETRY leaves rip", `${REPLAY}: a page of the type without a server never lets a write through (S-1)`),
  row("2.3 OKAY retires once", `${REPLAY}: retires each instruction once`),
  row(
    "2.4 resolved: again; spurious after another's repair; neither: crash",
    `${RECALC}: misconfiguration: repaired, spurious after another's repair, or an error`,
  ),
  row("2.4 an error crashes", `${RECALC}: misconfiguration: no frame for a split crashes that domain`),
  row(
    "2.4 the flag of all vCPUs",
    `${RECALC}: touches the root only; a touch repairs level by level and tells the other vCPUs`,
  ),
  row("2.4 leaf: nothing pending", `${RECALC}: resolving anywhere is harmless`),
  row(
    "2.4 level 0: the whole table",
    `${RECALC}: touches the root only; a touch repairs level by level and tells the other vCPUs`,
  ),
  row(
    "2.4 level 0: type recomputed, rights with it, entry_count",
    `${RECALC}: stays while it has a server, and is counted down as it goes`,
  ),
  row("2.4 superpage: none or all tracked", `${RECALC}: keeps superpages, at both sizes`),
  row(
    "2.4 superpage: some tracked: split",
    `${RECALC}: a superpage that is only partly tracked splits at its first touch`,
  ),
  row(
    "2.4 superpage: memory types differ: split",
    `${RECALC}: that differ inside a superpage are stored as invalid, and the first touch splits it`,
  ),
  row("2.4 superpage: split fails: ENOMEM", `${RECALC}: misconfiguration: no frame for a split crashes that domain`),
  row(
    "2.4 middle: children invalid first, then the entry",
    "explore/p2m-windows.test.ts: a repair makes the entries below invalid before the one above is valid again",
    `${RECALC}: touches the root only; a touch repairs level by level and tells the other vCPUs`,
  ),
  row("2.4 middle: absent", `${RECALC}: resolving anywhere is harmless`),
  row(
    "2.4 no flush for a repair",
    `${RECALC}: touches the root only; a touch repairs level by level and tells the other vCPUs`,
  ),
  row("2.4 against a model", "hv/p2m-model.test.ts: seed %i, superpages %i, %i sequences"),
  row(
    "V-1 two writers of a tracked page",
    `${RECALC}: V-1: a write to a tracked page makes it writable; another one finds it so`,
  ),
  row(
    "V-2 CLEAN and a writing guest",
    "explore/p2m-windows.test.ts: V-2: in every interleaving with a writing guest the domain runs again at the end",
  ),
  row(
    "V-3 memory comes while a vCPU cannot unshare",
    "sharing/enomem.test.ts: that answers without making memory is asked again: the vCPU faults again",
  ),
  row("V-4 the pager resumes before populate", "race: evict-against-touch"),
  row(
    "V-5 the listener goes between check and send",
    `${ACCESS}: the event cannot be sent: the domain crashes, with a reason`,
    `${ACCESS}: or the access is made again, and nobody listens any more`,
    "race: listener-leaves",
  ),
  row(
    "V-6 the type changes before the lookup",
    `${RECALC}: V-6: whatever the type has become since the fault, a RAM page is tried again`,
    "race: ioreq-unmap-window",
  ),
  row(
    "V-7 somebody else resolves first",
    `${RECALC}: misconfiguration: repaired, spurious after another's repair, or an error`,
  ),
  row(
    "V-8 an internal handler moves away",
    `${VIOLATION}: step 1: our own handlers come before the map, which is not even looked at`,
    "ioreq/irq.test.ts: live in a page that follows the base MSR",
  ),
  row("V-a livelock is detected", "race: destroy-without-unmap", "race: fetch-livelock"),
  row("V-b no lock is held at the end", `hv/p2m-invariants.test.ts: a lock that is never let go is seen`),
  row("V-c no event is sent under the p2m lock", "race: answer-before-deschedule"),
  row("V-d no write is lost", "race: ioreq-unmap-window", "race: completion-after-type-flip"),
];
