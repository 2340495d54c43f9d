/**
 * Which states have been taken, in memory that worker threads share: a hash table of 64-bit keys, open addressing, never emptied.
 * Key 0 means an empty place; a state with that hash counts as one with hash 1.
 */
export interface Claims {
  readonly buffer: SharedArrayBuffer;
  /** @param key sixteen hexadecimal digits. @returns whether the caller is the first. @throws RangeError when the table is full. */
  claim(key: string): boolean;
}

/** Places of the table: at most three quarters of them are used. */
export const CLAIM_PLACES = 1 << 22;

export function createClaims(buffer: SharedArrayBuffer = new SharedArrayBuffer(CLAIM_PLACES * 8)): Claims {
  const places = new BigInt64Array(buffer);
  const mask = places.length - 1;
  const most = Math.floor(places.length * 0.75);
  return {
    buffer,
    claim(key) {
      const value = BigInt.asIntN(64, BigInt(`0x${key}`)) || 1n;
      let at = Number.parseInt(key.slice(8), 16) & mask;
      for (let tried = 0; tried < most; tried++, at = (at + 1) & mask) {
        const there = Atomics.load(places, at);
        if (there === value) return false;
        if (there !== 0n) continue;
        const before = Atomics.compareExchange(places, at, 0n, value);
        if (before === 0n) return true;
        if (before === value) return false;
      }
      throw new RangeError(`more than ${most} states: search with one thread`);
    },
  };
}
