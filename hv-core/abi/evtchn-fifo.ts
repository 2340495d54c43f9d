/**
 * FIFO event channels (spec 08 section 8.4; public: the design "event channels: FIFO-based ABI"). Two structures in the guest's memory:
 *
 * Event array: pages of 1,024 words of 32 bits, word n is port n:
 *   31 PENDING | 30 MASKED | 29 LINKED (on a queue) | 28 BUSY (the link is being changed) | 27..17 zero | 16..0 LINK (next port on the queue)
 * Control block, one for each vCPU, 72 bytes: {ready u32: bit n = queue n is not empty, reserved u32, head[16] u32: first port of a queue}.
 */
export const FIFO_PENDING = 31;
export const FIFO_MASKED = 30;
export const FIFO_LINKED = 29;
export const FIFO_BUSY = 28;
export const FIFO_LINK_BITS = 17;
export const FIFO_LINK_MASK = 0x1ffff;
export const FIFO_MAX_PORTS = 131072;

export const FIFO_WORDS_PER_PAGE = 1024;
export const FIFO_MAX_PAGES = 128;

/** Queue 0 goes first. */
export const FIFO_PRIORITY_DEFAULT = 7;
export const FIFO_PRIORITY_MIN = 15;
export const FIFO_QUEUES = 16;

export const FIFO_CONTROL_BLOCK_SIZE = 72;
export const FIFO_READY = 0;
export const FIFO_HEADS = 8;

/** struct evtchn_init_control: {control_gfn u64, offset u32, vcpu u32, OUT link_bits u8}. */
export const INIT_CONTROL_OFFSET = 8;
export const INIT_CONTROL_VCPU = 12;
export const INIT_CONTROL_LINK_BITS = 16;
