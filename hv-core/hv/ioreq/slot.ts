/**
 * A vCPU's slot in the synchronous page (spec 03 section 3.3). The device model can write every byte of it at any time:
 * each field is read once, and what was read is checked.
 */
import { IOREQ_BITS, IOREQ_SIZE, STATE_IOREQ_NONE } from "../../abi/ioreq";
import { Frame } from "../../mem/frame-table";
import { IoreqServer } from "./server";

const STATE_MASK: u32 = 15;

export class Slot {
  /** Where the slot of vCPU `id` is; the server must have its page. */
  @inline static at(s: IoreqServer, id: u32): usize {
    return Frame.host(s.syncMfn) + <usize>id * IOREQ_SIZE;
  }

  @inline static state(slot: usize): u32 {
    return load<u8>(slot, IOREQ_BITS) & STATE_MASK;
  }

  /** Changes the state and leaves the other bits of the byte alone. */
  @inline static setState(slot: usize, state: u32): void {
    store<u8>(slot, (load<u8>(slot, IOREQ_BITS) & ~STATE_MASK) | state, IOREQ_BITS);
  }

  @inline static isFree(slot: usize): bool {
    return Slot.state(slot) == <u32>STATE_IOREQ_NONE;
  }
}
