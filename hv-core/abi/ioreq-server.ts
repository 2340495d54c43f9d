/** Offsets in an ioreq server (hv/ioreq/server.ts) and in a node of a rangeset (hv/iocap/rangeset.ts) that views of the host read; pinned there. */
export const SERVER_IN_USE = 0;
export const SERVER_ID = 4;
/** Slot of the domain whose I/O is emulated. */
export const SERVER_TARGET = 8;
export const SERVER_EMULATOR = 12;
export const SERVER_ENABLED = 16;
export const SERVER_BUF_HANDLING = 20;
export const SERVER_SYNC_MFN = 40;
export const SERVER_BUF_MFN = 56;
/** Three words: heads of the rangesets for ports, memory, PCI functions. */
export const SERVER_RANGES = 64;
export const SERVER_TYPE_FLAGS = 76;

export const NODE_START = 0;
export const NODE_END = 8;
export const NODE_LEFT = 16;
export const NODE_RIGHT = 20;
