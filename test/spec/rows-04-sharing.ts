/** Spec 04 sections 4.1 to 4.3, memory sharing: its rows and branches, and where each is tested. */
import { belongsTo, missing, refused, row, type SpecRow } from "./rows.ts";

const CALLS = "sharing/calls.test.ts";
const UNSHARE = "sharing/unshare.test.ts";
const AUDIT = "sharing/audit.test.ts";
const FORK = "sharing/fork.test.ts";
const ENOMEM = "sharing/enomem.test.ts";
const MODEL = "sharing/model.test.ts";
const RINGS = "vm_event rings";
const NO_ALTP2M = "a domain has one view of its memory; HVMOP_altp2m answers EOPNOTSUPP";
const REFUSED = "hv/views-refused.test.ts";

export const ROWS_04_SHARING: readonly SpecRow[] = [
  // 4.1
  row(
    "4.1 a shared frame belongs to DOM_COW, its M2P entry says SHARED",
    `${AUDIT}: a frame that a domain owns`,
    `${AUDIT}: an M2P entry with a gfn`,
  ),
  row(
    "4.1 tot_pages counts what a domain owns",
    `${CALLS}: gives a 64-bit handle, 2 at first, counts one used frame and none freed`,
  ),
  row(
    "4.1 special pages are never sharable",
    `${CALLS}: refuses special pages and pages in use with another type: EINVAL`,
  ),
  row(
    "4.1 reverse map: a list, a hash from 256 entries on, a list again at 64",
    `${UNSHARE}: is a list, a hash from 256 entries on, and a list again at 64`,
  ),
  row("4.1 the type count is the number of entries", `${AUDIT}: a type count that is one too high`),
  row(
    "4.1 freed pages, used frames, shr_pages; their sum",
    `${CALLS}: two domains with one page each on one frame: freed 1, used 1, shr_pages 1 each`,
    `${MODEL}: 2,000 random operations over four domains are as the model says`,
  ),
  row(
    "4.1 handles: the first is 2, none is used twice, 0 is none",
    `${CALLS}: never gives a handle twice: a write ends one, the next nomination has another`,
  ),
  row("4.1 page lock: only on shared pages; p2m before page", "race: third-domain", "race: info-freed-early"),
  row(
    "4.1 two pages in mfn order; two gfns by domain id, then gfn",
    `${CALLS}: a page that is not shared: which one fails is decided by the order of the frames`,
    "race: crossed-shares",
  ),
  // 4.2, common
  row(
    "4.2 EFAULT, ESRCH, self EPERM, dying EINVAL, unknown ENOSYS",
    `${CALLS}: EFAULT, ESRCH, EPERM for oneself, EINVAL for a dying domain, ENOSYS for unknown ones`,
  ),
  row(
    "4.2 XSM: EPERM; by a policy EACCES",
    `${CALLS}: are for a device model's domain and control domains: EPERM, or EACCES by a policy`,
  ),
  row("4.2 operation numbers of 2012 and of today", `${CALLS}: has its own numbers`),
  row(
    "4.2 not enabled: ENODEV (2012), or the first call enables",
    `${CALLS}: does not enable anything by itself: ENODEV for the source, EINVAL for the client`,
  ),
  row(
    "4.2 client not enabled: EINVAL",
    `${CALLS}: the client must exist, be somebody else, alive, and have sharing enabled`,
  ),
  row(
    "4.2 -9 and -10 are returned raw",
    `${CALLS}: stale, forged and foreign handles: 10 for the source, 9 for the client, and nothing changes`,
  ),
  row("2012: ENOSYS off x86-64; not compiled", `${CALLS}: every call is ENOSYS, and the counters are 0`),
  row(
    "2012: ENODEV without HAP; AMD is an experiment",
    `${CALLS}: is an experiment on AMD, and ENODEV for a domain without HAP`,
  ),
  // calls
  row("control: EOPNOTSUPP (not HVM, not VMX)", `${CALLS}: is for HVM domains on Intel: EOPNOTSUPP`),
  row("control: EXDEV with a device passed through", `${CALLS}: refuses a domain with a device passed through: EXDEV`),
  row(
    "control: disabling leaves pages shared, unshared as they are written",
    `${CALLS}: switches sharing on and off, and off is only a flag: pages stay shared`,
  ),
  row(
    "control: EPERM, ESRCH; other operation ENOSYS",
    `${CALLS}: needs a domain, and rights over it`,
    `${CALLS}: knows one operation: ENOSYS`,
  ),
  belongsTo(RINGS, "ring_enable: EBUSY (2012 EINVAL), no gfn, not populated, dying, no channel, no memory"),
  belongsTo(RINGS, "ring_disable: EINVAL without a ring, EBUSY while vCPUs wait"),
  belongsTo(RINGS, "domain_resume: ENODEV without a ring, EINVAL on oneself, 0 for a dying domain"),
  missing("ring_enable: EINVAL for a NULL port (libxc's own)", "the toolstack's function returns the port"),
  row("domain_resume of 2012: 0 without a ring", `${CALLS}: has its own numbers`),
  row(
    "ring page that is shared: unshared, or ENOENT",
    `${ENOMEM}: page may be a shared one: it is unshared first`,
    `${ENOMEM}: page that cannot be unshared is ENOENT`,
  ),
  row(
    "nominate_gref, debug_gref, share_grefs: no table EINVAL, out of range ENOENT",
    `${CALLS}: ENXIO for an entry that is no grant, ENOENT for what is no entry`,
  ),
  row(
    "a reference that is not permit_access: ENXIO; three more references are expected",
    "grant/sharing.test.ts: nominate_gref: the page of a reference that is used three times, and no other; then by reference like by gfn",
    "grant/nominated-writable.test.ts: as in Xen 4.17: succeeds, and a grantee's write reaches the pages of all who share the frame",
  ),
  row(
    "debug_gfn, debug_mfn: references, one or more; EINVAL",
    `${CALLS}: counts references, one or more; EINVAL where nothing is shared`,
  ),
  row(
    "audit: number of errors, no domain check",
    `${CALLS}: asks for no domain`,
    `${AUDIT}: finds nothing where nothing is wrong, and says nothing`,
  ),
  row(
    "sharing_freed_pages, sharing_used_frames",
    `${CALLS}: two domains with one page each on one frame: freed 1, used 1, shr_pages 1 each`,
  ),
  // nominate
  row(
    "nominate (1) no frame: EINVAL; (3) not RAM that can be written: EINVAL",
    `${CALLS}: wants RAM that can be written: EINVAL`,
  ),
  row("nominate (2) shared already: the handle it has", `${CALLS}: answers a still valid handle again`),
  row(
    "nominate (4) special page; (6) in use with another type: EINVAL",
    `${CALLS}: refuses special pages and pages in use with another type: EINVAL`,
  ),
  refused(
    "nominate (5) altp2m",
    NO_ALTP2M,
    `${REFUSED}: altp2m: every operation is EOPNOTSUPP, for dom0 and for the guest itself`,
  ),
  row(
    "nominate (6) referenced by somebody else: E2BIG, undone",
    `${CALLS}: refuses a page that somebody else refers to: E2BIG, and nothing has changed`,
  ),
  missing(
    "nominate (6) type count not 1: EEXIST",
    "no other step leaves a shared type on a page whose p2m entry is RAM",
  ),
  row(
    "nominate (7) no memory: private again, ENOMEM",
    `${CALLS}: without memory for its records is ENOMEM, and the page is private again`,
  ),
  row(
    "nominated only: one used, none freed",
    `${CALLS}: gives a 64-bit handle, 2 at first, counts one used frame and none freed`,
  ),
  row("nominate: a page of a superpage", `${UNSHARE}: a superpage is nominated piece by piece`),
  // share
  row(
    "share 2: one frame already, handles not looked at",
    `${CALLS}: of a page with itself is 0, whatever the handles say`,
  ),
  row(
    "share 3: not shared: -10 or -9, in lock order",
    `${CALLS}: a page that is not shared: which one fails is decided by the order of the frames`,
  ),
  row(
    "share 4: handles",
    `${CALLS}: stale, forged and foreign handles: 10 for the source, 9 for the client, and nothing changes`,
  ),
  row(
    "share 5: entries of a third domain (S-10)",
    `${UNSHARE}: stop the hypervisor as in Xen 4.17: a p2m lock is taken under page locks`,
    `${UNSHARE}: move with their domain's lock taken in order`,
    "race: third-domain",
  ),
  row(
    "share 6, 7: the client's handle is dead, both carry the source's",
    `${CALLS}: afterwards both carry the source's handle, which can be used on; the client's is dead`,
  ),
  row(
    "share: contents are not compared",
    `${CALLS}: does not compare contents: pages of unequal contents are shared, and the client shows the source's`,
  ),
  row("share: errors keep no lock (C-54)", "race: lock-left-behind"),
  // add
  row(
    "add_to_physmap: a hole, else -9; source -10; a reference EINVAL",
    `${CALLS}: wants a hole: 9; a source with that handle: 10; no grant reference: EINVAL`,
  ),
  row("add_to_physmap: ENOMEM", `${CALLS}: without memory for the record is ENOMEM`),
  row(
    "add_to_physmap: a failed entry counts as saved (S-8); ENOENT in 2012",
    `${CALLS}: S-8: a failure of the entry counts a page as saved, as in Xen 4.17`,
    `${CALLS}: has its own numbers`,
    "race: counted-without-saving",
  ),
  // unshare
  row("unshare: not shared any more is success (C-50)", "race: cow-type-unlocked"),
  row("unshare: the last one keeps the frame", `${UNSHARE}: of the last sharer takes no copy: it keeps the frame`),
  row(
    "unshare: a copy for anybody else; contents stay, others do not see the write",
    `${UNSHARE}: copies it: the others keep what they had`,
  ),
  row(
    "unshare: no stale translation is left",
    `${UNSHARE}: is seen by the guest itself, over a cached translation too`,
  ),
  row(
    "unshare: ENOMEM undoes the counter (C-51)",
    `${UNSHARE}: and no ring: the domain crashes with a reason, the other goes on, nothing has changed`,
    "race: saved-counted-twice",
  ),
  row(
    "unshare: destroy drops references only (C-53)",
    `${UNSHARE}: gives up its references; the frames go with the last of them`,
    "race: type-put-under-lock",
  ),
  row(
    "unshare by foreign mappings, copies to the guest, pages given back or replaced",
    `${UNSHARE}: foreign mappings get an error, and work when memory is back`,
    `${UNSHARE}: a hypercall's results unshare what they go to`,
    `${UNSHARE}: a page that is given back loses one reference only`,
    `${UNSHARE}: a page put over a shared one leaves the others what they have`,
  ),
  // ENOMEM
  row(
    "ENOMEM, no ring: the domain crashes",
    `${UNSHARE}: and no ring: the domain crashes with a reason, the other goes on, nothing has changed`,
  ),
  row(
    "ENOMEM, ring: event, vCPU paused, memory, answer, the write succeeds (V-3)",
    `${ENOMEM}: hears of the write, frees memory, and the write is made`,
  ),
  row(
    "ENOMEM: an answer without memory: the guest faults again",
    `${ENOMEM}: that answers without making memory is asked again: the vCPU faults again`,
  ),
  // range, fork
  row(
    "range_share: paused, pads, range, cursor",
    `${CALLS}: wants both domains paused: EINVAL`,
    `${CALLS}: wants pads 0, gfns that both have, a cursor inside`,
  ),
  row(
    "range_share: leaves out what cannot be shared; last EINVAL masked; ENOMEM stops; pieces",
    `${CALLS}: shares what can be shared and leaves out the rest`,
    `${CALLS}: masks EINVAL of its last page, and stops where memory ends`,
    `${CALLS}: goes on in pieces`,
  ),
  row(
    "fork: EBUSY, EINVAL, no prior parent",
    `${FORK}: wants pads and flags as they are, two different domains, equal vCPUs, and a paused child`,
    `${FORK}: happens once, and never in a circle`,
  ),
  row(
    "fork: parent paused and held, settings copied, memory empty",
    `${FORK}: starts with no page at all, the parent's registers, and the parent standing still`,
    `${FORK}: a parent that dies first stays a zombie until its fork is gone`,
  ),
  row(
    "fork: reads share, writes copy; nearest ancestor",
    `${FORK}: reads share the parent's pages, writes copy them`,
    `${FORK}: of a fork gets what its parent never touched from its grandparent`,
  ),
  row(
    "fork_reset: memory, state; ENOSYS",
    `${FORK}: drops the fork's own pages: they come from the parent again`,
    `${FORK}: is for forks: ENOSYS; pads and flags: EINVAL`,
  ),
  // audit, destroy
  row(
    "audit: lock, type, owner, M2P, entries",
    `${AUDIT}: no type count at all`,
    `${AUDIT}: a frame of another type`,
    `${AUDIT}: an empty reverse map`,
  ),
  row(
    "audit: each entry's domain, frame and type; count; number of pages",
    `${AUDIT}: a record of a domain that does not exist`,
    `${AUDIT}: a gfn that shows something else`,
    `${AUDIT}: a gfn of another type`,
    `${AUDIT}: a wrong number of shared pages`,
  ),
  row("audit: two ways out keep the lock (S-9)", `${AUDIT}: no other finding keeps a lock`, "race: audit-keeps-lock"),
  row("destroy: preempted, weight 16 for a shared page", `${UNSHARE}: with many shared pages is preempted on the way`),
  row(
    "exclusion: sharing and passed-through devices",
    `${CALLS}: refuses a domain with a device passed through: EXDEV`,
    `${FORK}: a parent with a device needs the flag: EXDEV`,
  ),
];
