/** Benchmark build: what a check of a port costs, and what counting mapped frames costs in each way (bench/suites/io-account.ts). */
import "../base/abort";
import { KNOB_IO_ACCOUNT } from "../abi/knobs";
import {
  FRAME_TABLE_BASE,
  IO_STATE_BASE,
  IO_STATE_SIZE,
  MACHINE_BASE,
  MACHINE_SIZE,
  PAGE_SIZE,
  RANGE_NODE_SIZE,
  RANGE_NODES_BASE,
} from "../abi/layout";
import { Knobs } from "../base/machine";
import { Counts } from "../hv/iocap/account/counts";
import { Accountant } from "../hv/iocap/account/tracker";
import { IO_FRAME, IO_PORT } from "../hv/iocap/io-state";
import { RANGES_UNLIMITED, Rangeset } from "../hv/iocap/rangeset";
import { allocatorInit, allocFrame } from "../mem/allocator";
import { Frame, OWNER_XEN } from "../mem/frame-table";

const PORTS: u32 = 0x1_0000;
const HOLDER: u32 = 2;
const FRAMES_EACH: u32 = 15;
/** Steps through the ports so that neighbours are not asked one after the other. */
const STRIDE: u32 = 40_503;

/** A machine of `frames` frames, all untouched, that counts in the way `method`. */
export function benchCreate(frames: u32, method: u32): void {
  memory.fill(MACHINE_BASE, 0, MACHINE_SIZE);
  memory.fill(FRAME_TABLE_BASE, 0, frames * 32);
  memory.fill(IO_STATE_BASE, 0, IO_STATE_SIZE);
  memory.fill(RANGE_NODES_BASE, 0, RANGE_NODE_SIZE * 65536);
  allocatorInit(frames);
  Knobs.set(KNOB_IO_ACCOUNT, method);
}

/** The ports as `ranges` ranges with gaps of one port; @returns a rangeset of them, which the accountant has granted to the holder, too. */
export function benchPorts(ranges: u32): u32 {
  const set = Rangeset.create(RANGES_UNLIMITED);
  const size = PORTS / ranges;
  for (let i: u32 = 0; i < ranges; i++) {
    const first = i * size;
    const last = ranges == 1 ? first + size - 1 : first + size - 2;
    Rangeset.add(set, first, last);
    Accountant.grant(IO_PORT, HOLDER, first, last, false);
  }
  return set;
}

/** The same for frames from `first` on: `ranges` ranges of FRAMES_EACH frames with gaps of one. */
export function benchFrames(first: u32, ranges: u32): u32 {
  const set = Rangeset.create(RANGES_UNLIMITED);
  for (let i: u32 = 0; i < ranges; i++) {
    const start = <u64>first + <u64>i * (FRAMES_EACH + 1);
    Rangeset.add(set, start, start + FRAMES_EACH - 1);
    Accountant.grant(IO_FRAME, HOLDER, start, start + FRAMES_EACH - 1, false);
  }
  return set;
}

/** `n` checks of single frames; @returns how many are allowed. */
export function checkFrames(set: u32, first: u32, ranges: u32, n: u32, withAccountant: u32): u32 {
  const span = ranges * (FRAMES_EACH + 1);
  let at: u32 = 0;
  let allowed: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    at = (at + STRIDE) % span;
    const mfn = <u64>first + at;
    if (!Rangeset.contains(set, mfn, mfn)) continue;
    if (withAccountant == 0 || Accountant.mayUse(IO_FRAME, HOLDER, mfn, mfn)) allowed++;
  }
  return allowed;
}

/** The same ports as a bitmap: the mfn of its first frame. */
export function benchBitmap(set: u32): u32 {
  const mfn = allocFrame(OWNER_XEN, 0);
  allocFrame(OWNER_XEN, 0);
  memory.fill(Frame.host(mfn), 0xff, PAGE_SIZE * 2);
  for (let port: u32 = 0; port < PORTS; port++) {
    if (!Rangeset.contains(set, port, port)) continue;
    const at = Frame.host(mfn) + (port >> 3);
    store<u8>(at, load<u8>(at) & ~(<u8>((<u32>1) << (port & 7))));
  }
  return mfn;
}

/** `n` checks of single ports in each way; @returns how many are allowed, so that nothing is optimised away. */
export function checkBitmap(bitmap: u32, n: u32): u32 {
  const bits = Frame.host(bitmap);
  let denied: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const port = (i * STRIDE) & (PORTS - 1);
    denied += (<u32>load<u8>(bits + (port >> 3)) >> (port & 7)) & 1; // no branch, as the C twin compiles to
  }
  return n - denied;
}

export function checkRangeset(set: u32, n: u32): u32 {
  let allowed: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const port = <u64>((i * STRIDE) & (PORTS - 1));
    if (Rangeset.contains(set, port, port)) allowed++;
  }
  return allowed;
}

/** As the hypervisor does it: the rangeset first, then the accountant. */
export function checkAccountant(set: u32, n: u32): u32 {
  let allowed: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const port = <u64>((i * STRIDE) & (PORTS - 1));
    if (Rangeset.contains(set, port, port) && Accountant.mayUse(IO_PORT, HOLDER, port, port)) allowed++;
  }
  return allowed;
}

/** Counts `n` frames as mapped, every `step`-th one from `first` on. @returns 0, or the errno of the first that fails. */
export function countFrames(first: u32, n: u32, step: u32): i32 {
  if (step == 1) return Counts.add(first, <u64>first + n - 1, HOLDER);
  for (let i: u32 = 0; i < n; i++) {
    const rc = Counts.add(<u64>first + i * step, <u64>first + i * step, HOLDER);
    if (rc != 0) return rc;
  }
  return 0;
}

export function uncountFrames(first: u32, n: u32, step: u32): void {
  if (step == 1) Counts.drop(first, <u64>first + n - 1, HOLDER);
  else for (let i: u32 = 0; i < n; i++) Counts.drop(<u64>first + i * step, <u64>first + i * step, HOLDER);
}

export function countBytes(): u32 {
  return Counts.bytes();
}
