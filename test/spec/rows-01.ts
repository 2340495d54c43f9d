/** Spec 01, the p2m: its rows and branches, and where each is tested. */
import { refused, row, type SpecRow } from "./rows.ts";

const RECALC = "hv/p2m-recalc.test.ts";
const ENTRIES = "hv/p2m-entries.test.ts";
const TYPES = "hv/p2m-memory-type.test.ts";
const INV = "hv/p2m-invariants.test.ts";
const P2M = "hv/p2m.test.ts";
const POD = "hv/pod.test.ts";
const DIRTY = "hv/log-dirty.test.ts";
const WINDOWS = "explore/p2m-windows.test.ts";
const MODEL = "hv/p2m-model.test.ts: seed %i, superpages %i, %i sequences";
const RIGHTS = `${RECALC}: %s has the rights of the tables under every access, at every size`;
const LOOKUP = `${P2M}: splits a 1G leaf into 2M and 4K ones that say the same`;
const SHARED = "sharing/calls.test.ts";
const PAGED = "vm-event/paging.test.ts";
const IOCAP = "iocap/domctl.test.ts";
const PML = "hv/pml.test.ts";
const REFUSED = "hv/views-refused.test.ts";
const NO_NESTED = "a guest that tries to run guests of its own gets #UD, and CPUID does not offer it";
const NO_ALTP2M = "a domain has one view of its memory; HVMOP_altp2m answers EOPNOTSUPP, as the recorded Xen does";

const TYPE_NAMES = [
  "ram_rw",
  "invalid",
  "ram_logdirty",
  "ram_ro",
  "mmio_dm",
  "mmio_direct",
  "populate_on_demand",
  "grant_map_rw",
  "grant_map_ro",
  "ram_paging_out",
  "ram_paged",
  "ram_paging_in",
  "ram_shared",
  "ram_broken",
  "map_foreign",
  "ioreq_server",
];

