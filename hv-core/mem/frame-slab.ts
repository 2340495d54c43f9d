/**
 * Small objects of the hypervisor in machine frames, as Xen's heap: what exists once a page or once a mapping (reverse maps, grant
 * tables, maptrack) may become as large as the machine, and then no fixed table is right. Frames are taken when the first object
 * needs them and given back with the last one.
 *
 * A class of objects has an id (SLAB_*, one owner each) and one size. Objects never cross a frame; they are known by their linear address.
 * A frame's free objects are linked through their first word; how many are in use and where the first free one is stands in the frame's
 * record, so that objects may fill the frame. In debug and race builds the rest of a free object, behind its first 8 bytes, is poison
 * (base/poison.ts): whoever still writes to it is found when it is handed out, or at the end of a race. Nothing here is a window: no other processor comes in between.
 *
 * Record of a slab frame: typeCount = objects in use, m2p = offset of the first free object (NO_OBJECT = none), next and sharing = the
 * frames after and before it on the list of those with a free object.
 */
import { FRAMES_BASE, PAGE_SHIFT, PAGE_SIZE, SLAB_DESCRIPTORS_BASE } from "../abi/layout";
import { Hv } from "../base/assert";
import { Poison } from "../base/poison";
import { allocFrame, freeFrame } from "./allocator";
import { FRAME_XEN_HEAP, Frame, INVALID_M2P, OWNER_XEN } from "./frame-table";

/** Ids of the classes. */
export const SLAB_SHARE_INFO: u32 = 0;
export const SLAB_RMAP_RECORD: u32 = 1;
export const SLAB_RMAP_BUCKETS: u32 = 2;
export const SLAB_IO_RECORD: u32 = 33;
export const SLAB_IO_PORTS: u32 = 34;
/** Event arrays, and queues of a vCPU, of FIFO event channels (hv/evtchn/fifo.ts). */
export const SLAB_FIFO_ARRAY: u32 = 48;
export const SLAB_FIFO_QUEUES: u32 = 49;
/** Interrupt lines of a domain with an I/O APIC (hv/irq/irq-lines.ts). */
export const SLAB_IRQ_LINES: u32 = 50;
export const NR_SLABS: u32 = 64;

const NO_OBJECT: u64 = 0xffff;

const SITE_SLAB: u32 = 60;
const SITE_OBJECT_USED_AFTER_FREE: u32 = 67;

/** Link of a free object, and what is not poisoned of it. */
const FREE_HEADER: u32 = 8;

@unmanaged
class Slab {
  /** First frame with a free object, 0 = none. */
  partial: u32;
  /** Bytes of an object: a multiple of 8, at most a page. Fixed by the first allocation. */
  bytes: u32;
  frames: u32;
  objects: u32;

  @inline static at(id: u32): Slab {
    return changetype<Slab>(SLAB_DESCRIPTORS_BASE + <usize>id * offsetof<Slab>());
  }
}

function link(slab: Slab, mfn: u32): void {
  const frame = Frame.at(mfn);
  frame.next = slab.partial;
  frame.sharing = 0;
  if (slab.partial != 0) Frame.at(slab.partial).sharing = mfn;
  slab.partial = mfn;
}

function unlink(slab: Slab, mfn: u32): void {
  const frame = Frame.at(mfn);
  if (frame.sharing == 0) slab.partial = frame.next;
  else Frame.at(frame.sharing).next = frame.next;
  if (frame.next != 0) Frame.at(frame.next).sharing = frame.sharing;
  frame.next = 0;
  frame.sharing = 0;
}

/** A frame of free objects, linked in ascending order; 0 when the machine has none left. */
function grow(slab: Slab): u32 {
  const mfn = allocFrame(OWNER_XEN, FRAME_XEN_HEAP);
  if (mfn == 0) return 0;
  const host = Frame.host(mfn);
  const bytes = slab.bytes;
  const last: u32 = (<u32>PAGE_SIZE / bytes - 1) * bytes;
  for (let at: u32 = 0; at <= last; at += bytes) {
    store<u32>(host + at, at == last ? <u32>NO_OBJECT : at + bytes);
    Poison.fill(host + at + FREE_HEADER, bytes - FREE_HEADER);
  }
  Frame.at(mfn).m2p = 0;
  slab.frames++;
  link(slab, mfn);
  return mfn;
}

export class FrameSlab {
  /** A zeroed object of class `id`; its address, or 0 when no frame is left. Every call for one class names the same size. */
  static alloc(id: u32, bytes: u32): u32 {
    const slab = Slab.at(id);
    if (slab.bytes == 0) slab.bytes = bytes;
    Hv.assert(slab.bytes == bytes, SITE_SLAB);
    let mfn = slab.partial;
    if (mfn == 0) {
      mfn = grow(slab);
      if (mfn == 0) return 0;
    }
    const frame = Frame.at(mfn);
    const at = Frame.host(mfn) + <usize>frame.m2p;
    frame.m2p = load<u32>(at);
    store<u32>(at, 0);
    if (isDefined(DEBUG)) {
      Poison.check(at + FREE_HEADER, bytes - FREE_HEADER, SITE_OBJECT_USED_AFTER_FREE);
      memory.fill(at + FREE_HEADER, 0, bytes - FREE_HEADER);
    }
    frame.typeCount++;
    slab.objects++;
    if (frame.m2p == NO_OBJECT) unlink(slab, mfn);
    return <u32>at;
  }

  /** Gives an object back, and its frame when it was the last one there. */
  static free(id: u32, at: u32): void {
    const slab = Slab.at(id);
    const mfn = (at - FRAMES_BASE) >> PAGE_SHIFT;
    const frame = Frame.at(mfn);
    Hv.assertAlways(frame.owner == <u16>OWNER_XEN && frame.typeCount != 0, SITE_SLAB);
    memory.fill(at, 0, slab.bytes);
    Poison.fill(<usize>at + FREE_HEADER, slab.bytes - FREE_HEADER);
    const wasFull = frame.m2p == NO_OBJECT;
    store<u32>(at, <u32>frame.m2p);
    frame.m2p = <u64>(at & (PAGE_SIZE - 1));
    frame.typeCount--;
    slab.objects--;
    if (wasFull) link(slab, mfn);
    if (frame.typeCount != 0) return;
    unlink(slab, mfn);
    frame.m2p = INVALID_M2P;
    slab.frames--;
    freeFrame(mfn);
  }

  /** Objects of the class in use, and frames that hold them. */
  @inline static objects(id: u32): u32 {
    return Slab.at(id).objects;
  }

  @inline static frames(id: u32): u32 {
    return Slab.at(id).frames;
  }
}

if (offsetof<Slab>() != 16) ERROR("Slab is 16 bytes");
