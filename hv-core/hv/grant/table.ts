/**
 * A domain's grant table (spec 08 section 8.6): the frames that it shares with its guest, and what the hypervisor remembers about each entry.
 *
 * Everything lies in machine frames, as in Xen's heap: the head (this record, the lists of frames), the shared frames and the status
 * frames of version 2 (owned by the domain, which may map them), the active entries (the hypervisor's own: no guest sees them), the
 * maptrack (hv/grant/maptrack.ts). The table is made when somebody first asks for it, so a machine that never uses grants pays nothing.
 *
 * All of it is read and written under the grant lock of its domain (Xen: the table's lock and the entry's). No two are held at once; a
 * p2m lock may be taken inside. Next: hv/grant/entry.ts, map.ts, copy.ts, version.ts.
 */
import { GRANT_HEAD_ACTIVE, GRANT_HEAD_VERSION } from "../../abi/domain";
import { EINVAL, ENOMEM, OK } from "../../abi/errno";
import {
  GRANT_RESERVED_ENTRIES,
  GRANT_STATUS_PER_FRAME,
  GRANT_V1_PER_FRAME,
  GRANT_V1_SIZE,
  GRANT_V2_PER_FRAME,
  GRANT_V2_SIZE,
} from "../../abi/grant";
import { Lock } from "../../base/lock";
import { allocFrame, freeFrame } from "../../mem/allocator";
import { FRAME_SHOWN, FRAME_XEN_HEAP, Frame, OWNER_XEN } from "../../mem/frame-table";
import { DOMAIN_ALIVE, Domain } from "../domain";

/** The lists of frames, in the head's frame. */
const SHARED_LIST: usize = 0x40; // 64 frames
const STATUS_LIST: usize = 0x140; // 8 frames
const ACTIVE_LIST: usize = 0x200; // 256 frames

/** Bytes of an active entry, and how many fill a frame. */
export const ACTIVE_SIZE: u32 = 32;
const ACTIVE_PER_FRAME: u32 = 128;
/** Active frames for one shared frame: enough for version 1, which has more entries in it. */
const ACTIVE_FRAMES: u32 = <u32>GRANT_V1_PER_FRAME / ACTIVE_PER_FRAME;

@unmanaged
export class GrantTable {
  /** 1 or 2. */
  version: u32;
  nrFrames: u32;
  nrStatus: u32;
  /** Entries with a pin: how many. 0 = nobody uses anything of this table. */
  pinned: u32;
  // Maptrack: what this domain has mapped of others (maptrack.ts).
  maptrackRoot: u32;
  maptrackFrames: u32;
  /** Handles that can be given out: a queue, NO_HANDLE at its ends. */
  maptrackHead: u32;
  maptrackTail: u32;
  maptrackUsed: u32;
  /** Next handle that a preempted destroydomain looks at. */
  releaseNext: u32;

  @inline static at(mfn: u32): GrantTable {
    return changetype<GrantTable>(Frame.host(mfn));
  }

  @inline listed(list: usize, i: u32): u32 {
    return load<u32>(changetype<usize>(this) + list + ((<usize>i) << 2));
  }

  @inline setListed(list: usize, i: u32, mfn: u32): void {
    store<u32>(changetype<usize>(this) + list + ((<usize>i) << 2), mfn);
  }

  /** The frame that holds page `i` of the entries (0 = it went with its dying domain). */
  @inline sharedFrame(i: u32): u32 {
    return this.listed(SHARED_LIST, i);
  }

  @inline statusFrame(i: u32): u32 {
    return this.listed(STATUS_LIST, i);
  }

  @inline setStatusFrame(i: u32, mfn: u32): void {
    this.setListed(STATUS_LIST, i, mfn);
  }

  /** References that exist. */
  @inline get entries(): u32 {
    return this.nrFrames * (this.version == 1 ? <u32>GRANT_V1_PER_FRAME : <u32>GRANT_V2_PER_FRAME);
  }

  /** Address of entry `ref`, which is in range; 0 when its frame is gone. */
  entry(ref: u32): usize {
    const perFrame: u32 = this.version == 1 ? GRANT_V1_PER_FRAME : GRANT_V2_PER_FRAME;
    const size: u32 = this.version == 1 ? GRANT_V1_SIZE : GRANT_V2_SIZE;
    const mfn = this.sharedFrame(ref / perFrame);
    return mfn == 0 ? 0 : Frame.host(mfn) + <usize>((ref % perFrame) * size);
  }

  /** Address of the 16 bits in which the hypervisor says that entry `ref` is in use; 0 when their frame is gone. */
  status(ref: u32): usize {
    if (this.version == 1) return this.entry(ref);
    const mfn = this.statusFrame(ref / <u32>GRANT_STATUS_PER_FRAME);
    return mfn == 0 ? 0 : Frame.host(mfn) + <usize>((ref % <u32>GRANT_STATUS_PER_FRAME) * 2);
  }

  /** Address of the active entry of `ref`. */
  active(ref: u32): usize {
    return (
      Frame.host(this.listed(ACTIVE_LIST, ref / ACTIVE_PER_FRAME)) + <usize>((ref % ACTIVE_PER_FRAME) * ACTIVE_SIZE)
    );
  }
}

if (offsetof<GrantTable>("version") != GRANT_HEAD_VERSION || ACTIVE_LIST != GRANT_HEAD_ACTIVE)
  ERROR("GrantTable moved");
if (offsetof<GrantTable>() > SHARED_LIST) ERROR("GrantTable outgrew its place");
if (GRANT_RESERVED_ENTRIES > GRANT_V2_PER_FRAME) ERROR("the reserved entries are in the first frame");

