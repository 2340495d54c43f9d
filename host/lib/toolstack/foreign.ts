/**
 * Guest memory seen through foreign mappings: how the domain builder writes an image and how a debugger looks.
 * A window of dom0 gfns is reused for each piece; after a write the core is told, so that decoded code is dropped.
 */

import { frameAddress } from "../core.ts";
import { allocGfns, type Dom0, unmapGfn } from "../dom0.ts";
import { check } from "../errors.ts";
import type { DomId, Gfn } from "../ids.ts";
import { mapForeign } from "./memory.ts";

const WINDOW_PAGES = 64;

export interface ForeignWindow {
  readonly gfn: Gfn;
  readonly pages: number;
}

export function createForeignWindow(dom0: Dom0): ForeignWindow {
  return { gfn: allocGfns(dom0, WINDOW_PAGES), pages: WINDOW_PAGES };
}

/** Calls `body` for each mapped page of [gpa, gpa + bytes): its linear address, the part's length, and how far we are. */
function eachPart(
  dom0: Dom0,
  window: ForeignWindow,
  domid: DomId,
  gpa: number,
  bytes: number,
  body: (at: number, length: number, done: number) => void,
): void {
  let done = 0;
  while (done < bytes) {
    const first = Math.floor((gpa + done) / 4096);
    const last = Math.floor((gpa + bytes - 1) / 4096);
    const pages = Math.min(window.pages, last - first + 1);
    mapForeign(dom0, domid, first, window.gfn, pages);
    for (let i = 0; i < pages; i++) {
      const mfn = dom0.core.exports.dom0Mfn(window.gfn + i);
      const offset = (gpa + done) % 4096;
      const length = Math.min(4096 - offset, bytes - done);
      body(frameAddress(check(mfn, "dom0Mfn"), offset), length, done);
      dom0.core.exports.frameWritten(mfn);
      done += length;
    }
    for (let i = 0; i < pages; i++) unmapGfn(dom0, (window.gfn + i) as Gfn);
  }
}

/** Copies `data` to guest-physical `gpa`. @throws HvError when a page there is not RAM. */
export function writeGuest(dom0: Dom0, window: ForeignWindow, domid: DomId, gpa: number, data: Uint8Array): void {
  eachPart(dom0, window, domid, gpa, data.length, (at, length, done) =>
    dom0.core.u8.set(data.subarray(done, done + length), at),
  );
}

/** Clears [gpa, gpa + bytes). */
export function zeroGuest(dom0: Dom0, window: ForeignWindow, domid: DomId, gpa: number, bytes: number): void {
  eachPart(dom0, window, domid, gpa, bytes, (at, length) => dom0.core.u8.fill(0, at, at + length));
}

export function readGuest(dom0: Dom0, window: ForeignWindow, domid: DomId, gpa: number, bytes: number): Uint8Array {
  const data = new Uint8Array(bytes);
  eachPart(dom0, window, domid, gpa, bytes, (at, length, done) =>
    data.set(dom0.core.u8.subarray(at, at + length), done),
  );
  return data;
}
