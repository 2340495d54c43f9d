/** Spec 04 sections 4.3 to 4.6, ring pages, paging, page access and vm_event: every row and its tests. */
import type { SpecRow } from "./rows.ts";

const EVENT = "vm-event/vm-event.test.ts";
const ACCESS = "vm-event/access.test.ts";
const PAGING = "vm-event/paging.test.ts";
const HOSTILE = "vm-event/hostile.test.ts";
const PAGER = "host/pager.test.ts";
const MONITOR = "vm-event/monitor.test.ts";
const RACE = "explore/catalogue.test.ts";
const FOUND = "%s: exhaustive search finds what is expected";
const row = (text: string, ...tests: string[]): SpecRow => ({ row: text, tests });
const missing = (text: string, why: string): SpecRow => ({ row: text, tests: [], missing: why });

export const ROWS_04: readonly SpecRow[] = [
  row("4.3 paging or shared: ENOENT", `${EVENT}: refuses a ring page that is paged out, and asks for it`),
  row("4.3 no page: EINVAL", `${EVENT}: needs a page named in the parameter`),
  missing("4.3 mmio_direct: EPERM", "a guest's ring page over direct MMIO needs memory_mapping in these tests"),
  missing("4.3 map failure: ENOMEM", "the hypervisor maps every frame: mapping cannot fail here"),
  row(
    "4.3 the guest can write the page until the toolstack hides it (XSA-99)",
    `${RACE}: ${FOUND}`,
    `${EVENT}: goes to the listener, pauses the vCPU, and the answer lets it go on`,
  ),
  row(
    "4.4 common: EFAULT, ESRCH, EPERM, EINVAL, ENODEV, ENOSYS",
    `${PAGING}: needs a domain that is not oneself, alive, with a pager`,
  ),
  row(
    "4.4 off by default: ENOSYS",
    `${EVENT}: has no paging ring unless the hypervisor is built with it, and no sharing ring without sharing`,
  ),
  row("4.4 enable with populate-on-demand: EXDEV", `${PAGING}: cannot be enabled with populate-on-demand pages`),
  row("4.4 enable with an IOMMU: EMLINK", `${PAGING}: cannot be enabled while a device is passed through: -EMLINK`),
  missing("4.4 enable with an HVM hardware domain: EOPNOTSUPP", "dom0 counts as PV to others, as on the recorded Xen"),
  row(
    "4.4 nominate",
    `${PAGING}: nominate: -EBUSY without a page, for another type, and while anybody refers to the frame`,
  ),
  row("4.4 evict", `${PAGING}: evict: -EBUSY unless nominated, and while the frame is mapped`),
  row(
    "4.4 populate: types, pause, request",
    `${PAGING}: asks the pager, pauses the vCPU, and the answer brings page and vCPU back`,
    `${PAGING}: of a nominated page keeps it: EVICT_FAIL, evict refuses, the answer alone makes it RAM`,
    `${PAGING}: is about code as well as data`,
  ),
  row("4.4 populate: no ring crashes the domain (M-5)", `${PAGING}: without a pager crashes the domain`),
  row(
    "4.4 populate by a foreign vCPU: cancelled unless 9 or 10",
    `${PAGING}: mapping a page that is out asks for it: -ENOENT, and again until it is there; one that is only nominated maps`,
    `${PAGING}: set_mem_type of a paged page: -EAGAIN, and it is asked for`,
    `${PAGING}: a hypercall of the guest whose argument is out: -EFAULT, and the vCPU waits for the page`,
  ),
  row(
    "4.4 prep: ENOENT, EINVAL, ENOMEM, EFAULT",
    `${PAGING}: prep: -ENOENT unless it is out, -EINVAL without a buffer, -EFAULT, -ENOMEM; then RAM with the contents`,
  ),
  row(
    "4.4 resume",
    `${PAGING}: of a nominated page keeps it: EVICT_FAIL, evict refuses, the answer alone makes it RAM`,
  ),
  row(
    "4.4 drop",
    `${PAGING}: DROP_PAGE tells the pager to forget it`,
    `${PAGING}: a nominated one goes with its frame, with EVICT_FAIL`,
    `${PAGING}: new memory over a paged page: the old one is dropped`,
  ),
  row("4.4 several requests for one gfn", `${PAGING}: by several vCPUs makes a request each, and each is answered`),
  row(
    "4.4 claim, type, pause, put: M-4; M-1 but for a map by dom0, which evict refuses (docs/eras.md)",
    `${RACE}: ${FOUND}`,
  ),
  row("4.4 S-11 the answer to a foreign request", `${PAGING}: S-11 %s`, `${RACE}: ${FOUND}`),
  row("4.4 M-2 contents before the frame", `${RACE}: ${FOUND}`),
  row(
    "4.4 M-3 evict between lookup and get_page of a grant copy",
    "grant/sharing.test.ts: a page that is out: EAGAIN, and the pager is asked; when it is back the same call succeeds. A granted page is not evicted",
  ),
  row("4.4 invariant: paged_pages", `${HOSTILE}: random operations`),
  row(
    "4.4 a pager that dies",
    `${PAGER}: killed before each of its steps in turn: another one takes over, with the file`,
    `${PAGER}: that lost its store tells the domain: it ends, and reads nothing wrong`,
    `${PAGER}: torn at any place in the last record has the copy before`,
  ),
  row(
    "4.5 common errors; not VMX: EINVAL; no monitor: ENODEV",
    `${ACCESS}: needs a domain that is not oneself, alive, with a monitor ring, on VMX`,
  ),
  row("4.5 set: range, access, operation", `${ACCESS}: checks range, access and operation`),
  row("4.5 pfn ~0: the default", `${ACCESS}: pfn ~0 is the default, for new pages and for access default`),
  row("4.5 get: ESRCH", `${ACCESS}: get: -EINVAL beyond the last page, -ESRCH without one`),
  missing("4.5 get: ERANGE", "no entry can hold an access beyond the known ones"),
  row("4.5 set_multi, EFAULT", `${ACCESS}: set_multi reads each entry, and -EFAULT where the lists end`),
  row(
    "4.5 preemption: the start index above the operation",
    `${ACCESS}: splits a superpage and is preempted on the way; goes on where the command word says`,
  ),
  row(
    "4.5 access_required",
    `${ACCESS}: without a listener the page becomes rwx, or the domain is crashed when it needs one`,
  ),
  row(
    "1.2 rights of each access",
    `${ACCESS}: %s leaves these rights in the EPT entry`,
    `${ACCESS}: rx2rw becomes rw at a write, and nobody is told`,
    `${ACCESS}: n2rwx becomes rwx at any touch, with an event that nobody waits for`,
  ),
  row("2.2 violation table", `${ACCESS}: %s is violated by %j`),
  row(
    "4.5 EMULATE, only while the access still conflicts",
    `${ACCESS}: EMULATE carries a write out although the page forbids it (%i, %s)`,
    `${ACCESS}: EMULATE runs one instruction of a page that may not be executed; the next one is a violation again`,
    `${ACCESS}: EMULATE is not obeyed when the page allows the access by now`,
  ),
  row("4.5 NOWRITE", `${ACCESS}: EMULATE with NOWRITE discards the write`),
  row(
    "4.5 READ_DATA, zero-padded",
    `${ACCESS}: EMULATE with READ_DATA: the instruction reads what the listener says, zero-padded`,
    `${ACCESS}: an RMW with READ_DATA and NOWRITE reads the data and writes nothing`,
  ),
  row(
    "4.5 TOGGLE_SINGLESTEP",
    `${ACCESS}: TOGGLE_SINGLESTEP: one instruction, then an event, until it is toggled again`,
  ),
  row(
    "4.5 SET_REGISTERS",
    `${EVENT}: carries the registers, and a response may set them: when the vCPU runs again`,
    `${RACE}: ${FOUND}`,
  ),
  row("4.5 DENY", `${MONITOR}: DENY: the register keeps what it has`, `${MONITOR}: DENY: the MSR keeps what it has`),
  missing(
    "4.5 ALTP2M, NESTED, GET_NEXT_INT, SET_EMUL_INSN, FAST_SINGLESTEP, RESET_*",
    "the features they belong to are not built",
  ),
  row(
    "4.6 modes and operations",
    `${EVENT}: refuses oneself, unknown modes and operations, and a domain without vCPUs`,
  ),
  row("4.6 dying: 0, ignored", `${EVENT}: ignores a dying domain: 0, nothing done`),
  row("4.6 privilege", `${EVENT}: is for control domains and the device model's only`),
  row("4.6 get_version", `${EVENT}: answers the version, for no domain too`),
  row(
    "4.6 enable: EOPNOTSUPP, EBUSY, ENOSPC",
    `${EVENT}: needs a page named in the parameter`,
    `${EVENT}: says when no port is left`,
  ),
  row("4.6 disable: EINVAL; resume: ENODEV", `${EVENT}: without a ring: disable -EINVAL, resume -ENODEV`),
  row(
    "4.6 disable with sleepers: EBUSY",
    `${HOSTILE}: more vCPUs than slots: who finds none sleeps, and disable is busy until it is served`,
  ),
  row(
    "4.6 request: version, flags, reason, vcpu, union, registers",
    `${EVENT}: goes to the listener, pauses the vCPU, and the answer lets it go on`,
    `${EVENT}: carries the registers, and a response may set them: when the vCPU runs again`,
  ),
  row(
    "4.6 claim and wait queue; black eye",
    `${HOSTILE}: a vCPU is stopped before the ring is full, and loses no event`,
    `${HOSTILE}: with more vCPUs it is stopped earlier: each of the others still finds a slot`,
  ),
  row("4.6 consumer: event channel or RESUME", `${EVENT}: is answered by RESUME as well as by the event channel`),
  row(
    "4.6 responses skipped: version, vCPU, not paused",
    `${HOSTILE}: %s: the response is skipped, the vCPU stays paused`,
  ),
  row(
    "4.6 E-4 double response",
    `${HOSTILE}: the same answer twice: only as many as were asked for are taken`,
    `${HOSTILE}: an index of %i without a request is refused`,
  ),
  row("4.6 E-1 two helpers", `${EVENT}: needs a page named in the parameter`),
  row("4.6 E-2, E-3, E-5, E-6", `${RACE}: ${FOUND}`),
  row("4.6 invariants: outstanding, pauses", `${HOSTILE}: random operations`),
  row(
    "domctl 77 monitor_op",
    `${ACCESS}: says what it can, and refuses the rest`,
    `${ACCESS}: CPUID: the listener sees the leaf, and lets the guest go on behind the instruction`,
    `${ACCESS}: a guest request is an event, synchronous if asked for`,
  ),
  row(
    "events: control registers, on change, with a mask, sync and async",
    `${MONITOR}: the listener sees register, new and old value; the write is made when the vCPU goes on`,
    `${MONITOR}: only changes, and only of bits that matter`,
    `${MONITOR}: asynchronous: the guest goes on at once`,
    `${MONITOR}: CR0 by MOV, CLTS and LMSW, and CR3`,
    `${MONITOR}: EEXIST for what is so already, EINVAL for registers that do not exist`,
    `${MONITOR}: a value that the processor refuses is #GP when the write is made`,
  ),
  row(
    "events: MSRs",
    `${MONITOR}: the listener sees the MSR, its new and its old value; it is written when the vCPU goes on`,
    `${MONITOR}: only those on the list, and only changes if that is wanted`,
    `${MONITOR}: EEXIST, EINVAL; another MSR stays on the list when one is taken off it`,
  ),
  row("events: INT3", `${MONITOR}: stops before the guest's handler; the listener moves rip on`),
  row(
    "events: descriptor tables, EMULATE",
    `${MONITOR}: %s: which table and how; EMULATE lets it happen`,
    `${MONITOR}: without EMULATE the instruction exits again`,
  ),
  row(
    "events end with the ring",
    `${MONITOR}: and with it all that was asked for: the guest runs as if nobody had listened`,
  ),
];
