/** The platform's small devices: where they are, for the host's device models, the in-core ones and the guests alike. */
/** 16550 UART, eight ports. */
export const UART_PORT = 0x3f8;
export const UART_PORTS = 8;
/** Debug port: each byte written is a character. Reads give 0xe9, as on Bochs and QEMU. */
export const DEBUG_PORT = 0xe9;
/** POST code port: the last byte written is kept. */
export const POST_PORT = 0x80;
/** Test exit: 0 = power off, 1 = reboot, anything else = crash. */
export const EXIT_PORT = 0xf4;
/**
 * Counter device, one page of MMIO that makes its accesses visible:
 * 0x00 value (64 bit, read and write, any size), 0x08 reads so far, 0x10 writes so far, 0x18 last access (offset | size << 16 | dir << 24),
 * 0x800..0xfff scratch bytes that keep what was written. Anything else reads 0 and ignores writes (but counts).
 */
export const COUNTER_BASE = 0xfe000000;
export const COUNTER_SIZE = 0x1000;
export const COUNTER_VALUE = 0x00;
export const COUNTER_READS = 0x08;
export const COUNTER_WRITES = 0x10;
export const COUNTER_LAST = 0x18;
export const COUNTER_SCRATCH = 0x800;
/**
 * Shadow-table device, one page of MMIO, registers of 4 bytes (host/lib/device/shadow-table.ts): it watches a two-level table in guest
 * memory, 1024 entries of 4 bytes a page, bit 0 present, 31:12 frame, and keeps a shadow of it.
 * 0x00 root: gfn of the directory, 0 = none (read and write). 0x04 watched writes so far. 0x08 times that shadow and table differed.
 * 0x0c tables watched now. 0x10 address to look up (write), its shadow entry (read; 0 = not mapped). 0x14 free for the host (goal).
 */
export const SHADOW_BASE = 0xfe010000;
export const SHADOW_SIZE = 0x1000;
export const SHADOW_ROOT = 0x00;
export const SHADOW_WRITES = 0x04;
export const SHADOW_DIFFERENCES = 0x08;
export const SHADOW_TABLES = 0x0c;
export const SHADOW_LOOKUP = 0x10;
export const SHADOW_GOAL = 0x14;

/**
 * What the in-core devices print (knob device.at = core): a ring at DEVICE_CONSOLE_BASE (abi/layout.ts). Header: head u32@0 and
 * tail u32@4, free-running counts of entries written and read; lost u32@8. Entries of two bytes from offset 16 on, at index modulo
 * DEVICE_CONSOLE_ENTRIES: byte 0 the character, byte 1 where it came from. The core writes head and lost, the reader writes tail.
 */
export const DEVICE_CONSOLE_HEAD = 0;
export const DEVICE_CONSOLE_TAIL = 4;
export const DEVICE_CONSOLE_LOST = 8;
export const DEVICE_CONSOLE_DATA = 16;
export const DEVICE_CONSOLE_ENTRIES = 16384;
/** Sources. */
export const DEVICE_SOURCE_UART = 1;
export const DEVICE_SOURCE_DEBUG_PORT = 2;
