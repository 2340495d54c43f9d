/** Unit-test build: small objects in machine frames. */
import { FRAME_TABLE_BASE, MACHINE_BASE } from "../abi/layout";
import { allocatorInit, freeFrames } from "../mem/allocator";
import { FrameSlab } from "../mem/frame-slab";

export { hvAbort } from "../base/abort";

export function start(frames: u32): void {
  memory.fill(MACHINE_BASE, 0, FRAME_TABLE_BASE + <usize>frames * 32 - MACHINE_BASE);
  allocatorInit(frames);
}

export function alloc(id: u32, bytes: u32): u32 {
  return FrameSlab.alloc(id, bytes);
}

export function free(id: u32, at: u32): void {
  FrameSlab.free(id, at);
}

export function objects(id: u32): u32 {
  return FrameSlab.objects(id);
}

export function frames(id: u32): u32 {
  return FrameSlab.frames(id);
}

export function available(): u32 {
  return freeFrames();
}
