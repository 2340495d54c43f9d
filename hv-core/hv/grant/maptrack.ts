/**
 * Maptrack: what a domain has mapped of others, so that a handle is enough to undo it (Xen's maptrack; 256 entries a frame). Handles come
 * back at the end of the queue: a stale one names nothing for as long as possible. The queue always keeps one, as Xen's does.
 *
 * Entry, 16 bytes: {domid u16, flags u16 (GNTMAP_*, 0 = free), ref u32, next free handle u32, pad}. Under the domain's grant lock.
 */
import { PAGE_SIZE } from "../../abi/layout";
import { allocFrame, freeFrame } from "../../mem/allocator";
import { FRAME_XEN_HEAP, Frame, OWNER_XEN } from "../../mem/frame-table";
import { Domain } from "../domain";
import { GrantTable, NO_HANDLE } from "./table";

const SIZE: u32 = 16;
const PER_FRAME: u32 = <u32>PAGE_SIZE / SIZE;

@unmanaged
export class Maptrack {
  domid: u16;
  flags: u16;
  ref: u32;
  next: u32;
  private _pad: u32;

  /** The entry of `handle`, which is below `limit`. */
  @inline static at(t: GrantTable, handle: u32): Maptrack {
    const mfn = load<u32>(Frame.host(t.maptrackRoot) + ((<usize>(handle / PER_FRAME)) << 2));
    return changetype<Maptrack>(Frame.host(mfn) + <usize>((handle % PER_FRAME) * SIZE));
  }

  /** One past the highest handle there is. */
  @inline static limit(t: GrantTable): u32 {
    return t.maptrackFrames * PER_FRAME;
  }

  /** A handle; NO_HANDLE when the domain has as many as it may, or there is no memory. */
  static take(d: Domain, t: GrantTable): u32 {
    if (t.maptrackHead == t.maptrackTail && !grow(d, t)) return NO_HANDLE;
    const handle = t.maptrackHead;
    t.maptrackHead = Maptrack.at(t, handle).next;
    t.maptrackUsed++;
    return handle;
  }

  static put(t: GrantTable, handle: u32): void {
    const entry = Maptrack.at(t, handle);
    entry.flags = 0;
    entry.next = NO_HANDLE;
    Maptrack.at(t, t.maptrackTail).next = handle;
    t.maptrackTail = handle;
    t.maptrackUsed--;
  }
}

/** A frame of free handles at the head of the queue. */
function grow(d: Domain, t: GrantTable): bool {
  if (t.maptrackFrames >= d.grantMaxMaptrack) return false;
  if (t.maptrackRoot == 0) {
    t.maptrackRoot = allocFrame(OWNER_XEN, FRAME_XEN_HEAP);
    if (t.maptrackRoot == 0) return false;
  }
  const mfn = allocFrame(OWNER_XEN, FRAME_XEN_HEAP);
  if (mfn == 0) {
    if (t.maptrackFrames == 0) {
      freeFrame(t.maptrackRoot);
      t.maptrackRoot = 0;
    }
    return false;
  }
  store<u32>(Frame.host(t.maptrackRoot) + ((<usize>t.maptrackFrames) << 2), mfn);
  const first = Maptrack.limit(t);
  t.maptrackFrames++;
  for (let i: u32 = 0; i < PER_FRAME; i++) Maptrack.at(t, first + i).next = first + i + 1;
  const last = first + PER_FRAME - 1;
  Maptrack.at(t, last).next = t.maptrackHead;
  if (t.maptrackTail == NO_HANDLE) t.maptrackTail = last;
  t.maptrackHead = first;
  return true;
}

if (offsetof<Maptrack>() != <usize>SIZE) ERROR("Maptrack is 16 bytes");
