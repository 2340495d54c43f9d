/** p2m types (spec 01 section 1.1): the 6-bit field stored in an EPT entry. */
export const P2M_RAM_RW = 0;
export const P2M_INVALID = 1;
export const P2M_RAM_LOGDIRTY = 2;
export const P2M_RAM_RO = 3;
export const P2M_MMIO_DM = 4;
export const P2M_MMIO_DIRECT = 5;
export const P2M_POPULATE_ON_DEMAND = 6;
export const P2M_GRANT_MAP_RW = 7;
export const P2M_GRANT_MAP_RO = 8;
export const P2M_RAM_PAGING_OUT = 9;
export const P2M_RAM_PAGED = 10;
export const P2M_RAM_PAGING_IN = 11;
export const P2M_RAM_SHARED = 12;
export const P2M_RAM_BROKEN = 13;
export const P2M_MAP_FOREIGN = 14;
export const P2M_IOREQ_SERVER = 15;

/** p2m access (spec 01 section 1.2): the 4-bit field. */
export const P2M_ACCESS_N = 0;
export const P2M_ACCESS_R = 1;
export const P2M_ACCESS_W = 2;
export const P2M_ACCESS_RW = 3;
export const P2M_ACCESS_X = 4;
export const P2M_ACCESS_RX = 5;
export const P2M_ACCESS_WX = 6;
export const P2M_ACCESS_RWX = 7;
export const P2M_ACCESS_RX2RW = 8;
export const P2M_ACCESS_N2RWX = 9;
export const P2M_ACCESS_R_PW = 10;

/** Lookup flags of get_gfn (spec 01 section 1.5). */
export const P2M_ALLOC = 1;
export const P2M_UNSHARE = 2;

/** Public memory types of set_mem_type and get_mem_type. */
export const HVMMEM_RAM_RW = 0;
export const HVMMEM_RAM_RO = 1;
export const HVMMEM_MMIO_DM = 2;
export const HVMMEM_UNUSED = 3;
export const HVMMEM_IOREQ_SERVER = 4;
