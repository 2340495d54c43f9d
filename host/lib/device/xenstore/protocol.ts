/** The xenstore wire protocol (spec 08 section 8.8): 16-byte header {type, req id, tx id, length} and a payload of at most 4096 bytes. */
import type { RingLayout } from "../pv-ring.ts";

export const XS_DIRECTORY = 1;
export const XS_READ = 2;
export const XS_GET_PERMS = 3;
export const XS_WATCH = 4;
export const XS_UNWATCH = 5;
export const XS_GET_DOMAIN_PATH = 10;
export const XS_WRITE = 11;
export const XS_MKDIR = 12;
export const XS_RM = 13;
export const XS_WATCH_EVENT = 15;
export const XS_ERROR = 16;
export const XS_IS_DOMAIN_INTRODUCED = 17;
export const XS_RESET_WATCHES = 21;

export const XS_HEADER_BYTES = 16;
export const XS_PAYLOAD_MAX = 4096;

export const STORE_REQUESTS: RingLayout = { data: 0, size: 1024, cons: 2048, prod: 2052 };
export const STORE_REPLIES: RingLayout = { data: 1024, size: 1024, cons: 2056, prod: 2060 };

/** Names that stand in an error reply. */
export type XsError = "EINVAL" | "EACCES" | "EEXIST" | "EISDIR" | "ENOENT" | "ENOMEM" | "ENOSPC" | "ENOSYS" | "E2BIG";

export interface XsMessage {
  readonly type: number;
  readonly request: number;
  readonly transaction: number;
  readonly payload: Uint8Array;
}

export function encodeMessage(message: XsMessage): Uint8Array {
  const bytes = new Uint8Array(XS_HEADER_BYTES + message.payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, message.type, true);
  view.setUint32(4, message.request, true);
  view.setUint32(8, message.transaction, true);
  view.setUint32(12, message.payload.length, true);
  bytes.set(message.payload, XS_HEADER_BYTES);
  return bytes;
}

/** A payload's strings: each ends with a NUL, except perhaps the last one. Latin 1, so that any byte survives. */
export function splitStrings(payload: Uint8Array): string[] {
  const text = latin1(payload);
  const parts = text.split("\0");
  if (parts.at(-1) === "") parts.pop();
  return parts;
}

export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

export function fromLatin1(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0) & 255);
}
