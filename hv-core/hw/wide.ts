/** 128-bit arithmetic for MUL, IMUL, DIV and IDIV: WebAssembly has none. Pure functions. */
export class Wide {
  /** Upper half of the unsigned product. */
  static mulHigh(a: u64, b: u64): u64 {
    const aLow = a & 0xffff_ffff;
    const aHigh = a >> 32;
    const bLow = b & 0xffff_ffff;
    const bHigh = b >> 32;
    const middle = aHigh * bLow + ((aLow * bLow) >> 32);
    const other = aLow * bHigh + (middle & 0xffff_ffff);
    return aHigh * bHigh + (middle >> 32) + (other >> 32);
  }

  /** Upper half of the signed product. */
  static mulHighSigned(a: i64, b: i64): u64 {
    let high = Wide.mulHigh(<u64>a, <u64>b);
    if (a < 0) high -= <u64>b;
    if (b < 0) high -= <u64>a;
    return high;
  }

  /** high:low / divisor; the caller has made sure that high < divisor, so the quotient fits. */
  static divide(high: u64, low: u64, divisor: u64): u64 {
    if (high == 0) return low / divisor;
    let remainder = high;
    let quotient = low;
    for (let i: u32 = 0; i < 64; i++) {
      const carry = remainder >> 63;
      remainder = (remainder << 1) | (quotient >> 63);
      quotient <<= 1;
      if (carry != 0 || remainder >= divisor) {
        remainder -= divisor;
        quotient |= 1;
      }
    }
    return quotient;
  }
}
