/**
 * An event on a FIFO channel: PENDING, then, where the port is not masked and on no queue, to the end of the queue of its priority on
 * the vCPU that is told. The guest takes ports from the front and clears LINKED; a queue whose last port it took has a tail that is not LINKED.
 */
import { FIFO_LINKED, FIFO_MASKED, FIFO_PENDING } from "../../abi/evtchn-fifo";
import { TRC_EVTCHN_PENDING } from "../../abi/trace-events";
import { Trace } from "../../base/trace";
import { Domain } from "../domain";
import { Vcpu } from "../vcpu";
import { FifoQueues, FifoWord } from "./fifo";
import { Port, portAt } from "./port";
import { markEventsPending, wakePollers } from "./upcall";

/** A port that was once the last of a queue is about to be linked anew: there it must not be taken for the tail any more. */
function leaveOldQueue(d: Domain, p: Port, port: u32): void {
  const old = FifoQueues.of(Vcpu.at(d.firstVcpu + p.lastVcpu));
  if (old.tail(p.lastPriority) == port) old.setTail(p.lastPriority, 0);
}

/** Puts a port on its queue. The queue counts as empty when its tail is no longer LINKED: the head is written then. */
function link(d: Domain, v: Vcpu, p: Port, port: u32): void {
  const queues = FifoQueues.of(v);
  const queue: u32 = p.priority;
  leaveOldQueue(d, p, port);
  p.lastVcpu = <u8>v.id;
  p.lastPriority = p.priority;
  const tail = queues.tail(queue);
  const tailWord = tail != 0 ? FifoWord.of(d, tail) : 0;
  const isLinked = tailWord != 0 && FifoWord.has(tailWord, FIFO_LINKED);
  if (isLinked) FifoWord.setLink(tailWord, port);
  else queues.setHead(queue, port);
  queues.setTail(queue, port);
  if (!isLinked && !queues.testAndSetReady(queue)) markEventsPending(v);
}

/** Raises `port` for vCPU `v`. Without a page of the array for it the event is kept until there is one. */
export function fifoSetPending(d: Domain, v: Vcpu, port: u32): void {
  const p = portAt(d, port);
  const word = FifoWord.of(d, port);
  if (word == 0) {
    p.isSaved = 1;
    return;
  }
  const wasPending = FifoWord.testAndSet(word, FIFO_PENDING);
  if (!wasPending) Trace.event(TRC_EVTCHN_PENDING, v.slot, d.domid, port, 0);
  // A guest must not unmask anything before it has a control block: without one the event is only pending.
  if (FifoQueues.of(v).blockMfn != 0 && !FifoWord.has(word, FIFO_MASKED) && !FifoWord.testAndSet(word, FIFO_LINKED))
    link(d, v, p, port);
  if (!wasPending) wakePollers(d, port);
}

/** Clears the mask; what was pending behind it goes to its queue. */
export function fifoUnmask(d: Domain, v: Vcpu, port: u32): void {
  const word = FifoWord.of(d, port);
  if (word == 0) return;
  FifoWord.clear(word, FIFO_MASKED);
  if (FifoWord.has(word, FIFO_PENDING)) fifoSetPending(d, v, port);
}

/** The port may stay on its queue: the guest takes it off and finds nothing pending. */
export function fifoClearPending(d: Domain, port: u32): void {
  portAt(d, port).isSaved = 0;
  const word = FifoWord.of(d, port);
  if (word != 0) FifoWord.clear(word, FIFO_PENDING);
}

export function isFifoPending(d: Domain, port: u32): bool {
  const word = FifoWord.of(d, port);
  return word != 0 && FifoWord.has(word, FIFO_PENDING);
}
