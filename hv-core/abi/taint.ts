/** The state of the taint build's shadow (hv-core/taint/shadow.ts): 64 bytes behind the shadow itself. */
export const TAINT_STATE = 0x07c8_0000;
/** Kinds, one bit each. */
export const TAINT_NONE = 0;
/** Nobody wrote it since the hypercall began, or the frame is free: what others left there. */
export const TAINT_UNINITIALISED = 1;
/** Memory of a domain that is neither the caller nor the one meant. */
export const TAINT_OTHER = 2;
/** A record or a frame of the hypervisor. */
export const TAINT_HYPERVISOR = 4;

// Offsets.
export const TAINT_ON = 0;
export const TAINT_CALLER = 4;
export const TAINT_TARGET = 8;
/** Bytes that went out tainted; the first: its kind, where it came from, where it went. */
export const TAINT_COUNT = 12;
export const TAINT_KIND = 16;
export const TAINT_SOURCE = 20;
export const TAINT_TO = 24;
/** The last load and the store under way. */
export const TAINT_LOAD_AT = 28;
export const TAINT_LOAD_KIND = 32;
export const TAINT_STORE_AT = 36;
export const TAINT_STORE_BYTES = 40;
export const TAINT_LOAD_VALUE = 48;
