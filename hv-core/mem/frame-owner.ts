/**
 * How many frames each owner has: one record for each domain slot. Written by: mem/allocator.ts only.
 */
import { FRAME_OWNERS_BASE } from "../abi/layout";

export const FRAME_OWNER_SIZE: u32 = 8;

@unmanaged
export class FrameOwner {
  /** Frames that count as the domain's memory: its RAM, but no tables, rings or special pages. */
  counted: u32;
  /** Every frame whose owner is the domain. */
  all: u32;

  @inline static of(slot: u32): FrameOwner {
    return changetype<FrameOwner>(FRAME_OWNERS_BASE + ((<usize>slot) << 3));
  }
}

if (offsetof<FrameOwner>() != <usize>FRAME_OWNER_SIZE) ERROR("FrameOwner is 8 bytes");
