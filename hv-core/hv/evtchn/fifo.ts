/**
 * What the hypervisor keeps about a domain with FIFO event channels: which frames are its event array, and of each vCPU where its
 * control block is and which port is last on each queue. The words and heads themselves are the guest's memory (abi/evtchn-fifo.ts):
 * it may write there what it likes, and hurts nobody but itself.
 *
 * Next: fifo-send.ts (an event), fifo-control.ts (the hypercalls).
 */
import {
  FIFO_HEADS,
  FIFO_LINK_MASK,
  FIFO_MAX_PAGES,
  FIFO_QUEUES,
  FIFO_READY,
  FIFO_WORDS_PER_PAGE,
} from "../../abi/evtchn-fifo";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { Vcpu } from "../vcpu";

/** The event array: its pages in the order they were added. At Domain.evtchnFifo, 0 = two levels. Written under evtchnLock. */
@unmanaged
export class FifoArray {
  pages: u32;
  private _pad: u32;

  @inline static of(d: Domain): FifoArray {
    return changetype<FifoArray>(<usize>d.evtchnFifo);
  }

  @inline mfn(page: u32): u32 {
    return load<u32>(changetype<usize>(this) + offsetof<FifoArray>() + ((<usize>page) << 2));
  }

  @inline setMfn(page: u32, mfn: u32): void {
    store<u32>(changetype<usize>(this) + offsetof<FifoArray>() + ((<usize>page) << 2), mfn);
  }
}

export const FIFO_ARRAY_BYTES: u32 = 8 + <u32>FIFO_MAX_PAGES * 4;

/** The queues of a vCPU. At Vcpu.fifoQueues; it exists for every vCPU of a domain with FIFO channels. Written under evtchnLock. */
@unmanaged
export class FifoQueues {
  /** Frame of the control block, 0 = not mapped yet, and the offset in it. */
  blockMfn: u32;
  blockOffset: u32;

  @inline static of(v: Vcpu): FifoQueues {
    return changetype<FifoQueues>(<usize>v.fifoQueues);
  }

  @inline private get block(): usize {
    return Frame.host(this.blockMfn) + this.blockOffset;
  }

  /** Last port of a queue as the hypervisor knows it; the guest may have taken it off since. 0 = none. */
  @inline tail(queue: u32): u32 {
    return load<u32>(changetype<usize>(this) + offsetof<FifoQueues>() + ((<usize>queue) << 2));
  }

  @inline setTail(queue: u32, port: u32): void {
    store<u32>(changetype<usize>(this) + offsetof<FifoQueues>() + ((<usize>queue) << 2), port);
  }

  @inline setHead(queue: u32, port: u32): void {
    store<u32>(this.block + FIFO_HEADS + ((<usize>queue) << 2), port);
  }

  /** Marks a queue as not empty; true when it was marked before. */
  @inline testAndSetReady(queue: u32): bool {
    const ready = load<u32>(this.block, FIFO_READY);
    store<u32>(this.block, ready | (1 << queue), FIFO_READY);
    return ((ready >> queue) & 1) != 0;
  }
}

export const FIFO_QUEUES_BYTES: u32 = 8 + <u32>FIFO_QUEUES * 4;

if (offsetof<FifoArray>() != 8) ERROR("FifoArray begins with 8 bytes");
if (offsetof<FifoQueues>() != 8) ERROR("FifoQueues begins with 8 bytes");

/** Bits of one event word, each operation as one atomic one. */
export class FifoWord {
  /** Address of a port's word, 0 = its page of the array is not there. The domain has FIFO channels. */
  static of(d: Domain, port: u32): usize {
    const array = FifoArray.of(d);
    const page = port / FIFO_WORDS_PER_PAGE;
    if (page >= array.pages) return 0;
    return Frame.host(array.mfn(page)) + ((<usize>(port % FIFO_WORDS_PER_PAGE)) << 2);
  }

  @inline static has(word: usize, bit: u32): bool {
    return ((load<u32>(word) >> bit) & 1) != 0;
  }

  @inline static testAndSet(word: usize, bit: u32): bool {
    const old = load<u32>(word);
    store<u32>(word, old | ((<u32>1) << bit));
    return ((old >> bit) & 1) != 0;
  }

  @inline static clear(word: usize, bit: u32): void {
    store<u32>(word, load<u32>(word) & ~((<u32>1) << bit));
  }

  /** Nothing runs between the look at LINKED and this, so BUSY never has to be set: it is what Xen sets after four lost tries. */
  @inline static setLink(word: usize, port: u32): void {
    store<u32>(word, (load<u32>(word) & ~(<u32>FIFO_LINK_MASK)) | port);
  }
}