export const ROWS_01: readonly SpecRow[] = [
  ...TYPE_NAMES.map((name, number) =>
    row(`1.1 type ${number}, ${name}: classes and rights`, `${ENTRIES}: %s is of the classes %s`, RIGHTS),
  ),
  row(
    "1.1 mmio_direct in mmio_ro_ranges: not writable",
    `${TYPES}: is uncached whatever the guest's PAT says, and not writable`,
  ),
  row(
    "1.1 ioreq_server: writable as long as nobody wants the writes",
    `${RECALC}: writes to the ioreq_server type go to its server only if it wants them`,
  ),
  row(
    "1.1 log-dirty with PML: w=1, d=0",
    `${PML}: a tracked page of 4 KiB is writable and not dirty; its first write is logged without an exit`,
  ),
  row(
    "1.1 classes pageable and paging",
    `${PAGED}: nominate: -EBUSY without a page, for another type, and while anybody refers to the frame`,
  ),
  row("1.1 classes sharable and shared", `${SHARED}: wants RAM that can be written: EINVAL`),
  row(
    "1.1 HVMMEM_*: the types of set_mem_type",
    "recorded: H type=3 (unused)",
    "recorded: H type=5 first=0x104",
    "ioreq/dm-op.test.ts: changes them by the recorded rules",
  ),
  row("1.2 each access and what it clears", RIGHTS),
  row("1.2 XENMEM_access_*: the public numbers", "vm-event/access.test.ts: %s leaves these rights in the EPT entry"),
  row(
    "1.2 superpages are not executable (exec_sp=false)",
    `${RECALC}: superpages are not executable with the mitigation; a fetch splits them`,
    `${RECALC}: superpages are not executable with the mitigation after a recalculation either`,
  ),
  row("1.2 access is soft state", `${P2M}: changes a type only from what it is, and resets the access`),
  row("1.3 bits of a leaf: rights, memory type, A, D, leaf bit, suppress #VE", RIGHTS),
  row(
    "1.3 bits of a middle entry",
    `${ENTRIES}: a pointer to a table has all rights, A, rwx, no memory type, and #VE suppressed`,
  ),
  row("1.3 an empty slot is not zero", `${ENTRIES}: an empty slot of a table is not zero: it suppresses #VE`),
  row("1.3 four levels, nine bits each", LOOKUP, `${P2M}: refuses gfns that four levels cannot reach`),
  row("1.4 lock order", `${INV}: %i, then %i`, `${INV}: %i, then %i stops the machine`),
  row(
    "1.4 the lock is released, then TLBs are flushed",
    `${WINDOWS}: the p2m lock is free before the TLBs are flushed`,
  ),
  row(
    "1.4 one flush for many changes under one lock",
    `${RECALC}: one for many changes under one lock, none for a page that was not there`,
  ),
  refused(
    "1.4 nested and alternate p2ms",
    `${NO_NESTED}; ${NO_ALTP2M}`,
    `${REFUSED}: a guest inside a guest: CPUID shows neither VMX nor SVM, CR4 takes no VMXE, and the instructions are #UD`,
    `${REFUSED}: altp2m: every operation is EOPNOTSUPP, for dom0 and for the guest itself`,
  ),
  row("1.5 get_gfn: lookup under the lock", MODEL),
  row("1.5 step 3: populating from a parent", "sharing/fork.test.ts: reads share the parent's pages, writes copy them"),
  row(
    "1.5 step 4: UNSHARE, ENOMEM event without sleeping",
    "sharing/unshare.test.ts: copies it: the others keep what they had",
    "sharing/enomem.test.ts: hears of the write, frees memory, and the write is made",
  ),
  row(
    "1.5 step 5: a broken frame; ALLOC crashes the domain",
    `${INV}: a broken frame has no contents; whoever wants to use it crashes`,
  ),
  row(
    "1.5 get_page_from_gfn: reference while the translation is locked; foreign and shared owners",
    "sharing/unshare.test.ts: foreign mappings get an error, and work when memory is back",
  ),
  row(
    "1.5 get_entry: above the high-water mark, largest block",
    `${P2M}: says how large the hole is above everything mapped`,
  ),
  row(
    "1.5 get_entry: absent at each level: its order",
    `${ENTRIES}: a hole says how large it is: the block of the level where the walk ended`,
  ),
  row("1.5 get_entry: PoD without ALLOC", `${ENTRIES}: promised pages stay promises for somebody who only looks`),
  row("1.5 get_entry: PoD with ALLOC", `${POD}: a superpage is populated whole when the cache has one`),
  row("1.5 get_entry: superpage: frame inside it", LOOKUP),
  row(
    "1.5 get_entry: a path that waits reports the future type",
    `${RECALC}: touches the root only; a touch repairs level by level and tells the other vCPUs`,
  ),
  row(
    "1.5 recalc_type: not stale, or not changeable",
    `${RECALC}: touches the root only; a touch repairs level by level and tells the other vCPUs`,
  ),
  row(
    "1.5 recalc_type: ioreq_server with and without a server",
    `${RECALC}: stays while it has a server, and is counted down as it goes`,
  ),
  row(
    "1.5 recalc_type: global or ranged log-dirty",
    `${RECALC}: keeps superpages, at both sizes`,
    `${RECALC}: makes exactly the range invalid and splits superpages at its ends`,
  ),
  row(
    "1.6 set_entry: largest pieces by gfn, frame and rest",
    `${ENTRIES}: are cut into the largest pieces that gfn, frame and length allow`,
  ),
  row(
    "1.6 set_entry: a failing piece does not stop the loop",
    `${ENTRIES}: a piece that fails does not stop the others: the last error is the answer, success may be partial`,
  ),
  row("1.6 step 1: EINVAL", `${ENTRIES}: bad ones: beyond four levels, wrapped, too large, a dead domain`),
  row("1.6 step 2: pending changes first", `${ENTRIES}: apply what is pending on the path first`),
  row(
    "1.6 step 3: ENOMEM for a table",
    `${P2M}: answers -ENOMEM when the paging pool is used up, and changes nothing then`,
  ),
  row(
    "1.6 step 4: split; ENOMEM leaves everything",
    LOOKUP,
    `${ENTRIES}: a split whose table cannot be had changes nothing`,
  ),
  row(
    "1.6 step 5: a flush only if something was present",
    `${P2M}: flushes TLBs when something present changes, not when a hole is filled`,
  ),
  row(
    "1.6 step 6: types without a frame",
    `${RECALC}: a page without a frame keeps none when it is split or looked up`,
  ),
  row("1.6 step 6: suppress #VE is inherited", `${ENTRIES}: keeps what #VE was for the page, whatever becomes of it`),
  row(
    "1.6 step 7: ioreq_server is counted",
    `${RECALC}: stays while it has a server, and is counted down as it goes`,
    `${RECALC}: leaves with a table that a superpage replaces`,
  ),
  row(
    "1.6 step 7: foreign: reference, EBUSY",
    `${ENTRIES}: a frame that a foreign mapping cannot hold: -EBUSY, nothing is mapped`,
    `${ENTRIES}: a foreign mapping holds its frame, and lets it go when something else comes`,
  ),
  row(
    "1.6 step 7: both at 4 KiB only",
    `${ENTRIES}: are cut into the largest pieces that gfn, frame and length allow`,
    `${ENTRIES}: of another domain's memory are cut into 4 KiB, however they are aligned`,
  ),
  row("1.6 step 8: one 64-bit store", `${ENTRIES}: are cut into the largest pieces that gfn, frame and length allow`),
  row("1.6 step 9: high-water mark", `${P2M}: refuses gfns that four levels cannot reach`),
  refused(
    "1.6 step 10: nested p2ms are flushed",
    NO_NESTED,
    `${REFUSED}: a guest inside a guest: CPUID shows neither VMX nor SVM, CR4 takes no VMXE, and the instructions are #UD`,
  ),
  row("1.6 step 11: IOMMU", "race: iotlb-not-flushed"),
  row(
    "1.6 step 12: the old subtree is freed after the flush (XSA-480)",
    `${ENTRIES}: a superpage over a table frees it after the flush, not before`,
  ),
  refused(
    "1.6 step 13: altp2m",
    NO_ALTP2M,
    `${REFUSED}: altp2m: every operation is EOPNOTSUPP, for dom0 and for the guest itself`,
    `${REFUSED}: a response that asks for another view changes nothing, and requests name view 0`,
  ),
  row(
    "1.6 split: 512 children say what the parent said",
    `${ENTRIES}: children of a split say what their parent said, waiting for a recalculation included`,
  ),
  row(
    "1.6 memory type (a): mmio_ro_ranges, whole, partly",
    `${TYPES}: is uncached whatever the guest's PAT says, and not writable`,
    `${TYPES}: in part of a superpage: stored as invalid, and the first touch splits it`,
  ),
  row("1.6 memory type (b): no I/O", `${TYPES}: case (b), no I/O: write-back whatever the MTRRs and a pin say`),
  row(
    "1.6 memory type (c): the hypervisor's own frames",
    `${TYPES}: case (c), frames of the hypervisor: write-back; a superpage that is only partly one is split`,
  ),
  row(
    "1.6 memory type (d), (e): direct MMIO, grants, foreign",
    `${TYPES}: cases (d) and (e): direct MMIO is uncached, grants and foreign pages are write-back`,
  ),
  row(
    "1.6 memory type (f): pinned, whole, partly",
    `${TYPES}: type %i comes before the MTRRs`,
    `${TYPES}: reach present pages lazily, and take superpages apart where only a part is pinned`,
  ),
  row(
    "1.6 memory type (g): MTRRs",
    `${TYPES}: fixed ranges in the first MiB, a superpage there is always split`,
    `${RECALC}: that differ inside a superpage are stored as invalid, and the first touch splits it`,
    `${RECALC}: survive MTRRs with types that do not exist`,
  ),
  row(
    "1.6 first and last I/O permission recompute memory types",
    `${TYPES}: %s: only the first and the last make all memory types be recomputed`,
  ),
  row(
    "1.7 invalidate_subtree: 512 entries, nothing twice",
    `${RECALC}: costs 512 entries at most, and nothing twice`,
    `${RECALC}: passes over entries without rights (as in Xen)`,
  ),
  row(
    "1.7 change_entry_type_global: mode follows unless equal",
    `${RECALC}: equal types: everything is looked at again, the mode stays`,
  ),
  row(
    "1.7 change_entry_type_range: greedy, splits at the ends, ENOMEM",
    `${RECALC}: makes exactly the range invalid and splits superpages at its ends`,
    `${RECALC}: crashes the domain when a superpage cannot be split`,
  ),
  row(
    "1.7 change_type_range: clipped; whole map: global entries, not the mode",
    `${RECALC}: the whole map: as a global change, but new pages are not tracked beyond it`,
  ),
  row(
    "1.7 change_type_range: empty, wrapped",
    `${RECALC}: ranges that are empty, wrap or lie beyond the map do nothing`,
  ),
  row("1.7 change_type_range: one page (S-7)", `${RECALC}: one page: only what is tracked changes (S-7)`),
  row(
    "1.7 change_type_one: EBUSY, default access",
    `${P2M}: changes a type only from what it is, and resets the access`,
  ),
  row("1.7 change_type_one: special types", `${RECALC}: special types are never swapped`),
  row("1.7 finish_type_change", `${RECALC}: makes exactly the range invalid and splits superpages at its ends`),
  row("1.7 memory_type_changed: types stay", `${RECALC}: are recomputed without a word about the types of pages`),
  row(
    "1.7 add_page: a shared entry in the way; frames of DOM_COW",
    "sharing/unshare.test.ts: a page put over a shared one leaves the others what they have",
  ),
  row(
    "1.7 add_page: a special entry in the way: crash, EPERM",
    `${INV}: a special mapping in the way crashes the domain`,
  ),
  row(
    "1.7 add_page: the frame's other gfn goes",
    `${INV}: a frame that is mapped elsewhere in the domain goes away from there`,
  ),
  row("1.7 add_page: M2P, dirty", `${DIRTY}: notes new pages, in the stats too, and forgets them after CLEAN`),
  row(
    "1.7 remove_page: EILSEQ; mapcache_invalidate",
    `${INV}: only the expected frame is unmapped, and device models hear of it`,
  ),
  row(
    "1.7 direct MMIO: EPERM, order + 1",
    "dom0: V501 memory_mapping H same gfn other mfn",
    `${IOCAP}: maps 256 MiB with large pages`,
  ),
  row("1.7 map_mmio_regions: 64 steps a call", "dom0: V523 memory_mapping H 256 frames"),
  row("1.8 promises and their count", `${POD}: cost no memory and are counted once`),
  row(
    "1.8 demand: dying",
    `${ENTRIES}: promised pages of a domain that dies stay holes, and it does not crash for want of memory`,
  ),
  row(
    "1.8 demand: 1 GiB as 2 MiB; 2 MiB as 4 KiB",
    `${POD}: in single pages when the cache has only those; gigabytes are broken down`,
  ),
  row(
    "1.8 demand: eager reclaim of zero pages",
    `${POD}: zero pages that nobody holds go back to the cache when it runs low`,
    `${POD}: a page that is zero only where one looks first is somebody's`,
  ),
  row(
    "1.8 demand: emergency sweep; nothing: crash",
    `${POD}: without memory and without a zero page the domain crashes`,
    `${POD}: a promise at the end of the address space does not make the sweep long`,
  ),
  row("1.8 the target", `${POD}: is memory in the cache: superpages first, never more than the maximum`),
  row(
    "1.8 pages given back feed the cache",
    `${POD}: what a balloon driver frees is stolen for the cache until all promises are covered`,
  ),
  row("1.8 paging is refused while promises exist: EXDEV", `${PAGED}: cannot be enabled with populate-on-demand pages`),
  row(
    "1.8 special pages never enter the cache (XSA-507)",
    `${POD}: but not the hypervisor's own pages: the shared info page never enters the cache (XSA-507)`,
  ),
  row("1.9 enable: EINVAL with a device assigned", `${IOCAP}: and memory that may change under it exclude each other`),
  row(
    "1.9 enable: on already: EINVAL; pages of the type: EBUSY",
    `${DIRTY}: V179, V180, V183..V190: on and off`,
    `${DIRTY}: is refused while pages of the type exist, and possible again when the last one is gone`,
  ),
  row(
    "1.9 a write fault marks, then allows",
    "hv/violation.test.ts: step 8: the mark comes first: when memory ends in between, a page that is marked stays read-only",
    "guests/log-dirty.test.ts: reports every changed page, superpages %i",
  ),
  row(
    "1.9 PML buffer, PML-full exit",
    `${PML}: a full log is an exit, and nothing is lost`,
    `${PML}: CLEAN tracks again: what is written later is logged anew`,
    `${PML}: every vCPU has a log of its own`,
    `${PML}: ends with the mode, and its frames go back`,
  ),
  row("1.9 CLEAN and PEEK: bitmap, EFAULT", `${DIRTY}: V191..V199: reading the bitmap`),
  row(
    "1.9 CLEAN and PEEK: paused between pieces; others: EBUSY",
    `${WINDOWS}: the domain stays paused in between, and another operation is refused with EBUSY`,
    `${DIRTY}: believes nobody who claims to go on with a call`,
  ),
  row("1.9 CLEAN write-protects again", `${DIRTY}: V200..V205: CLEAN while it is off write-protects all RAM`),
  row("1.9 a lost dirty bit: ENOMEM", `${DIRTY}: says -ENOMEM when dirty pages could not be noted for want of frames`),
  row(
    "1.9 track_dirty_vram: stop, too many, new range, same range",
    `${DIRTY}: V786..V793`,
    `${DIRTY}: types the range, and only it, and gives an old range back`,
  ),
  row(
    "1.9 VRAM tracking does not switch the mode (XSA-397)",
    `${DIRTY}: does not switch log-dirty mode on or off (XSA-397)`,
  ),
  row(
    "P-1 memory types of present leaves",
    `${INV}: P-1: a memory type that the processor refuses`,
    `${INV}: P-1: an entry that waits for a recalculation but would not be met`,
  ),
  row("P-2 rights are those of type and access", `${INV}: P-2: rights that type and access do not give`),
  row("P-3 counts", `${INV}: P-3: the count of ioreq_server pages`),
  row(
    "P-4 shared type, owner and M2P go together",
    "sharing/wild.test.ts: dom0: every answer is a number, the books stay right, and everything comes back",
  ),
  row("P-5 M2P and p2m agree", `${INV}: P-5: a page whose frame is known under another gfn`),
  row(
    "P-6 no free frame can be reached",
    `${INV}: P-6: a free frame that an entry, or a processor, still reaches`,
    "hv/p2m-hostile.test.ts: seed %i",
  ),
  row(
    "P-7 a writable translation is dirty",
    `${INV}: P-7: a writable translation of a page that is not known to be dirty`,
  ),
  row("P-8 no superpages of types 14 and 15", `${INV}: P-8: a superpage of type ioreq_server`),
  row("P-9 the high-water mark", `${INV}: P-9: a page above the high-water mark`),
  row("P-10 lock levels", `${INV}: %i, then %i stops the machine`, `${INV}: a lock that is never let go is seen`),
  row(
    "P-11 a type without server is covered by a recalculation",
    `${INV}: P-11: a page of the type without a server, and nothing to repair it`,
    `${RECALC}: S-1: without server and without recalculation the checker says P-11`,
  ),
];
