/**
 * A read-only xenstore: what a guest reads to learn who it is (domid, memory, console and store). Requests other than XS_READ
 * answer ENOSYS; the full one is host/lib/device/xenstore. Protocol: spec 08 section 8.8.
 */

import { CONSOLE_GFN, STORE_GFN } from "./build";
import { Dom0 } from "./dom0";
import { Guest } from "./guest";
import { Options } from "./options";
import { PvRing } from "./pv-ring";
import { GUEST_BASE } from "./state";

const SIZE: u32 = 1024;
const REQ_CONS: usize = 2048;
const REQ_PROD: usize = 2052;
const RSP_DATA: usize = 1024;
const RSP_CONS: usize = 2056;
const RSP_PROD: usize = 2060;

const XS_READ: u32 = 2;
const XS_ERROR: u32 = 16;
const HEADER: u32 = 16;

/** One request being assembled: count, then the bytes. Requests longer than the ring answer E2BIG. */
const COUNT: usize = GUEST_BASE + 64;
const REQUEST: usize = GUEST_BASE + 128;
const REQUEST_MAX: u32 = HEADER + SIZE;
/** The reply's payload while it is put together. */
const REPLY: usize = GUEST_BASE + 2048;

class Reply {
  @inline static get length(): u32 {
    return load<u32>(COUNT, 4);
  }

  static add(byte: u32): void {
    const length = Reply.length;
    if (length < 512) {
      store<u8>(REPLY + length, <u8>byte);
      store<u32>(COUNT, length + 1, 4);
    }
  }

  static text(text: string): void {
    for (let i = 0; i < text.length; i++) Reply.add(load<u16>(changetype<usize>(text) + ((<usize>i) << 1)));
  }

  static decimal(value: u64): void {
    if (value >= 10) Reply.decimal(value / 10);
    Reply.add(0x30 + <u32>(value % 10));
  }

  static clear(): void {
    store<u32>(COUNT, 0, 4);
  }
}

/** Whether the path in the request is `name`, relative to the domain's directory or below /local/domain/<domid>. */
function isKey(name: string): bool {
  let at = REQUEST + HEADER;
  if (load<u8>(at) == 0x2f) {
    const prefix = "/local/domain/";
    for (let i = 0; i < prefix.length; i++) {
      if (load<u8>(at) != <u8>load<u16>(changetype<usize>(prefix) + ((<usize>i) << 1))) return false;
      at++;
    }
    let domid: u32 = 0;
    while (load<u8>(at) >= 0x30 && load<u8>(at) <= 0x39) domid = domid * 10 + (load<u8>(at++) - 0x30);
    if (domid != Guest.get().domid || load<u8>(at) != 0x2f) return false;
    at++;
  }
  for (let i = 0; i < name.length; i++) {
    if (load<u8>(at + i) != <u8>load<u16>(changetype<usize>(name) + ((<usize>i) << 1))) return false;
  }
  return load<u8>(at + name.length) == 0;
}

/** Puts the value of the key asked for into the reply; false when there is no such key. */
function readValue(): bool {
  const g = Guest.get();
  if (isKey("domid")) Reply.decimal(g.domid);
  else if (isKey("name")) Reply.text("guest");
  else if (isKey("memory/target") || isKey("memory/static-max")) Reply.decimal(Options.get().memoryBytes >> 10);
  else if (isKey("store/port")) Reply.decimal(g.storePort);
  else if (isKey("store/ring-ref")) Reply.decimal(STORE_GFN);
  else if (isKey("console/port")) Reply.decimal(g.consolePort);
  else if (isKey("console/ring-ref")) Reply.decimal(CONSOLE_GFN);
  else if (isKey("console/type")) Reply.text("xenconsoled");
  else if (isKey("console/limit")) Reply.text("1048576");
  else return false;
  return true;
}

function put(page: usize, byte: u32): void {
  PvRing.put(page, RSP_DATA, SIZE, RSP_CONS, RSP_PROD, byte);
}

function send(page: usize, type: u32): void {
  const length = Reply.length;
  store<u32>(REQUEST, type);
  store<u32>(REQUEST, length, 12);
  for (let i: u32 = 0; i < HEADER; i++) put(page, load<u8>(REQUEST + i));
  for (let i: u32 = 0; i < length; i++) put(page, load<u8>(REPLY + i));
}

function answer(page: usize): void {
  Reply.clear();
  const isTooLong = load<u32>(REQUEST, 12) > SIZE;
  if (!isTooLong && load<u32>(REQUEST) == XS_READ && readValue()) {
    send(page, XS_READ);
    return;
  }
  Reply.clear();
  Reply.text(isTooLong ? "E2BIG" : load<u32>(REQUEST) == XS_READ ? "ENOENT" : "ENOSYS");
  Reply.add(0);
  send(page, XS_ERROR);
}

/** Handles every complete request in the ring. */
export function serveStore(): void {
  const g = Guest.get();
  const page = <usize>g.storePage;
  let waiting = PvRing.pending(page, SIZE, REQ_CONS, REQ_PROD);
  if (waiting < 0) {
    PvRing.reset(page, REQ_CONS, REQ_PROD);
    return;
  }
  const hasMoved = waiting > 0;
  while (waiting-- > 0) {
    let count = load<u32>(COUNT);
    store<u8>(REQUEST + count, <u8>PvRing.take(page, 0, SIZE, REQ_CONS));
    store<u32>(COUNT, ++count);
    const length = count < HEADER ? 0 : min<u32>(load<u32>(REQUEST, 12), SIZE);
    if (count < HEADER + length || count < HEADER) continue;
    if (count < REQUEST_MAX) store<u8>(REQUEST + count, 0); // a path without its NUL ends here
    answer(page);
    store<u32>(COUNT, 0);
  }
  if (hasMoved) Dom0.send(g.storeLocalPort);
}
