/**
 * The one door through which the hypervisor reads and writes frame contents. Writes drop decoded code on the frame
 * (mem/code-pages.ts). `offset` is a byte offset inside the frame, `mfn` a frame of this machine: callers check both.
 */
import { Hv } from "../base/assert";
import { CodePages } from "./code-pages";
import { FRAME_FREE, Frame } from "./frame-table";

const SITE_FRAME_RANGE: u32 = 10;
const SITE_FRAME_FREE: u32 = 14;

export function frameWritten(mfn: u32): void {
  CodePages.invalidate(mfn);
}

class At {
  @inline static byte(mfn: u32, offset: u32): usize {
    Hv.assert(Frame.isValid(mfn) && offset < 4096, SITE_FRAME_RANGE);
    Hv.assert((Frame.at(mfn).flags & FRAME_FREE) == 0, SITE_FRAME_FREE);
    return Frame.host(mfn) + offset;
  }
}

export function frameRead8(mfn: u32, offset: u32): u32 {
  return load<u8>(At.byte(mfn, offset));
}

export function frameRead16(mfn: u32, offset: u32): u32 {
  return load<u16>(At.byte(mfn, offset));
}

export function frameRead32(mfn: u32, offset: u32): u32 {
  return load<u32>(At.byte(mfn, offset));
}

export function frameRead64(mfn: u32, offset: u32): u64 {
  return load<u64>(At.byte(mfn, offset));
}

export function frameWrite8(mfn: u32, offset: u32, value: u32): void {
  store<u8>(At.byte(mfn, offset), <u8>value);
  frameWritten(mfn);
}

export function frameWrite16(mfn: u32, offset: u32, value: u32): void {
  store<u16>(At.byte(mfn, offset), <u16>value);
  frameWritten(mfn);
}

export function frameWrite32(mfn: u32, offset: u32, value: u32): void {
  store<u32>(At.byte(mfn, offset), value);
  frameWritten(mfn);
}

export function frameWrite64(mfn: u32, offset: u32, value: u64): void {
  store<u64>(At.byte(mfn, offset), value);
  frameWritten(mfn);
}
