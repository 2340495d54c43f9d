/** States of a frame, port or interrupt line for the accountant (spec 06 section 6.3), and the kinds of units. */
export const IO_UNIT_FREE = 0;
/** The default I/O domain maps it. */
export const IO_UNIT_DEFAULT_IN_USE = 1;
export const IO_UNIT_GRANTED = 2;
export const IO_UNIT_IN_USE = 3;
/** The right is gone, a mapping is left. */
export const IO_UNIT_REVOKING = 4;
export const IO_UNIT_RESERVED = 5;
/** An interrupt line that all its holders have agreed to share. */
export const IO_UNIT_SHARED = 6;

/** Results of ioUnitRange (hv-core/run/io-inspect.ts), 32 bytes in the mailbox: first u64, last u64, state | holder << 8 u32, count u32. */
export const IO_KIND_FRAME = 0;
export const IO_KIND_PORT = 1;
export const IO_KIND_IRQ = 2;
