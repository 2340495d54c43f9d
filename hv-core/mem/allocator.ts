/**
 * Machine frames: who gets one and when it goes back.
 *
 * A frame lives as long as somebody holds a reference. The owner's own one (FRAME_ALLOCATED) is taken here and dropped by
 * `freeFrame`; mappings by other domains hold more (`getPage`, `putPage`). Frames never handed out lie above Machine.frameMark,
 * returned ones on a list through Frame.next. Next: mem/frame-table.ts, mem/frame-access.ts.
 */
import { CTR_FRAMES_ALLOCATED } from "../abi/counters";
import { FRESH_FRAMES_MARK, PAGE_SIZE } from "../abi/layout";
import { Hv } from "../base/assert";
import { Count } from "../base/counters";
import { Machine } from "../base/machine";
import { Poison } from "../base/poison";
import { CodePages } from "./code-pages";
import { FrameOwner } from "./frame-owner";
import {
  FRAME_ALLOCATED,
  FRAME_EXTRA,
  FRAME_FREE,
  FRAME_TABLE,
  FRAME_XEN_HEAP,
  Frame,
  INVALID_M2P,
  OWNER_COW,
  OWNER_NONE,
} from "./frame-table";

const SITE_PUT_FREE: u32 = 11;
const SITE_OWNER_COUNT: u32 = 12;
const SITE_FRAME_USED_AFTER_FREE: u32 = 13;
/** More references than this and getPage refuses: the count cannot wrap. */
const MAX_REFS: u32 = 0x7fff_ffff;

class Owners {
  @inline static isDomain(owner: u32): bool {
    return owner < OWNER_COW;
  }

  /** Frames that are part of a domain's memory reservation. */
  @inline static counts(flags: u16): bool {
    return (flags & (FRAME_XEN_HEAP | FRAME_EXTRA | FRAME_TABLE)) == 0;
  }

  static charge(owner: u32, flags: u16): void {
    if (!Owners.isDomain(owner)) return;
    const account = FrameOwner.of(owner);
    account.all++;
    if (Owners.counts(flags)) account.counted++;
  }

  static discharge(owner: u32, flags: u16): void {
    if (!Owners.isDomain(owner)) return;
    const account = FrameOwner.of(owner);
    Hv.assert(account.all > 0, SITE_OWNER_COUNT);
    account.all--;
    if (Owners.counts(flags)) account.counted--;
  }
}

function pushFree(mfn: u32): void {
  const m = Machine.get();
  const frame = Frame.at(mfn);
  frame.owner = <u16>OWNER_NONE;
  frame.flags = FRAME_FREE;
  frame.refs = 0;
  frame.next = m.freeHead;
  m.freeHead = mfn;
  m.freeCount++;
  if (isDefined(DEBUG)) poison(mfn);
}

function poison(mfn: u32): void {
  Poison.fill(Frame.host(mfn), PAGE_SIZE);
  const fresh = load<u32>(FRESH_FRAMES_MARK);
  if (fresh != 0 && fresh <= mfn) store<u32>(FRESH_FRAMES_MARK, mfn + 1);
}

/** Contents are zero afterwards. Frames that nobody ever wrote need no clearing (fresh memory is zero). */
function clearFrames(mfn: u32, count: u32): void {
  const fresh = load<u32>(FRESH_FRAMES_MARK);
  const end = mfn + count;
  const dirty = fresh == 0 || fresh >= end ? end : fresh > mfn ? fresh : mfn;
  if (dirty > mfn) memory.fill(Frame.host(mfn), 0, <usize>(dirty - mfn) * PAGE_SIZE);
  if (fresh != 0 && fresh < end) store<u32>(FRESH_FRAMES_MARK, end);
}

function claim(mfn: u32, owner: u32, flags: u16): void {
  Count.one(CTR_FRAMES_ALLOCATED);
  const frame = Frame.at(mfn);
  frame.owner = <u16>owner;
  frame.flags = flags | FRAME_ALLOCATED;
  frame.refs = 1;
  frame.typeCount = 0;
  frame.lock = 0;
  frame.m2p = INVALID_M2P;
  frame.next = 0;
  frame.sharing = 0;
  Owners.charge(owner, flags);
}

/** Called once per machine: frame 0 is the hypervisor's and is never handed out. */
export function allocatorInit(frameCount: u32): void {
  const m = Machine.get();
  m.frameCount = frameCount;
  m.frameMark = 1;
  m.freeHead = 0;
  m.freeCount = 0;
}

/** One zeroed frame with one reference for `owner` (a domain slot or OWNER_*); 0 when memory is used up. */
export function allocFrame(owner: u32, flags: u16): u32 {
  const m = Machine.get();
  let mfn = m.freeHead;
  if (mfn != 0) {
    m.freeHead = Frame.at(mfn).next;
    m.freeCount--;
    Poison.check(Frame.host(mfn), PAGE_SIZE, SITE_FRAME_USED_AFTER_FREE);
  } else if (m.frameMark < m.frameCount) {
    mfn = m.frameMark++;
  } else {
    return 0;
  }
  clearFrames(mfn, 1);
  claim(mfn, owner, flags);
  return mfn;
}

/**
 * 2^order contiguous zeroed frames aligned to their size; 0 when there is no such run above the frames ever used
 * (returned frames are not joined again: callers fall back to single frames).
 */
export function allocExtent(owner: u32, flags: u16, order: u32): u32 {
  if (order == 0) return allocFrame(owner, flags);
  const m = Machine.get();
  if (order > 20) return 0;
  const size: u32 = 1 << order;
  const start = (m.frameMark + size - 1) & ~(size - 1);
  if (start < m.frameMark || start > m.frameCount || m.frameCount - start < size) return 0;
  for (let skipped = start; skipped > m.frameMark; skipped--) pushFree(skipped - 1);
  m.frameMark = start + size;
  clearFrames(start, size);
  for (let i: u32 = 0; i < size; i++) claim(start + i, owner, flags);
  return start;
}

/** Frames that could still be handed out. */
export function freeFrames(): u32 {
  const m = Machine.get();
  return m.freeCount + (m.frameCount - m.frameMark);
}

/** Takes a reference; false when the frame does not exist or nobody holds it. */
export function getPage(mfn: u32): bool {
  if (!Frame.isValid(mfn)) return false;
  const frame = Frame.at(mfn);
  if (frame.refs == 0 || frame.refs >= MAX_REFS) return false;
  frame.refs++;
  return true;
}

/** Drops a reference; the last one gives the frame back. */
export function putPage(mfn: u32): void {
  const frame = Frame.at(mfn);
  Hv.assertAlways(frame.refs != 0, SITE_PUT_FREE);
  frame.refs--;
  if (frame.refs != 0) return;
  CodePages.invalidate(mfn);
  Owners.discharge(frame.owner, frame.flags);
  pushFree(mfn);
}

/** Drops the owner's own reference, once. */
export function freeFrame(mfn: u32): void {
  const frame = Frame.at(mfn);
  if ((frame.flags & FRAME_ALLOCATED) == 0) return;
  frame.flags &= ~FRAME_ALLOCATED;
  putPage(mfn);
}
