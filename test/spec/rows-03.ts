/** Spec 03, ioreq servers: its rows and branches, and where each is tested. */
import { row, type SpecRow } from "./rows.ts";

const DM = "ioreq/dm-op.test.ts";
const REQ = "ioreq/request.test.ts";
const BUF = "ioreq/buffered.test.ts";
const REP = "ioreq/replay.test.ts";
const XEN = "ioreq/as-xen.test.ts";
const TYPE = "ioreq/mem-type.test.ts";
const NOT_HVM = "ioreq/not-hvm.test.ts";
const VECTORS = "oracle/ioreq/vectors.test.ts";

export const ROWS_03: readonly SpecRow[] = [
  row("3.2 nr_bufs = 0: ENODATA, before the domain is looked for", "recorded: absent domain nr_bufs=0\t-ENODATA"),
  row("3.2 nr_bufs > 2: E2BIG", "recorded: nr_bufs=3\t-E2BIG"),
  row("3.2 descriptors unreadable: EFAULT", "recorded: absent, bufs=0x8\t-EFAULT"),
  row("3.2 no domain: ESRCH", "recorded: absent domain op=nr_vcpus\t-ESRCH"),
  row("3.2 own id: EPERM; DOMID_SELF: ESRCH", "recorded: domain 0 (self)\t-EPERM", "recorded: DOMID_SELF\t-ESRCH"),
  row("3.2 not HVM: EINVAL", `${NOT_HVM}: a paravirtualised domain has no device model: EINVAL, after ESRCH and EPERM`),
  row("3.2 XSM DM_PRIV: EPERM", `${DM}: lets only the device model's domain in`),
  row("3.2 buffer 0 too small: EFAULT", "recorded: buf0 size=4\t-EFAULT", "recorded: buf0 size=8 op=create\t-EFAULT"),
  row("3.2 unknown operation: EOPNOTSUPP, before the pad", "recorded: H unknown op with pad=1\t-EOPNOTSUPP"),
  row("3.2 pad: EINVAL", "recorded: H nr_vcpus pad=1\t-EINVAL"),
  row("3.2 ERESTART goes on with the same arguments", `${DM}: is preempted every 256 gfns`),
  row("op 1 pad, handling > 2: EINVAL", "recorded: H pad[1]=1\t-EINVAL", "recorded: H handling=3\t-EINVAL"),
  row(
    "op 1 eight servers, then ENOSPC; lowest free id",
    "recorded: H #9 handling=0\t-ENOSPC",
    "recorded: H after destroying 3\t0",
  ),
  row("op 1 dying domain: EINVAL", `${DM}: refuses a dying domain`),
  row(
    "op 2 flags: EINVAL; ENOENT",
    "recorded: H flags=2 id=0 flags=2\t-EINVAL",
    "recorded: H absent server id=5 flags=0\t-ENOENT",
  ),
  row("op 2 EPERM after acquire_resource", "recorded: H after acquire_resource id=0 flags=0\t-EPERM"),
  row(
    "op 2 no gfn set: gfn 0 (recorded against the specification)",
    `${DM}: finds gfn 0 when nothing was set, as recorded on Xen 4.17`,
  ),
  row("op 2 gfns from the pool", "recorded: H gfn mode id=0 flags=0\t0", "recorded: H second server id=1 flags=0\t0"),
  row(
    "op 3 start > end: EINVAL; ENOENT; bad type: EINVAL",
    "recorded: H start>end type=1",
    "recorded: H absent server\t-ENOENT",
    "recorded: H type=3 type=3 0x1-0x2\t-EINVAL",
  ),
  row(
    "op 3 overlap with the own set: EEXIST; another server may",
    "recorded: H overlaps by one byte",
    "recorded: H other server, same range\t0",
  ),
  row(
    "op 3 limit of 256 ranges: ENOMEM",
    "recorded: H memory ranges until failure",
    `${DM}: holds 256 of a type in each server`,
  ),
  row(
    "op 4 not fully contained: ENOENT; a split beyond the limit: ENOMEM",
    "recorded: H covers a hole",
    "recorded: H at limit: second split\t-ENOMEM",
  ),
  row("op 5 ENOENT, pad", "recorded: H absent\t-ENOENT", "recorded: H enabled=2\t0"),
  row("op 6 ENOENT, pad", "recorded: H id=3 again\t-ENOENT", "recorded: H id=7 pad=1\t-EINVAL"),
  row(
    "op 7 no buffer, small buffer: EINVAL; bitmap",
    "recorded: H nr=8 without buf1\t-EINVAL",
    "recorded: H nr=64 buf1=7 bytes\t-EINVAL",
    "recorded: H nr=64 first=0x200 call 2\t0",
  ),
  row(
    "op 8 domain, bus, device, intx, level",
    "recorded: H intx=4\t-EINVAL",
    "recorded: H dev=3 intx=0 level=1 (LAPIC-only domain)\t0",
  ),
  row("op 9 irq, level", "recorded: H irq=16\t-EINVAL", "recorded: H irq=4 level=0\t0"),
  row("op 10 link, irq", "recorded: H link=4\t-EINVAL", "recorded: H isa=16\t-EINVAL"),
  row(
    "op 11 nr_bufs: EINVAL; not log-dirty: 0",
    "recorded: H nr_bufs=1\t-EINVAL",
    "recorded: H 1 extent, not log-dirty\t0",
  ),
  row("op 12 range, type", "recorded: H wrap first", "recorded: H type=3 (unused)", "recorded: H type=5 first=0x104"),
  row("op 12 type without a mapped server: EINVAL", "recorded: H type=ioreq_server without a mapped server"),
  row(
    "op 12 type without HAP: EOPNOTSUPP (without shadow paging createdomain answers so, and no such domain exists)",
    `${NOT_HVM}: a domain without hardware-assisted paging cannot be made, so nobody can ask for the type in one`,
  ),
  row(
    "op 12 transitions",
    "recorded: H ram_ro->ioreq_server\t-EINVAL",
    "recorded: H ioreq_server->ram_rw\t0",
    "recorded: H mmio_dm->ram_rw",
    `${DM}: allows only ram_rw to become the type, and back`,
  ),
  row("op 12 partial progress", "recorded: H after the partial failure\t0"),
  row(
    "op 13 bad vcpu, pads: EINVAL; pending: EBUSY",
    "recorded: H vcpu=1\t-EINVAL",
    "recorded: H second (pending)\t-EBUSY",
  ),
  row(
    "op 14 pad, vector 0, delivery mode",
    "recorded: H data=0 (vector 0)\t-ERANGE",
    "recorded: H ExtINT\t-EINVAL",
    "recorded: H addr=0x1234\t0",
    "ioreq/irq.test.ts: reach the processor with the identifier, or all of them, and enter the guest",
    "ioreq/irq.test.ts: with lowest priority reach one of them: the one that is least busy",
    "ioreq/irq.test.ts: delivery mode %i: -EINVAL, and nobody is reset or interrupted",
  ),
  row(
    "op 15 type, flags: EINVAL; ENOENT",
    "recorded: H type=0 flags=WRITE\t-EINVAL",
    "recorded: H type=4 flags=READ\t-EINVAL",
    "recorded: H absent server, bad type\t-EINVAL",
  ),
  row(
    "op 16 shutdown; the first reason counts",
    "recorded: H after dm remote_shutdown 99\t0",
    `${DM}: shuts the domain down`,
  ),
  row("op 17 as add_to_physmap", "recorded: H size=2 0x300->0x95000\t0", "recorded: H source now a hole\t-EINVAL"),
  row(
    "op 18 type, order, overlap, delete, limit",
    "recorded: H UC overlapping\t-EBUSY",
    "recorded: H delete again\t-ENOENT",
    `${DM}: pins at most 64 ranges of gfns`,
  ),
  row("op 20", "recorded: vcpus=1"),
  row(
    "3.3 slot states NONE, READY, INPROCESS, RESP_READY, NONE",
    `${REQ}: goes NONE, READY, INPROCESS, RESP_READY, NONE`,
  ),
  row(
    "3.3 buffered slots, two for eight bytes",
    `${BUF}: packs type, direction, size and address into the first dword`,
    `${BUF}: spends two slots on eight bytes, as recorded for TIMEOFFSET`,
  ),
  row(
    "3.3 pointers: legacy wrap, atomic canonical",
    `${BUF}: lose a slot when legacy ones wrap at 2^32`,
    `${BUF}: are canonicalised in atomic mode`,
  ),
  row(
    "3.3 acquire_resource: ENOENT without a ring, other frame EINVAL",
    "recorded: H bufioreq with handling OFF",
    "recorded: H frame 2 type=0",
  ),
  row(
    "3.3 the page is hidden while enabled, and must be there",
    "recorded: H gfn=0x3f0 while enabled\t0\ttype=2",
    `${DM}: clears what the guest has written to them, and gives them their place in its memory back`,
    `${DM}: crashes the domain when the page is no longer there, and does not map it again`,
  ),
  row(
    "3.4 destroy with a request in flight (N-5)",
    `${TYPE}: N-5: a vCPU whose server goes while it waits stays where it is, or reads all ones`,
  ),
  row("3.5 step 1: size not 1, 2, 4, 8", `${REQ}: refuses odd sizes`),
  row(
    "3.5 step 2: re-issued request differs: crash",
    `${REQ}: crashes the domain when the access differs from the one that was answered: its %s`,
  ),
  row(
    "3.5 step 4: repeated access stays in one gfn; a single one over the border",
    `${VECTORS}: has every recorded row, but for the listed differences`,
  ),
  row("3.5 step 6: internal handlers first", `${REQ}: come before every server`),
  row(
    "3.5 step 7: the type: no server, RETRY; writes to the server",
    `${REQ}: goes to the type's server only, and asks for a retry without one`,
  ),
  row(
    "3.5 step 8: null handler",
    `${REQ}: gives all ones and drops writes where nobody claims the whole access`,
    `${XEN}: that leave the server's range are dropped whole, or from there on`,
  ),
  row(
    "3.5 posted port writes and pointers",
    `${REQ}: posts port writes: the instruction does not wait, the vCPU does`,
    `${XEN}: go out as one request, or one by one`,
  ),
  row(
    "3.5 select: most recent, disabled, whole access, down",
    `${REQ}: takes the newest enabled server`,
    `${REQ}: skips a disabled server`,
    `${REQ}: looks at all elements of a repeated access, also downwards`,
  ),
  row(
    "3.5 select: PCI configuration by cf8",
    `${REQ}: routes PCI configuration by the address in cf8`,
    `${REQ}: leaves the data ports to port ranges when cf8 is disabled, and to nobody when no server has that function`,
  ),
  row(
    "3.5 send: shutting down: suspended",
    `${REQ}: sends nothing when the domain shuts down`,
    `${REQ}: puts a shutdown off until its request is answered`,
  ),
  row(
    "3.5 send: slot busy, port changed: UNHANDLEABLE",
    `${REQ}: takes no request while it is not NONE or its port was changed`,
  ),
  row(
    "3.5 send buffered: what does not fit; full",
    `${BUF}: refuses what does not fit it`,
    `${BUF}: is full at 511, and at 510 for eight bytes`,
  ),
  row("3.5 read_pointer is not trusted", `${BUF}: may be anything: only a slot of the page is ever written`),
  row(
    "3.5 broadcast INVALIDATE, TIMEOFFSET",
    `${REQ}: sends INVALIDATE to every enabled server and waits for all of them`,
    `${VECTORS}: has every recorded row, but for the listed differences`,
  ),
  row(
    "3.5 completion: NONE, impossible, backwards",
    `${TYPE}: with state NONE: the read yields all ones`,
    `${TYPE}: with state 7: the domain crashes`,
    `${TYPE}: with INPROCESS, then READY again, then the answer: as if it had not gone backwards`,
  ),
  row(
    "3.5 re-emulation from the cache; three entries (N-2)",
    `${REP}: an RMW over two emulated pages reads both parts, then writes both: never on Xen (N-2)`,
  ),
  row(
    "3.5 port reads are not in it (N-3)",
    `${REP}: INS and OUTS between a claimed port and emulated memory: INS crashes the domain on Xen (N-3)`,
  ),
  row(
    "3.6 map: EBUSY; unmap by another: EINVAL",
    "recorded: H map again, same server\t-EBUSY",
    "recorded: H unmap by non-owner\t-EINVAL",
  ),
  row(
    "3.6 unmap sweeps; map again",
    "recorded: H map again after unmap\t0",
    `${DM}: turns the pages back into RAM when the server lets go, and can be mapped again`,
  ),
  row("3.6 log-dirty refused while pages are left", `${TYPE}: log-dirty mode is refused while a page has the type`),
  row("3.7 A nobody answers", `${TYPE}: none, and nobody answers: the write is lost`),
  row("3.7 B pause", `${TYPE}: unmap.pause=%i: each map and unmap pauses the domain %i times`),
  row("3.7 D copy to RAM", `${TYPE}: none, and accesses are carried out on RAM`),
  row("3.7 E retry without marking: never ends", `${TYPE}: none, and an access without a server runs again: for ever`),
  row(
    "3.7 F recalculation by misconfiguration",
    `${TYPE}: recalc: the first touch is a misconfiguration that repairs its whole table`,
  ),
  row(
    "3.7 G read half of a read-modify-write",
    `${TYPE}: rmw.readFromRam=off: the read half is nobody's, and the sum is wrong`,
  ),
  row(
    "presets 2016-v6, early-release, merged: after an unmap no violation, only misconfigurations",
    "ioreq/presets.test.ts: after an unmap: no violation, only misconfigurations, and every write is in RAM",
    "ioreq/presets.test.ts: unmap, then map again: not -EBUSY, and the pages are plain RAM for the new server too",
  ),
  row(
    "3.7 stale delivery: the device model must check",
    "shadow/shadow-table.test.ts: sees every write, and its shadow never differs",
  ),
  row(
    "S-1 destroy without unmap",
    `${TYPE}: S-1: pages of a destroyed server keep the type; only setting each to RAM helps`,
    `${TYPE}: S-1 fixed: they become RAM`,
  ),
  row("S-2 unmap ends log-dirty tracking", `${TYPE}: S-2 %s: unmapping the type in log-dirty mode`),
  row("S-3 set_mem_type against unmap", "race: set-type-window"),
  row(
    "S-4 the sweep ends early only when no entry is left",
    `${DM}: turns the pages back into RAM when the server lets go, and can be mapped again`,
    "hv/log-dirty.test.ts: sweeps a large map in pieces",
  ),
  row(
    "S-5 pending after notify: harmless in every interleaving",
    "explore/p2m-windows.test.ts: %s: an answer before the mark is found all the same, in every interleaving",
  ),
  row("S-6 deferral stays", `${TYPE}: S-6 %s: a request that cannot be sent, and a shutdown after it`),
  row(
    "S-7 a range of one page",
    "hv/log-dirty.test.ts: S-7: a range of one page is reported dirty once more, then tracked",
  ),
  row("3.7 B a paused vCPU in the middle of an access", "race: ioreq-unmap-window"),
  row("3.7 C the p2m lock is held until the request is sent", "race: ioreq-unmap-window"),
  row("3.7 C completion after the type has changed", "race: completion-after-type-flip"),
  row("3.7 C the lock that is held against the reverse order", "race: pause-under-lock"),
  row(
    "3.7 H other writers than the vCPU: a guest copy, A and D bits",
    `${XEN}: of INS from nobody's port keeps what it had and nobody hears of it, or its server gets the writes (N-4)`,
    `${VECTORS}: has every recorded row, but for the listed differences`,
  ),
  row("3.4 life cycle: state, pause and unpause balance", `${DM}: changes state`, "race: destroy-without-unmap"),
  row("3.5 completion: slept too early", "race: lost-wakeup"),
  row("3.5 completion: the state is read once", "race: slot-state-read-twice", "race: slot-state-toggled"),
  row("I-1, I-2 a request is pending or the vCPU runs", "race: emulator-dies"),
  row("I-3, I-4, I-5 each write reaches one device once, by legal transitions", "race: ioreq-unmap-window"),
  row("I-6 the ring is first-in first-out", `${BUF}: keep first-in first-out order through many rounds in atomic mode`),
  row("I-7 pages of the type without a server", "race: set-type-window", "race: destroy-without-unmap"),
  row("I-8 references of the pages", `${DM}: hands out its pages as a resource`),
  row(
    "I-9 only the emulator manipulates its server",
    `${DM}: hands out its pages as a resource`,
    "recorded: H unmap by non-owner\t-EINVAL",
  ),
  row(
    "bad input: ranges that wrap, types that do not exist",
    "ioreq/hostile.test.ts: ranges that wrap or are backwards, at both ends of the numbers",
    "ioreq/hostile.test.ts: types and servers that do not exist",
    "ioreq/hostile.test.ts: gfns that wrap",
  ),
  row(
    "bad input: an emulator that answers twice, late or never",
    "ioreq/hostile.test.ts: that comes twice: the second one is nobody's, and the slot is then in a state that takes no request",
    "ioreq/hostile.test.ts: that comes late, to a range and a server which are not there any more: never seen, nothing breaks",
    "ioreq/hostile.test.ts: that never comes: that domain waits, others do not, and it can be destroyed",
  ),
  row("bad input: slots in impossible states", "ioreq/hostile.test.ts: of state %i: the domain crashes with a reason"),
  row(
    "bad input: a guest that maps its own ioreq page",
    "ioreq/hostile.test.ts: does not get them as a resource, nor may it talk to the device model's interface",
    "ioreq/hostile.test.ts: finds a hole where the page is while the server is enabled",
    "ioreq/hostile.test.ts: a hypercall by the guest for its own server's frames is refused, whatever it calls itself",
  ),
];
