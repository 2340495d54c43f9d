/** ioreq pages (spec 03 section 3.3): layout of a slot and of the buffered ring. */
export const IOREQ_SIZE = 32;
export const IOREQ_ADDR = 0;
export const IOREQ_DATA = 8;
export const IOREQ_COUNT = 16;
export const IOREQ_REQ_SIZE = 20;
export const IOREQ_VP_EPORT = 24;
/** Byte: bits 3:0 state, 4 data_is_ptr, 5 dir (1 = read), 6 df. */
export const IOREQ_BITS = 30;
export const IOREQ_TYPE = 31;

export const STATE_IOREQ_NONE = 0;
export const STATE_IOREQ_READY = 1;
export const STATE_IOREQ_INPROCESS = 2;
export const STATE_IOREQ_RESP_READY = 3;

export const IOREQ_TYPE_PIO = 0;
export const IOREQ_TYPE_COPY = 1;
export const IOREQ_TYPE_PCI_CONFIG = 2;
export const IOREQ_TYPE_TIMEOFFSET = 7;
export const IOREQ_TYPE_INVALIDATE = 8;

export const IOREQ_WRITE = 0;
export const IOREQ_READ = 1;

export const BUFIOREQ_READ_POINTER = 0;
export const BUFIOREQ_WRITE_POINTER = 4;
export const BUFIOREQ_SLOTS = 8;
export const BUFIOREQ_SLOT_COUNT = 511;
export const BUFIOREQ_OFF = 0;
export const BUFIOREQ_LEGACY = 1;
export const BUFIOREQ_ATOMIC = 2;

export const MAX_NR_IOREQ_SERVERS = 8;
export const IO_RANGE_PORT = 0;
export const IO_RANGE_MEMORY = 1;
export const IO_RANGE_PCI = 2;
export const MAX_NR_IO_RANGES = 256;
