/**
 * The locks of the hypervisor and their order: whoever holds a lock may take only ones of a higher order (Xen: mm-locks.h for p2m,
 * pod and paging; the ioreq servers lock is taken before the p2m's, the event lock is the innermost). The one table for the checker in
 * the core (base/lock-order.ts) and for reports (host/lib/explore/locks.ts).
 *
 * Offsets are those of the words in a domain's record (hv/domain.ts).
 */
export const ORDER_IOREQ = 8;
export const LOCK_IOREQ_OFFSET = 124;
/** The grant table: entries are looked at and their pages looked up under it. */
export const ORDER_GRANT = 12;
export const LOCK_GRANT_OFFSET = 936;
export const ORDER_P2M = 16;
export const LOCK_P2M_OFFSET = 64;
/** The server of the page type (Xen: p2m->ioreq.lock). */
export const ORDER_P2M_IOREQ = 24;
export const LOCK_P2M_IOREQ_OFFSET = 104;
export const ORDER_POD = 48;
export const LOCK_POD_OFFSET = 868;
/** Log-dirty bitmap and video memory (Xen: paging lock). */
export const ORDER_PAGING = 64;
export const LOCK_PAGING_OFFSET = 788;
/** The ring of an ioreq server: in the server's record, not in the domain's. */
export const ORDER_BUFFERED = 72;
export const LOCK_BUFFERED_OFFSET = 28;
export const ORDER_EVTCHN = 80;
export const LOCK_EVTCHN_OFFSET = 172;
/** Port mappings of a domain (hv/iocap/port-mapping.ts) and its virtual NUMA topology (hv/vnuma/tables.ts): nothing is taken under them. */
export const LOCK_IO_PORTS_OFFSET = 960;
export const LOCK_VNUMA_OFFSET = 984;
/** The words of the domctl lock are tried, never waited for, and have no order: in the machine header, in the caller's domain. */
export const LOCK_DOMCTL_OFFSET = 96;
