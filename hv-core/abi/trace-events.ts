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
