/**
 * What hangs off a shared frame (Xen's page_sharing_info): its handle, its reverse map, its place on the audit list.
 * Frame.sharing holds the address. Next: rmap.ts.
 */

import { FrameSlab, SLAB_SHARE_INFO } from "../../mem/frame-slab";
import { Frame } from "../../mem/frame-table";
import { Sharing } from "./state";

/** Values of `form`. */
export const RMAP_LIST: u32 = 0;
export const RMAP_HASH: u32 = 1;

@unmanaged
export class ShareInfo {
  /** Back to the frame. */
  mfn: u32;
  /** RMAP_LIST or RMAP_HASH. */
  form: u32;
  /** First record of the list, or the address of the buckets. */
  rmap: u32;
  auditNext: u32;
  /** A new one at each nomination; a write by any sharer that makes the page private ends it. */
  handle: u64;
  auditPrev: u32;
  private _pad: u32;

  /** The info of a frame, null (0) when it is not shared. */
  @inline static of(mfn: u32): ShareInfo {
    return changetype<ShareInfo>(<usize>Frame.at(mfn).sharing);
  }

  @inline static at(address: u32): ShareInfo {
    return changetype<ShareInfo>(<usize>address);
  }

  @inline get address(): u32 {
    return <u32>changetype<usize>(this);
  }

  /** A new info with an empty reverse map, not yet on the audit list; 0 when no frame is left for it. */
  static create(mfn: u32): u32 {
    const at = FrameSlab.alloc(SLAB_SHARE_INFO, <u32>offsetof<ShareInfo>());
    if (at == 0) return 0;
    ShareInfo.at(at).mfn = mfn;
    Frame.at(mfn).sharing = at;
    return at;
  }

  /** Frees it; the reverse map is empty by now. */
  static dispose(mfn: u32): void {
    const frame = Frame.at(mfn);
    FrameSlab.free(SLAB_SHARE_INFO, frame.sharing);
    frame.sharing = 0;
  }

  static auditAdd(info: ShareInfo): void {
    const s = Sharing.get();
    info.auditNext = s.auditHead;
    info.auditPrev = 0;
    if (s.auditHead != 0) ShareInfo.at(s.auditHead).auditPrev = info.address;
    s.auditHead = info.address;
  }

  static auditRemove(info: ShareInfo): void {
    if (info.auditPrev == 0) Sharing.get().auditHead = info.auditNext;
    else ShareInfo.at(info.auditPrev).auditNext = info.auditNext;
    if (info.auditNext != 0) ShareInfo.at(info.auditNext).auditPrev = info.auditPrev;
  }
}

if (offsetof<ShareInfo>() != 32) ERROR("ShareInfo is 32 bytes");
