/**
 * What kind of access a request is, in one word (Vcpu.ioKind).
 *
 *   10  9            8                  7..0
 *   df  data is ptr  dir (1 = read)     IOREQ_TYPE_*
 */
import { IOREQ_TYPE_PIO } from "../../abi/ioreq";

export const IO_KIND_READ: u32 = 1 << 8;
export const IO_KIND_PTR: u32 = 1 << 9;
export const IO_KIND_DOWN: u32 = 1 << 10;

export class IoKind {
  @inline static type(kind: u32): u32 {
    return kind & 0xff;
  }

  @inline static isRead(kind: u32): bool {
    return (kind & IO_KIND_READ) != 0;
  }

  /** `data` is the guest-physical address of a buffer, not the value. */
  @inline static isPtr(kind: u32): bool {
    return (kind & IO_KIND_PTR) != 0;
  }

  /** Addresses go down from one element to the next (DF = 1). */
  @inline static isDown(kind: u32): bool {
    return (kind & IO_KIND_DOWN) != 0;
  }

  /** The byte IOREQ_BITS of a slot without its state. */
  @inline static slotBits(kind: u32): u32 {
    return (((kind >> 9) & 1) << 4) | (((kind >> 8) & 1) << 5) | (((kind >> 10) & 1) << 6);
  }

  /** Port writes and requests with a pointer are posted: the instruction does not wait for the answer (spec 03 section 3.5). */
  @inline static needsCompletion(kind: u32): bool {
    return !IoKind.isPtr(kind) && (IoKind.isRead(kind) || IoKind.type(kind) != <u32>IOREQ_TYPE_PIO);
  }
}
