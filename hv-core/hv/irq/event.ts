/** VM-entry interruption information (SDM 3C, table 24-16), as in Cpu.entryEvent: 7:0 vector, 10:8 type, 11 error code, 31 valid. */
export const EVENT_EXTERNAL: u32 = 0 << 8;
export const EVENT_NMI: u32 = 2 << 8;
export const EVENT_EXCEPTION: u32 = 3 << 8;
export const EVENT_HAS_ERROR: u32 = 1 << 11;
export const EVENT_VALID: u32 = 0x8000_0000;
