/**
 * Extended processor state (SDM volume 1, chapter 13): the save area in its standard form, and what DOMCTL_getvcpuextstate puts before it.
 * This machine's processor has x87 (bit 0) and SSE (bit 1) state, so the area is the legacy region of 512 bytes and the header of 64.
 *
 * Domctl buffer: {xcr0 u64, xcr0_accum u64, area}. Header, at 512 in the area: {xstate_bv u64, xcomp_bv u64, six reserved words}.
 */
export const XSTATE_X87 = 1;
export const XSTATE_SSE = 2;
/** What the processor has (Xen: xfeature_mask). */
export const XSTATE_ALL = 3;

export const XSTATE_AREA_SIZE = 576;
export const XSTATE_PREFIX_SIZE = 16;
export const XSTATE_MAX_SIZE = 592;

export const XSTATE_FCW = 0;
export const XSTATE_MXCSR = 24;
export const XSTATE_BV = 512;
export const XSTATE_XCOMP_BV = 520;
export const XSTATE_RESERVED = 528;
/** After FNINIT and reset. */
export const FCW_RESET = 0x37f;
export const MXCSR_RESET = 0x1f80;
