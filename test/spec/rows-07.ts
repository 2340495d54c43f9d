/** Spec 07, hypercall buffers: its rows, and where each is tested. */
import { belongsTo, missing, row } from "./rows.ts";

const MATRIX = "explore/buffers.test.ts: says what spec 07 section 7.5 expects";
const TABLE = "explore/buffers.test.ts: is the one in the documentation";
const BROKEN = "explore/buffers.test.ts: every property is broken by some strategy, B-4 by one that forgets to unlock";
const RUN = "host/buffers.test.ts";
const TYPES = "host/buffer-types.test.ts";
const COPY = "explore/guest-copy.test.ts";

export const ROWS_07 = [
  row("7.1 defect 1: mlock does not nest; the application's own lock is undone", "race: mlock-does-not-nest", MATRIX),
  row("7.1 defect 2: rounding unlocks neighbours", MATRIX),
  row("7.1 defect 3: a locked page is moved", "race: migration-entry"),
  row("7.1 defect 3: a fork makes it copy-on-write", "race: fork-during-hypercall"),
  row("7.1 defect 3: equal pages are merged", MATRIX),
  row("7.1 defect 4: nothing checks a pointer inside a structure", `${TYPES}: a raw address in a handle field`),
  row("7.1 defect 5: error paths that forget to unlock", BROKEN),
  row(
    "7.1 one page for each thread: a second, nested use locks in place",
    "explore/buffers.test.ts: what breaks says which call failed on which page",
  ),
  row(
    "7.2 an undeclared buffer does not compile",
    `${TYPES}: something that looks like a buffer`,
    `${TYPES}: the caller's own array`,
  ),
  row(
    "7.2 shadow and argument: a callee uses its caller's buffer",
    `${TYPES}: a buffer for both directions serves one`,
  ),
  row("7.2 bounce in, out, both", `${RUN}: in: copied in only; out: zeroed and copied back; inout: both`),
  row(
    "7.2 a bounce whose call fails (libxc copies out all the same; rule 5 of 7.4 does not)",
    `${RUN}: a call that fails leaves the caller's data alone`,
  ),
  row("7.2 buffers by name", `${RUN}: debug: poisons what is freed and finds writes beyond the end`),
  row("7.2 buffer_alloc: whole pages", `${RUN}: gives the last freed block of a size first, and counts`),
  missing(
    "7.2 a header of 16 bytes inside the safe region",
    "the arena's books are not in the buffers: every buffer is page-aligned",
  ),
  row(
    "7.2 cleared at every allocation",
    `${RUN}: zeroes what the caller does not overwrite: no contents of an earlier buffer`,
  ),
  row(
    "7.2 a buffer as direct argument",
    `${TYPES}: a safe buffer as direct argument`,
    `${RUN}: stand in handle fields and in direct arguments`,
  ),
  row("7.2 the explicit NULL", `${TYPES}: an explicit NULL handle`),
  row(
    "7.2 arrays of buffers, indices checked",
    `${RUN}: arrays are freed together, also when the last one does not fit`,
  ),
  row(
    "7.2 set_xen_guest_handle: the structure's type",
    `${TYPES}: wrong structure`,
    `${TYPES}: a handle of another structure`,
  ),
  row(
    "7.2 the raw setter only where the safe one is implemented",
    `${RUN}: has no raw addresses: every buffer of it is a safe one`,
  ),
  row(
    "7.2 cache of one to four pages, four each, last in first out, counters",
    `${RUN}: gives the last freed block of a size first, and counts`,
    `${RUN}: keeps four blocks of a size, and takes cached ones apart when it runs out`,
  ),
  row("7.2 device memory never faults", MATRIX),
  row("7.2 fallback: locked, left out of forks, touched", MATRIX, "race: fork-during-hypercall"),
  missing(
    "7.2 work-around: selected domctls are made again on EFAULT",
    "the toolstack's own buffers are dom0's RAM and never fault",
  ),
  row(
    "7.2 not caught in C: direct arguments",
    `${TYPES}: a raw address as direct argument`,
    `${TYPES}: a block as direct argument`,
  ),
  row(
    "7.2 not caught in C: a size too small",
    `${RUN}: know their length`,
    `${RUN}: debug: poisons what is freed and finds writes beyond the end`,
  ),
  row(
    "7.2 not caught in C: use after free, after bounce_post",
    `${TYPES}: use after the scope`,
    `${RUN}: are freed with their scope; a later use is found out`,
  ),
  row("7.2 not caught in C: a handle set before the buffer exists", `${TYPES}: something that looks like a buffer`),
  row("7.2 not caught in C: element type", `${TYPES}: wrong element type`, `${TYPES}: wrong value type`),
  row(
    "7.2 not caught in C: two bounces of one array",
    `${RUN}: refuses two bounces of the same bytes, allows neighbours`,
  ),
  row("7.2 not caught in C: wrong direction", `${TYPES}: wrong direction`, `${TYPES}: output where both are needed`),
  row(
    "7.3 uncopied bytes: EFAULT, no fault injected, no retry",
    `${COPY}: is EFAULT where the page is absent, in swap or read-only, and nothing is injected or brought in`,
  ),
  missing("7.3 guest_handle_okay: the hole of paravirtualised address spaces", "there are no paravirtualised domains"),
  row(
    "7.3 page by page, through the guest's tables",
    `${COPY}: goes through the page tables of the process, page by page`,
  ),
  row(
    "7.3 any failure: the whole length, earlier pages written",
    `${COPY}: may be written up to the page that is missing: EFAULT with half of the answer`,
  ),
  belongsTo("memory paging", "7.3 a paged frame: populate asked for, EFAULT"),
  belongsTo("page sharing", "7.3 a shared frame is unshared for a write"),
  row(
    "7.3 a granted page is not handled",
    "grant/map.test.ts: a structure in a page that is mapped by grant is not read: EFAULT",
  ),
  row(
    "7.3 arrays are fetched and rewritten element by element",
    `${COPY}: a list is rewritten element by element: what was done before the fault stays`,
  ),
  row(
    "7.3 copy-out fails after the effect: createdomain",
    `${COPY}: comes after the work: the domain exists and its creator does not know its id`,
  ),
  row(
    "7.4 growth detaches views: rules 1 and 2",
    "race: stale-view",
    `${RUN}: survive growth of the memory at every allocation`,
  ),
  row(
    "7.4 rule 3: page-granular, cleared, cached, poison, canaries",
    `${RUN}: debug: poisons what is freed and finds writes beyond the end`,
  ),
  row(
    "7.4 rule 4: only the arena makes a safe buffer; run time: live, size, generation",
    `${TYPES}: a raw 64-bit address`,
    `${RUN}: are freed with their scope; a later use is found out`,
    `${RUN}: are dead after the arena was dropped`,
  ),
  row(
    "7.4 rule 4: direction in the type",
    `${TYPES}: reading a buffer that is only input`,
    `${TYPES}: writing a buffer that is only output`,
    `${TYPES}: a field of a structure that is only input`,
  ),
  row(
    "7.4 rule 5: nothing is copied out when the call failed",
    `${RUN}: a call that fails leaves the caller's data alone`,
  ),
  row("7.4 rule 6: grow at every allocation", `${RUN}: survive growth of the memory at every allocation`),
  row("7.5 page tables, reclaim, migration, fork, merging as actors", TABLE),
  row(
    "7.5 hypercall access: absent or moving: EFAULT; read-only: EFAULT",
    `${COPY}: is EFAULT where the page is absent, in swap or read-only, and nothing is injected or brought in`,
  ),
  row("7.5 strategies: none, mlock, one page a thread, counted, pool, pool with touch, device, mixed", TABLE),
  row("7.5 B-1 to B-6 and the expected matrix", MATRIX, BROKEN),
  row(
    "where to bounce, copies counted",
    "explore/buffers.test.ts: costs what the documentation says",
    "explore/buffers.test.ts: each callee copies every byte twice, the whole batch none",
  ),
] as const;
