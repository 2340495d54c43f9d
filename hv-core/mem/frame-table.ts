/**
 * The frame table: one record of 32 bytes for each machine frame (Xen's page_info idea; spec 04 section 4.1).
 * It is the only truth about who owns a frame and how often it is referenced.
 */
import { FRAME_RECORD_SIZE, FRAME_TABLE_BASE, FRAMES_BASE, PAGE_SHIFT } from "../abi/layout";
import { Machine } from "../base/machine";

/** Owner values above every domain slot. */
export const OWNER_NONE: u32 = 0xffff;
export const OWNER_XEN: u32 = 0xfffe;
export const OWNER_COW: u32 = 0xfffd;

/** M2P values (spec 01 section 1.4). */
export const INVALID_M2P: u64 = 0xffff_ffff_ffff_ffff;
export const SHARED_M2P: u64 = 0xffff_ffff_ffff_fffe;

/** Bits of `flags`. */
export const FRAME_ALLOCATED: u16 = 1; // the owner's own reference exists
export const FRAME_XEN_HEAP: u16 = 2; // special: belongs to the hypervisor, may be mapped into its domain
export const FRAME_EXTRA: u16 = 4; // special: not counted in totPages (ioreq pages)
export const FRAME_TABLE: u16 = 8; // an EPT table
export const FRAME_FREE: u16 = 16;
export const FRAME_SHOWN: u16 = 32; // of the hypervisor's heap and made to be seen by its domain: shared_info, pages of its grant table
/** Bits 15:13: what the type references are of (PAGE_TYPE_*). */
const PAGE_TYPE_SHIFT: u16 = 13;

/** Xen's numbers (type_info bits 63:61). A frame is of one type at a time, for as long as its type count is not 0. */
export const PAGE_TYPE_NONE: u32 = 0;
/** CoW: owned by OWNER_COW, mapped read-only wherever it is (hv/sharing). */
export const PAGE_TYPE_SHARED: u32 = 6;
/** Somebody else has it mapped writable. */
export const PAGE_TYPE_WRITABLE: u32 = 7;

@unmanaged
export class Frame {
  /** Domain slot, or OWNER_*. */
  owner: u16;
  flags: u16;
  /** General references. */
  refs: u32;
  /** Type references: the count only; `pageType` says of which type they are. */
  typeCount: u32;
  /** The page lock (hv/sharing/page-lock.ts). */
  lock: u32;
  /** gfn in the owner's p2m (the M2P table), INVALID_M2P or SHARED_M2P. */
  m2p: u64;
  /** Next frame on the free list, or on the list of a paging pool. */
  next: u32;
  /** Sharing record, 0 = none. */
  sharing: u32;

  @inline static at(mfn: u32): Frame {
    return changetype<Frame>(FRAME_TABLE_BASE + <usize>mfn * FRAME_RECORD_SIZE);
  }

  @inline get pageType(): u32 {
    return <u32>this.flags >> PAGE_TYPE_SHIFT;
  }

  @inline setPageType(type: u32): void {
    this.flags = (this.flags & ((1 << PAGE_TYPE_SHIFT) - 1)) | ((<u16>type) << PAGE_TYPE_SHIFT);
  }

  /** Whether `mfn` names a frame of this machine. */
  @inline static isValid(mfn: u64): bool {
    return mfn != 0 && mfn < <u64>Machine.get().frameCount;
  }

  /** Where the frame's contents are in linear memory. */
  @inline static host(mfn: u32): usize {
    return FRAMES_BASE + ((<usize>mfn) << PAGE_SHIFT);
  }
}

if (offsetof<Frame>() != FRAME_RECORD_SIZE) ERROR("Frame is 32 bytes");
