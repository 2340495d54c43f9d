/**
 * What the hypervisor remembers about a grant entry in use: who uses it, how often, and which frame that is. From the first use to
 * the last only this counts; the guest may write to its entry what it likes.
 *
 * pin: four counters of 8 bits: 7:0 mapped writable, 15:8 mapped read-only, 31:16 the same for devices (PV only, always 0 here).
 */
import { GRANT_ACTIVE_MFN, GRANT_ACTIVE_PIN, GRANT_ACTIVE_SIZE } from "../../abi/domain";
import { ACTIVE_SIZE, GrantTable } from "./table";

export const PIN_WRITE: u32 = 1;
export const PIN_READ: u32 = 0x100;
/** A counter with its highest bit set takes no more. */
const OVERFLOW_SHIFT: u32 = 7;

@unmanaged
export class Active {
  pin: u32;
  /** Domain that may use it. */
  domid: u16;
  /** Only bytes [start, start + length) of the frame; such an entry cannot be mapped. */
  isSubPage: u8;
  private _pad: u8;
  start: u16;
  length: u16;
  mfn: u32;
  /** Where the frame comes from: domid and reference of the last link; the entry itself unless it is transitive. */
  transDomid: u32;
  transRef: u32;
  gfn: u64;

  @inline static of(t: GrantTable, ref: u32): Active {
    return changetype<Active>(t.active(ref));
  }

  @inline get isWritten(): bool {
    return (this.pin & 0xff) != 0;
  }

  /** Whether one more use by `domid` fits: another user, or a full counter, is refused. */
  @inline admits(domid: u32, isReadOnly: bool): bool {
    const full = (isReadOnly ? PIN_READ : PIN_WRITE) << OVERFLOW_SHIFT;
    return this.pin == 0 || (<u32>this.domid == domid && (this.pin & full) == 0);
  }

  add(t: GrantTable, isReadOnly: bool): void {
    if (this.pin == 0) t.pinned++;
    this.pin += isReadOnly ? PIN_READ : PIN_WRITE;
  }

  remove(t: GrantTable, isReadOnly: bool): void {
    this.pin -= isReadOnly ? PIN_READ : PIN_WRITE;
    if (this.pin == 0) t.pinned--;
  }
}

if (offsetof<Active>("pin") != GRANT_ACTIVE_PIN || offsetof<Active>("mfn") != GRANT_ACTIVE_MFN) ERROR("Active moved");
if (ACTIVE_SIZE != GRANT_ACTIVE_SIZE) ERROR("Active has another size for the host");
if (offsetof<Active>() != <usize>ACTIVE_SIZE) ERROR("Active is 32 bytes");
