/**
 * Writing guest memory before the guest runs: through a window of foreign mappings in dom0's physmap, 64 pages at a time, as
 * host/lib/toolstack/foreign.ts does. The source is linear memory or, page by page, the guest's file.
 */

import { EIO, OK } from "../abi/errno";
import { PAGE_SHIFT, PAGE_SIZE } from "../abi/layout";
import { dom0Mfn, frameWritten } from "../run/dom0";
import { Dom0 } from "./dom0";
import { System } from "./system";
import { Toolstack } from "./toolstack";

const WINDOW_PAGES: u32 = 64;

export class GuestMemory {
  /** Copies `bytes` bytes to guest-physical `gpa`: from linear memory at `from`, or from the open file when `fd` >= 0. */
  static write(domid: u32, window: u32, gpa: u64, bytes: u64, from: usize, fd: i32, offset: u64): i32 {
    let done: u64 = 0;
    while (done < bytes) {
      const first = (gpa + done) >> PAGE_SHIFT;
      const last = (gpa + bytes - 1) >> PAGE_SHIFT;
      const pages = <u32>min<u64>(WINDOW_PAGES, last - first + 1);
      const error = Toolstack.mapForeign(domid, first, window, pages);
      if (error != OK) return error;
      for (let i: u32 = 0; i < pages; i++) {
        const start = <u32>(gpa + done) & (PAGE_SIZE - 1);
        const length = <u32>min<u64>(<u64>PAGE_SIZE - start, bytes - done);
        const to = Dom0.mapped(window + i) + start;
        if (fd < 0) memory.copy(to, from + <usize>done, length);
        else if (!System.readAt(fd, to, length, offset + done)) return -EIO;
        frameWritten(dom0Mfn(window + i));
        done += length;
      }
      for (let i: u32 = 0; i < pages; i++) {
        const failed = Dom0.unmap(window + i);
        if (failed != OK) return failed;
      }
    }
    return OK;
  }

  static windowPages(): u32 {
    return WINDOW_PAGES;
  }
}
