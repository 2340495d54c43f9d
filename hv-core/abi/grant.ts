/** HYPERVISOR_grant_table_op: operations, statuses and bits of an entry (spec 08 section 8.6; Xen's public grant_table.h). */
export const GNTTABOP_MAP_GRANT_REF = 0;
export const GNTTABOP_UNMAP_GRANT_REF = 1;
export const GNTTABOP_SETUP_TABLE = 2;
export const GNTTABOP_DUMP_TABLE = 3;
export const GNTTABOP_TRANSFER = 4;
export const GNTTABOP_COPY = 5;
export const GNTTABOP_QUERY_SIZE = 6;
export const GNTTABOP_UNMAP_AND_REPLACE = 7;
export const GNTTABOP_SET_VERSION = 8;
export const GNTTABOP_GET_STATUS_FRAMES = 9;
export const GNTTABOP_GET_VERSION = 10;
export const GNTTABOP_SWAP_GRANT_REF = 11;
export const GNTTABOP_CACHE_FLUSH = 12;
/** Bits of the command that name the operation; the others belong to cache_flush, which x86 has not. */
export const GNTTABOP_MASK = 0xfff;

export const GNTST_OKAY = 0;
export const GNTST_GENERAL_ERROR = -1;
export const GNTST_BAD_DOMAIN = -2;
export const GNTST_BAD_GNTREF = -3;
export const GNTST_BAD_HANDLE = -4;
export const GNTST_NO_DEVICE_SPACE = -7;
export const GNTST_PERMISSION_DENIED = -8;
export const GNTST_BAD_PAGE = -9;
export const GNTST_BAD_COPY_ARG = -10;
export const GNTST_EAGAIN = -12;

/** Flags of an entry: u16 at its start, the grantee's domid behind it. */
export const GTF_TYPE_MASK = 3;
export const GTF_INVALID = 0;
export const GTF_PERMIT_ACCESS = 1;
export const GTF_ACCEPT_TRANSFER = 2;
export const GTF_TRANSITIVE = 3;
export const GTF_READONLY = 4;
/** Set by the hypervisor: it is mapped or being copied from; ... writable. Version 2 has them in the status frames. */
export const GTF_READING = 8;
export const GTF_WRITING = 16;
/** Memory type bits: only PV mappings may use them. */
export const GTF_CACHE = 0xe0;
/** Version 2: only part of the page, for copies. */
export const GTF_SUB_PAGE = 256;

/** Flags of map_grant_ref. */
export const GNTMAP_DEVICE_MAP = 1;
export const GNTMAP_HOST_MAP = 2;
export const GNTMAP_READONLY = 4;
export const GNTMAP_APPLICATION_MAP = 8;
export const GNTMAP_CONTAINS_PTE = 16;

/** Flags of copy: that side names a reference, not a gfn. */
export const GNTCOPY_SOURCE_GREF = 1;
export const GNTCOPY_DEST_GREF = 2;

/** Entries that a toolstack fills in before the guest runs (0 console, 1 xenstore); they survive a change of version. */
export const GRANT_RESERVED_ENTRIES = 8;
/** Bytes of an entry, and entries of a page. Version 2's flags of use: one u16 for each entry. */
export const GRANT_V1_SIZE = 8;
export const GRANT_V2_SIZE = 16;
export const GRANT_V1_PER_FRAME = 512;
export const GRANT_V2_PER_FRAME = 256;
export const GRANT_STATUS_PER_FRAME = 2048;
export const GRANT_V1_FRAME = 4;
export const GRANT_V2_FRAME = 8;
export const GRANT_V2_OFFSET = 4;
export const GRANT_V2_LENGTH = 6;
export const GRANT_V2_TRANS_DOMID = 4;
export const GRANT_V2_TRANS_REF = 8;

/** XENMAPSPACE_grant_table: this bit of the index asks for a status frame. */
export const XENMAPIDX_GRANT_TABLE_STATUS_BIT = 31;
/** XENMEM_acquire_resource: type and ids. */
export const XENMEM_RESOURCE_GRANT_TABLE = 1;
export const GRANT_RESOURCE_SHARED = 0;
export const GRANT_RESOURCE_STATUS = 1;

/** Limits of the machine, and of a domain whose toolstack does not say. */
export const GRANT_FRAMES_LIMIT = 64;
export const GRANT_MAPTRACK_LIMIT = 1024;
export const GRANT_MAX_VERSION = 2;

export const GNTTAB_MAP_BYTES = 32;
export const GNTTAB_UNMAP_BYTES = 24;
export const GNTTAB_COPY_BYTES = 40;
export const GNTTAB_COPY32_BYTES = 24;
