/**
 * Code to throw at the processor: raw noise, noise that is biased towards instructions that exist, and loops of it. What comes out is
 * usually wrong in several ways at once; the only question is whether the core survives. Next: silicon-fuzz.ts, machine-fuzz.ts.
 */
import type { Random } from "../native/random.ts";

/** Opcodes with a ModRM byte, without one but with an immediate, and the privileged and odd ones. */
const WITH_MODRM: readonly number[] = [
  ...[0, 1, 2, 3].flatMap((low) => [0, 1, 2, 3, 4, 5, 6, 7].map((op) => (op << 3) | low)),
  ...[0x63, 0x69, 0x6b, 0x80, 0x81, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f],
  ...[0xc0, 0xc1, 0xc6, 0xc7, 0xd0, 0xd1, 0xd2, 0xd3, 0xf6, 0xf7, 0xfe, 0xff],
];
const WITH_MODRM_0F: readonly number[] = [
  ...[0x00, 0x01, 0x01, 0x0d, 0x18, 0x1f, 0x20, 0x21, 0x22, 0x22, 0x23, 0xa3, 0xa4, 0xa5, 0xab, 0xac, 0xad, 0xae, 0xaf],
  ...[0xb0, 0xb1, 0xb3, 0xb6, 0xb7, 0xb8, 0xba, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf, 0xc0, 0xc1, 0xc3, 0xc7],
  ...Array.from({ length: 16 }, (_, i) => 0x40 + i),
  ...Array.from({ length: 16 }, (_, i) => 0x90 + i),
];
const PLAIN: readonly number[] = [
  ...Array.from({ length: 16 }, (_, i) => 0x50 + i),
  ...[
    0x68, 0x6a, 0x70, 0x74, 0x75, 0x7f, 0x98, 0x99, 0x9a, 0x9c, 0x9d, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
    0xaa, 0xab, 0xae, 0xaf,
  ],
  ...[
    0xb8, 0xc2, 0xc3, 0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xe0, 0xe2, 0xe3, 0xe4, 0xe6, 0xe8, 0xe9, 0xea,
    0xeb, 0xec, 0xee,
  ],
  ...[0xf4, 0xf5, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0x06, 0x07, 0x1e, 0x1f, 0x6c, 0x6d, 0x6e, 0x6f],
];
const PLAIN_0F: readonly number[] = [
  0x05, 0x07, 0x06, 0x08, 0x09, 0x0b, 0x30, 0x31, 0x32, 0x34, 0x35, 0xa0, 0xa1, 0xa2, 0xa8, 0xa9, 0x80, 0x8f, 0xc8,
];
const PREFIXES: readonly number[] = [0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65, 0x66, 0xf3];

/** Bytes that decode to something more often than noise does. */
export function likelyCode(rng: Random, length: number, is64: boolean): Uint8Array {
  const out = new Uint8Array(length + 32);
  let at = 0;
  while (at < length) {
    while (rng.chance(15)) out[at++ % length] = rng.pick(PREFIXES);
    if (is64 && rng.chance(40)) out[at++ % length] = 0x40 + rng.below(16);
    const kind = rng.below(100);
    let hasModrm = false;
    if (kind < 45) {
      out[at++ % length] = rng.pick(WITH_MODRM);
      hasModrm = true;
    } else if (kind < 65) {
      out[at++ % length] = 0x0f;
      out[at++ % length] = rng.pick(WITH_MODRM_0F);
      hasModrm = true;
    } else if (kind < 90) out[at++ % length] = rng.pick(PLAIN);
    else if (kind < 95) {
      out[at++ % length] = 0x0f;
      out[at++ % length] = rng.pick(PLAIN_0F);
    } else out[at++ % length] = rng.below(256);
    if (hasModrm) {
      out[at++ % length] = rng.below(256);
      if (rng.chance(30)) out[at++ % length] = rng.below(256);
    }
    // Short displacements and immediates keep loops inside the code.
    for (let n = rng.pick([0, 0, 1, 1, 4]); n > 0; n--)
      out[at++ % length] = rng.chance(60) ? rng.below(32) - 16 : rng.below(256);
  }
  return out.subarray(0, length);
}

export function noise(rng: Random, length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i++) out[i] = rng.u32() >>> 24;
  return out;
}

export function fuzzCode(rng: Random, length: number, is64: boolean): Uint8Array {
  return rng.chance(25) ? noise(rng, length) : likelyCode(rng, length, is64);
}
