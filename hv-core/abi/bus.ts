/**
 * The machine's own devices (hw/bus.ts): up to four alike, each behind sixteen frames, eight ports and one interrupt line. They stand for a
 * real device that a driver in some domain drives; knob io.devices says how many there are, none by default.
 *
 * Registers, 4 bytes each, at the start of the first frame; INDEX and DATA also at port + 0 and port + 4:
 *   INDEX chooses one of 16 internal registers, DATA reads or writes it. Two drivers that do not know of each other tear the pair apart.
 */
export const MAX_BUS_DEVICES = 4;
export const BUS_FIRST_FRAME = 0xfd000;
export const BUS_FRAMES = 16;
export const BUS_FIRST_PORT = 0x300;
/** From one device's ports to the next one's. */
export const BUS_PORT_STEP = 0x10;
export const BUS_PORTS = 8;
export const BUS_FIRST_IRQ = 5;

export const BUS_INDEX = 0x00;
export const BUS_DATA = 0x04;
/** Bit 0 a DATA access was torn from its INDEX, 1 the interrupt line is up, 2 DMA is under way. */
export const BUS_STATUS = 0x08;
export const BUS_DMA_ADDR = 0x0c;
export const BUS_DMA_VALUE = 0x10;
/** Any write starts the DMA engine: 4 bytes of DMA_VALUE go to device address DMA_ADDR. */
export const BUS_DMA_GO = 0x14;
export const BUS_REGISTERS = 16;

/** State of a device, 4 KiB each from IO_DEVICES_BASE on. */
export const DEV_PRESENT = 0;
export const DEV_INDEX = 4;
/** vCPU slot + 1 of who wrote INDEX last, 0 = nobody. */
export const DEV_INDEX_BY = 8;
/** DATA accesses by another processor's domain than the INDEX before them. */
export const DEV_TORN = 12;
/** Accesses that met the same register under another memory type (XSA-154: a machine check on real hardware). */
export const DEV_MIXED = 16;
export const DEV_DMA_ADDR = 20;
export const DEV_DMA_VALUE = 24;
/** 0 idle, 1 to be translated, 2 translated and about to be written. */
export const DEV_DMA_STATE = 28;
export const DEV_DMA_FRAME = 32;
export const DEV_DMA_DONE = 36;
export const DEV_DMA_FAULTS = 40;
/** Root of the tables that translate its addresses, 0 = the device is assigned to nobody and cannot reach memory; domain id + 1. */
export const DEV_DMA_ROOT = 44;
export const DEV_DMA_DOMAIN = 48;
/** Accesses ever logged. */
export const DEV_LOG_NEXT = 52;
export const DEV_CACHED = 56;
export const DEV_VALUES = 128;
export const DEV_CACHE = 192;
/** The translation cache of the DMA engine: pairs {page + 1 u32, frame u32}. */
export const DEV_IOTLB = 256;
export const DEV_IOTLB_ENTRIES = 4;
export const DEV_LOG = 2048;
/** Record: requester u16 (vCPU slot + 1), flags u8, size u8, offset u32, value u32, running number u32. */
export const DEV_LOG_RECORD = 16;
export const DEV_LOG_RECORDS = 128;
export const DEV_LOG_READ = 1;
export const DEV_LOG_PORT = 2;
/** Through a write-back mapping: it went to a cache line, not to the device. */
export const DEV_LOG_CACHED = 4;
