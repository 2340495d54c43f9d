/**
 * Slab of an ioreq server actor: the fields below, then ranges of 16 bytes {space, start, end inclusive, device actor}, then dom0's
 * port for each vCPU. Fields 40..55 belong to guest-page.ts.
 */
export const SERVER_ID = 8;
export const SLOTS_AT = 12;
export const RING_AT = 16;
export const RANGE_COUNT = 20;
export const VCPUS = 24;
export const BUFFERED_PORT = 28;
/** dom0's gfns of the two pages: the ring, then the slots. */
export const GFN = 32;
/** Upper half of the last readDevice: the hot path allocates no pair. */
export const RESULT_HIGH = 56;
/** Actor + 1 of the device that gets the writes to pages of type ioreq_server, 0 = none. */
export const TYPE_DEVICE = 60;
export const RANGES = 256;
export const RANGE_BYTES = 16;
export const MAX_RANGES = 64;
export const PORTS = 2048;
/** `data` of the buffered ring's port, where a vCPU number stands otherwise. */
export const BUFFERED = 255;
