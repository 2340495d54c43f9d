/** A seeded generator of random numbers (sfc32) and of the values at which arithmetic goes wrong. Same seed, same sequence, everywhere. */

const BOUNDARIES: readonly bigint[] = [
  0n,
  1n,
  2n,
  3n,
  7n,
  8n,
  0xfn,
  0x10n,
  0x1fn,
  0x20n,
  0x3fn,
  0x40n,
  0x7fn,
  0x80n,
  0x81n,
  0xffn,
  0x100n,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x10000n,
  0x7fffffffn,
  0x80000000n,
  0x80000001n,
  0xffffffffn,
  0x100000000n,
  0x7fffffffffffffffn,
  0x8000000000000000n,
  0x8000000000000001n,
  0xfffffffffffffffen,
  0xffffffffffffffffn,
  0xffffffffffff8000n,
  0xffffffff80000000n,
  0xffffffffffffff80n,
  0x5555555555555555n,
  0xaaaaaaaaaaaaaaaan,
  0x0123456789abcdefn,
];

export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter: number;

  constructor(seed: number) {
    this.a = 0x9e3779b9;
    this.b = 0x243f6a88;
    this.c = seed | 0;
    this.counter = 1;
    for (let i = 0; i < 16; i++) this.u32();
  }

  /** 0 .. 2^32 - 1 */
  u32(): number {
    const t = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + t) | 0;
    return t >>> 0;
  }

  /** 0 .. n - 1 */
  below(n: number): number {
    return Math.floor((this.u32() / 0x1_0000_0000) * n);
  }

  /** True in `percent` of 100 calls. */
  chance(percent: number): boolean {
    return this.u32() < (percent / 100) * 0x1_0000_0000;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  u64(): bigint {
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32());
  }

  /** A 64-bit value: boundaries of the operand sizes, small numbers, or anything. */
  value(): bigint {
    const kind = this.below(8);
    if (kind < 4) return this.pick(BOUNDARIES);
    if (kind === 4) return BigInt(this.below(256));
    if (kind === 5) return BigInt(this.u32());
    return this.u64();
  }
}