/** Status frames that belong to `shared` shared frames. */
function statusFramesFor(shared: u32): u32 {
  return (shared * <u32>GRANT_V2_PER_FRAME + <u32>GRANT_STATUS_PER_FRAME - 1) / <u32>GRANT_STATUS_PER_FRAME;
}

/** Gives back frames [from, to) of a list. */
function dropListed(t: GrantTable, list: usize, from: u32, to: u32): void {
  for (let i = from; i < to; i++) {
    const mfn = t.listed(list, i);
    t.setListed(list, i, 0);
    if (mfn != 0) freeFrame(mfn);
  }
}

/** Fills places [from, to) of a list; on failure none of them. */
function fillListed(t: GrantTable, list: usize, from: u32, to: u32, owner: u32): bool {
  for (let i = from; i < to; i++) {
    const mfn = allocFrame(owner, owner == OWNER_XEN ? FRAME_XEN_HEAP : FRAME_XEN_HEAP | FRAME_SHOWN);
    if (mfn == 0) {
      dropListed(t, list, from, i);
      return false;
    }
    t.setListed(list, i, mfn);
  }
  return true;
}

export class Grants {
  @inline static lockWord(d: Domain): usize {
    return changetype<usize>(d) + offsetof<Domain>("grantLock");
  }

  @inline static lock(d: Domain): void {
    Lock.acquire(Grants.lockWord(d));
  }

  @inline static unlock(d: Domain): void {
    Lock.release(Grants.lockWord(d));
  }

  /** The table, made now if need be; 0 when there is no memory for it or the domain is dying without one. The caller holds the lock. */
  static table(d: Domain): usize {
    if (d.grantMfn != 0) return Frame.host(d.grantMfn);
    if (d.state != DOMAIN_ALIVE) return 0;
    const head = allocFrame(OWNER_XEN, FRAME_XEN_HEAP);
    if (head == 0) return 0;
    const t = GrantTable.at(head);
    t.version = 1;
    t.maptrackHead = NO_HANDLE;
    t.maptrackTail = NO_HANDLE;
    if (Grants.grow(d, t, 1) != OK) {
      freeFrame(head);
      return 0;
    }
    d.grantMfn = head;
    return changetype<usize>(t);
  }

  /** Frames of entries, without making a table: a new one has one. */
  static frames(d: Domain): u32 {
    return d.grantMfn == 0 ? 1 : GrantTable.at(d.grantMfn).nrFrames;
  }

  static version(d: Domain): u32 {
    return d.grantMfn == 0 ? 1 : GrantTable.at(d.grantMfn).version;
  }

  /** At least `frames` frames of entries. OK, -EINVAL (more than the domain may have), -ENOMEM: then nothing has changed. */
  static grow(d: Domain, t: GrantTable, frames: u32): i32 {
    const old = t.nrFrames;
    if (frames <= old) return OK;
    if (frames > d.grantMaxFrames) return -EINVAL;
    if (!fillListed(t, ACTIVE_LIST, old * ACTIVE_FRAMES, frames * ACTIVE_FRAMES, OWNER_XEN)) return -ENOMEM;
    if (t.version == 2 && Grants.populateStatus(d, t, frames) != OK) {
      dropListed(t, ACTIVE_LIST, old * ACTIVE_FRAMES, frames * ACTIVE_FRAMES);
      return -ENOMEM;
    }
    if (!fillListed(t, SHARED_LIST, old, frames, d.slot)) {
      // Status frames that came too early stay: nothing refers to them, and the next attempt finds them.
      dropListed(t, ACTIVE_LIST, old * ACTIVE_FRAMES, frames * ACTIVE_FRAMES);
      return -ENOMEM;
    }
    t.nrFrames = frames;
    return OK;
  }

  /** The status frames for `frames` frames of entries. */
  static populateStatus(d: Domain, t: GrantTable, frames: u32): i32 {
    const wanted = statusFramesFor(frames);
    if (wanted <= t.nrStatus) return OK;
    if (!fillListed(t, STATUS_LIST, t.nrStatus, wanted, d.slot)) return -ENOMEM;
    t.nrStatus = wanted;
    return OK;
  }

  /** Most status frames that the domain can have. */
  static maxStatus(d: Domain): u32 {
    return statusFramesFor(d.grantMaxFrames);
  }

  /** The domain dies: what it owns goes with its other frames; what others have mapped keeps its active entry. */
  static forgetFrames(d: Domain): void {
    if (d.grantMfn == 0) return;
    const t = GrantTable.at(d.grantMfn);
    dropListed(t, SHARED_LIST, 0, t.nrFrames);
    dropListed(t, STATUS_LIST, 0, t.nrStatus);
  }

  /** Nobody maps anything of it any more: the hypervisor's part goes. */
  static destroy(d: Domain): void {
    if (d.grantMfn == 0) return;
    const t = GrantTable.at(d.grantMfn);
    dropListed(t, ACTIVE_LIST, 0, t.nrFrames * ACTIVE_FRAMES);
    if (t.maptrackRoot != 0) {
      for (let i: u32 = 0; i < t.maptrackFrames; i++)
        freeFrame(load<u32>(Frame.host(t.maptrackRoot) + ((<usize>i) << 2)));
      freeFrame(t.maptrackRoot);
    }
    freeFrame(d.grantMfn);
    d.grantMfn = 0;
  }
}

/** No handle: the end of the queue of free ones, and the answer when there is none. */
export const NO_HANDLE: u32 = 0xffff_ffff;
