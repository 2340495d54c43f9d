/** Offsets in a domain (hv/domain.ts) and a vCPU record (hv/vcpu.ts) that the host's views read; pinned there at compile time. */
export const DOM_STATE = 0;
export const DOM_DOMID = 8;
export const DOM_IS_SHUT_DOWN = 48;
export const DOM_SHUTDOWN_CODE = 52;
export const DOM_CRASH_REASON = 56;
/** In the record at VCPU_HV_OFFSET. */
export const VCPU_IN_USE = 0;
export const VCPU_DOMID = 8;
export const VCPU_ID = 12;
export const VCPU_PAUSE_FLAGS = 16;
