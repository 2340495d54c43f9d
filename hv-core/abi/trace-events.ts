/**
 * The binary trace ring (journal). Header, 64 bytes: next u32@0 (records ever written, modulo 2^32), wrapped u32@4, mask u32@8
 * (classes recorded), hash u64@16 (over every record, also those overwritten; base/trace.ts). Record, 32 bytes:
 * time u64@0 (virtual TSC), event u16@8, vcpu u16@10 (index in the machine, 0xffff = none), a u32@12, b u64@16, c u64@24.
 */
export const TRACE_NEXT = 0;
export const TRACE_MASK = 8;
export const TRACE_HASH = 16;
export const TRACE_TIME = 0;
export const TRACE_EVENT = 8;
export const TRACE_VCPU = 10;
export const TRACE_A = 12;
export const TRACE_B = 16;
export const TRACE_C = 24;

// Classes: the high byte of an event.
export const TRACE_CLASS_EXIT = 0x01;
export const TRACE_CLASS_P2M = 0x02;
export const TRACE_CLASS_IOREQ = 0x03;
export const TRACE_CLASS_HYPERCALL = 0x04;
export const TRACE_CLASS_INTERRUPT = 0x05;
export const TRACE_CLASS_DOMAIN = 0x06;
export const TRACE_CLASS_SHARING = 0x07;
export const TRACE_CLASS_VM_EVENT = 0x08;

export const TRACE_CLASS_BUS = 0x09;
export const TRACE_CLASS_GRANT = 0x0a;

/** a = granter | grantee << 16, b = reference, c = gfn of the mapping. */
export const TRC_GRANT_MAP = 0x0a01;
export const TRC_GRANT_UNMAP = 0x0a02;
/** a = source domid | destination << 16, b and c = reference or gfn of the source and of the destination. */
export const TRC_GRANT_COPY = 0x0a03;
/** a = domid, b = version, c = frames of entries. */
export const TRC_GRANT_VERSION = 0x0a04;

/** A device of the bus was touched: a = flags of the log (abi/bus.ts) | size << 8, b = offset, c = value. */
export const TRC_BUS = 0x0901;
/** a = exit reason, b = qualification, c = gpa (violations), rip otherwise. */
export const TRC_EXIT = 0x0101;
/** The guest runs again. a = exit reason that was handled, b = verdict. */
export const TRC_ENTRY = 0x0102;
/** a = domid, b = gfn | order << 48, c = new EPT entry. */
export const TRC_P2M_SET = 0x0201;
/** a = server id | new state << 8 | type << 16 | dir << 24, b = addr, c = data. */
export const TRC_IOREQ_STATE = 0x0301;
/** A request nobody claimed: a = type | dir << 8 | size << 16, b = addr, c = data. */
export const TRC_IOREQ_NULL = 0x0302;
/** Served inside the core: a = type | dir << 8 | size << 16, b = addr, c = data. */
export const TRC_IOREQ_INTERNAL = 0x0303;
/** Posted to the buffered ring: a = server id | type << 16, b = addr, c = data. */
export const TRC_IOREQ_BUFFERED = 0x0304;
/** a = hypercall number, b = first argument, c = second argument. */
export const TRC_HYPERCALL = 0x0401;
/** a = hypercall number, b = result. */
export const TRC_HYPERCALL_RESULT = 0x0402;
/** a = vector, b = type, c = error code. */
export const TRC_INJECT = 0x0501;
/** a = domid, b = port. */
export const TRC_EVTCHN_PENDING = 0x0502;
/** a = domid, b = shutdown reason. */
export const TRC_SHUTDOWN = 0x0601;
/** a = domid, b = crash reason (abi/crash.ts). */
export const TRC_CRASH = 0x0602;
/** a = domid. */
export const TRC_DOMAIN_CREATED = 0x0603;
export const TRC_DOMAIN_DESTROYED = 0x0604;
/** a = domid, b = gfn, c = handle. */
export const TRC_SHARE_NOMINATE = 0x0701;
/** a = domid of the source | of the client << 16, b = gfn of the source, c = gfn of the client. */
export const TRC_SHARE = 0x0702;
/** a = domid, b = gfn, c = 1: it was the last one and keeps the frame. */
export const TRC_UNSHARE = 0x0703;
/** A request on a vm_event ring: a = mode | reason << 8, b = gfn, c = flags. */
export const TRC_VM_EVENT_REQUEST = 0x0801;
/** A response taken from one: a = mode | reason << 8 | accepted << 16, b = vcpu_id, c = flags. */
export const TRC_VM_EVENT_RESPONSE = 0x0802;
