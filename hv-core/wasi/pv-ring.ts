/**
 * A ring between the guest and a back end: free-running indices, masked by the size (spec 08 section 8.8).
 * The guest is not trusted: its index is copied once, and a ring that claims more than it holds is emptied.
 */
export class PvRing {
  /** Bytes waiting; -1 when the indices are impossible. */
  static pending(page: usize, size: u32, cons: usize, prod: usize): i32 {
    const waiting = load<u32>(page + prod) - load<u32>(page + cons);
    return waiting > size ? -1 : <i32>waiting;
  }

  /** Takes the next byte; the caller knows that there is one. */
  static take(page: usize, data: usize, size: u32, cons: usize): u32 {
    const at = load<u32>(page + cons);
    const byte = load<u8>(page + data + (at & (size - 1)));
    store<u32>(page + cons, at + 1);
    return byte;
  }

  /** Puts one byte; false when the ring is full or its indices are impossible. */
  static put(page: usize, data: usize, size: u32, cons: usize, prod: usize, byte: u32): bool {
    const waiting = PvRing.pending(page, size, cons, prod);
    if (waiting < 0 || <u32>waiting == size) return false;
    const at = load<u32>(page + prod);
    store<u8>(page + data + (at & (size - 1)), <u8>byte);
    store<u32>(page + prod, at + 1);
    return true;
  }

  static reset(page: usize, cons: usize, prod: usize): void {
    store<u32>(page + cons, load<u32>(page + prod));
  }
}
