/**
 * Who owns the page type ioreq_server, as its lock shows it (Xen: p2m_get_ioreq_server): server and flags belong together, and whoever
 * takes the type away changes both. Written by mem-type.ts. The lock is a leaf: it may be taken under the p2m lock.
 */
import { DMOP_MEM_ACCESS_READ } from "../../abi/hypercalls";
import { Lock } from "../../base/lock";
import { Domain } from "../domain";

@unmanaged
export class TypeOwner {
  @inline static lockOf(d: Domain): usize {
    return changetype<usize>(d) + offsetof<Domain>("p2mIoreqLock");
  }

  /** Server (its address, or NO_SERVER) in the low half, DMOP_MEM_ACCESS_* in the high one. */
  static of(d: Domain): u64 {
    Lock.acquire(TypeOwner.lockOf(d));
    const owner = <u64>d.p2mIoreqServer | ((<u64>d.p2mIoreqFlags) << 32);
    Lock.release(TypeOwner.lockOf(d));
    return owner;
  }

  @inline static server(owner: u64): u32 {
    return <u32>owner;
  }

  @inline static flags(owner: u64): u32 {
    return <u32>(owner >> 32);
  }

  /** Whether reads of pages of the type are the server's as well. */
  static wantsReads(owner: u64): bool {
    return (TypeOwner.flags(owner) & DMOP_MEM_ACCESS_READ) != 0;
  }
}
