/**
 * Packets of the GDB remote protocol (GDB manual, appendix E): $data#checksum, acknowledged by + or -, and the interrupt byte. What comes in is hostile:
 * a wrong checksum is answered by NAK, what is too long is dropped, bytes between packets are ignored.
 */

/** Bytes that one packet may have, in both directions. */
export const PACKET_BYTES = 0x4000;

const DOLLAR = 0x24;
const HASH = 0x23;
const PLUS = 0x2b;
const MINUS = 0x2d;
const ESCAPE = 0x7d;
const ESCAPE_BIT = 0x20;
const INTERRUPT = 0x03;

/** "bad": a packet with a wrong checksum, or too long; it is to be refused (NAK). */
export type Incoming =
  | { readonly kind: "packet"; readonly data: Uint8Array }
  | { readonly kind: "bad" }
  | { readonly kind: "ack" }
  | { readonly kind: "nak" }
  | { readonly kind: "interrupt" };

/** Cuts a stream of bytes into what it means. */
export interface PacketReader {
  push(bytes: Uint8Array): Incoming[];
}

const hexDigit = (byte: number): number => Number.parseInt(String.fromCharCode(byte), 16);

export function createPacketReader(): PacketReader {
  let state: "outside" | "inside" | "checksum" = "outside";
  let data: number[] = [];
  let sum = 0;
  let isTooLong = false;
  let digits: number[] = [];

  function begin(): void {
    state = "inside";
    data = [];
    sum = 0;
    isTooLong = false;
    digits = [];
  }

  function outside(byte: number, out: Incoming[]): void {
    if (byte === DOLLAR) begin();
    else if (byte === PLUS) out.push({ kind: "ack" });
    else if (byte === MINUS) out.push({ kind: "nak" });
    else if (byte === INTERRUPT) out.push({ kind: "interrupt" });
  }

  function inside(byte: number): void {
    if (byte === HASH) state = "checksum";
    else if (byte === DOLLAR)
      begin(); // the one before was cut off
    else {
      sum = (sum + byte) & 0xff;
      if (data.length < PACKET_BYTES) data.push(byte);
      else isTooLong = true;
    }
  }

  function checksum(byte: number, out: Incoming[]): void {
    digits.push(hexDigit(byte));
    if (digits.length < 2) return;
    state = "outside";
    const isGood = digits[0]! * 16 + digits[1]! === sum && !isTooLong;
    out.push(isGood ? { kind: "packet", data: unescaped(data) } : { kind: "bad" });
  }

  return {
    push(bytes) {
      const out: Incoming[] = [];
      for (const byte of bytes) {
        if (state === "outside") outside(byte, out);
        else if (state === "inside") inside(byte);
        else checksum(byte, out);
      }
      return out;
    },
  };
}

function unescaped(data: readonly number[]): Uint8Array {
  const out: number[] = [];
  for (let i = 0; i < data.length; i++) {
    if (data[i] === ESCAPE && i + 1 < data.length) out.push(data[++i]! ^ ESCAPE_BIT);
    else out.push(data[i]!);
  }
  return Uint8Array.from(out);
}

/** Bytes that must not stand in a packet as they are; * would be a repetition in a reply. */
const SPECIAL = new Set([DOLLAR, HASH, ESCAPE, 0x2a]);

/** A packet with this text; characters are bytes. */
export function encodePacket(text: string): Uint8Array {
  const out = [DOLLAR];
  let sum = 0;
  const put = (byte: number): void => {
    out.push(byte);
    sum = (sum + byte) & 0xff;
  };
  for (let i = 0; i < text.length; i++) {
    const byte = text.charCodeAt(i) & 0xff;
    if (SPECIAL.has(byte)) {
      put(ESCAPE);
      put(byte ^ ESCAPE_BIT);
    } else put(byte);
  }
  out.push(HASH);
  for (const digit of sum.toString(16).padStart(2, "0")) out.push(digit.charCodeAt(0));
  return Uint8Array.from(out);
}

export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Undefined when the text is no whole number of bytes in hexadecimal. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) return undefined;
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
