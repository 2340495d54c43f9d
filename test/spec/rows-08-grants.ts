/** Spec 08 section 8.6 (and the grant parts of 8.2): every row and the tests that provoke it. */
import { row, type SpecRow } from "./rows.ts";

const MAP = "grant/map.test.ts";
const COPY = "grant/copy.test.ts";
const TABLE = "grant/table.test.ts";
const DEATH = "grant/death.test.ts";
const SHARING = "grant/sharing.test.ts";

export const ROWS_08_GRANTS: readonly SpecRow[] = [
  row("8.6 operations of the HVM list; others ENOSYS; transfer refused", `${TABLE}: number %i: ENOSYS`),
  row("8.6 count negative EINVAL; continuation bits", `${TABLE}: a negative count, and continuation bits`),
  row("8.6 what a guest that grants to itself is answered", "oracle/guests.ts: probe-grants"),
  row("8.6 query_size", `${TABLE}: a domain has one frame at first, and as many as its toolstack allowed`),
  row(
    "8.6 query_size, get_version: bad domain, no permission, EINVAL, EFAULT, ESRCH, EPERM",
    `${TABLE}: an absent domain, another one, wrong counts, bad pointers`,
  ),
  row(
    "8.6 setup_table: grows within the limit, gfns of the frames; general error, EFAULT, EINVAL",
    `${TABLE}: setup_table grows the table, within its limit, and says where its frames are`,
    `${TABLE}: without memory it is a general error, the table stays as it was, and works`,
  ),
  row("8.6 set_version: EINVAL, ENOSYS, EFAULT", `${TABLE}: only 1 and 2, and 2 only where the toolstack allows it`),
  row(
    "8.6 set_version: EBUSY in use; references 0 to 7 survive",
    `${TABLE}: not while an entry is in use, but for the reserved ones, which survive it with their marks`,
  ),
  row(
    "8.6 version 2 to 1: status frames go, out of the p2m",
    `${TABLE}: the status frames go with version 2, out of the p2m as well`,
    `${TABLE}: a status frame that dom0 has acquired cannot go: EBUSY, and the domain crashes`,
  ),
  row("8.6 get_status_frames (not HVM)", `${TABLE}: get_status_frames, for dom0: where they are`),
  row(
    "8.6 map: p2m entry grant_map_rw or ro at host_addr >> 12; reading and writing; status, handle, machine address",
    `${MAP}: shows the granter's frame in the grantee's p2m, writable or not, marks the entry and holds the frame`,
  ),
  row("8.6 map: every GNTST of a refusal; nothing changes", `${MAP}: %s`),
  row(
    "8.6 map: over RAM, over another grant",
    `${MAP}: over RAM hides the page; over another grant the domain crashes, and the grant stays what it was`,
  ),
  row("8.6 GNTST -7: no handle", `${MAP}: handles: as many as the maptrack has but one, and none for a domain without`),
  row(
    "8.6 pin counts: four counters of eight bits, one user",
    `${MAP}: a pinned entry: another domain is refused, the same one 128 times of each kind is not`,
  ),
  row(
    "8.6 a pinned entry counts, not what the guest writes into it",
    `${MAP}: what the granter writes into a pinned entry does not move the mapping`,
  ),
  row(
    "8.6 a mapped grant cannot be granted on",
    `${MAP}: a granted page that is mapped cannot be granted on, nor given back by the grantee`,
  ),
  row(
    "8.6 version 2: status frames, sub-page and transitive entries cannot be mapped",
    `${MAP}: in version 2 the marks are in the status frames, and parts and transitive entries are refused`,
  ),
  row("8.6 long lists go on in pieces", `${MAP}: works through a long list in pieces`),
  row(
    "8.6 unmap: bad handle, wrong address, twice, no address",
    `${MAP}: bad handles, wrong places, twice: refused, and nothing changes`,
    `${MAP}: another grant at the address is not taken for this one`,
  ),
  row(
    "8.6 reading and writing fall with the last mapping, after the flush (XSA-218)",
    `${MAP}: the marks stay until the last mapping of their kind is gone`,
    "race: grant-early-report",
  ),
  row(
    "8.6 copy: by reference and by gfn, both directions",
    `${COPY}: from a grant to one's own page, from one's own page to a grant, from grant to grant`,
    `${COPY}: both sides may be parts of one page, overlapping`,
  ),
  row("8.6 copy: every GNTST of a refusal", `${COPY}: %s`),
  row("8.6 copy: EFAULT in a list", `${COPY}: a bad pointer ends the call; what was done before stays`),
  row(
    "8.6 copy of an entry that is mapped",
    `${COPY}: of an entry that is mapped: the frame is the mapped one, whatever the entry says by now`,
    "race: grant-entry-frame",
  ),
  row("8.6 version 2: parts of pages", `${COPY}: a part of a page: inside it and nowhere else`),
  row(
    "8.6 version 2: transitive entries",
    `${COPY}: a transitive entry leads to another domain's, once, and not back to its own`,
    `${COPY}: a mapped entry that says it is transitive now is refused, and the call ends`,
  ),
  row("8.6 swap", `${COPY}: two entries change places, in version 2 with their marks; not while in use`),
  row(
    "8.6 GNTST -12: shared, and no memory for a copy; paged",
    `${SHARING}: a shared page is unshared before it is granted writable; without memory for that, EAGAIN`,
    `${SHARING}: a page that is out: EAGAIN, and the pager is asked; when it is back the same call succeeds. A granted page is not evicted`,
  ),
  row(
    "8.6 the grantee dies",
    `${DEATH}: the grantee dies: its mappings go, the granter reads that its pages are free, and can be destroyed`,
  ),
  row(
    "8.6 the granter dies",
    `${DEATH}: the granter dies: its page stays with the grantee, nothing more of it can be had, and it is gone with the last unmap`,
    `${DEATH}: two domains that have mapped each other, and one that has mapped itself, leave nothing behind`,
  ),
  row(
    "8.2 add_to_physmap space 1: frames and status frames, EINVAL, ENOMEM",
    `${TABLE}: a frame is at one gfn: it moves, and the old one is a hole`,
    `${TABLE}: indexes out of range, status frames without version 2, no gfn`,
    `${TABLE}: without memory: ENOMEM`,
    "dom0: V1064 add_to_physmap H grant frame 0",
    "race: grant-status-frame",
  ),
  row(
    "8.2 acquire_resource type 1",
    `${TABLE}: V657 V658 V659: shared frames, status frames of version 2 only, no third kind`,
    `${TABLE}: V660 V661: 33 of 32 map 32 and fail; frame 32 is none`,
    `${TABLE}: V662: how many there are, shared and status`,
  ),
  row(
    "8.6 random operations of three domains are as a plain model says",
    "grant/model.test.ts: random operations of three domains are as the model says, and leave no reference behind",
  ),
];
