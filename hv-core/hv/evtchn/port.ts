/**
 * Event channel ports: 16 bytes each, 256 in a frame (a bucket). Bucket 0 exists from creation. Two levels have room for sixteen buckets,
 * whose frames stand in the domain's record; FIFO channels for 512: those from 16 on stand in a frame of their own.
 * Next: evtchn/pending.ts (what an event does), evtchn/bind.ts (how ports are connected).
 */

import { ENOMEM, ENOSPC, OK } from "../../abi/errno";
import { FIFO_LINKED, FIFO_MAX_PORTS, FIFO_PRIORITY_DEFAULT } from "../../abi/evtchn-fifo";
import { EVTCHNSTAT_CLOSED } from "../../abi/hypercalls";
import { allocFrame } from "../../mem/allocator";
import { FRAME_XEN_HEAP, Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { FifoWord } from "./fifo";

/** States: the numbers of EVTCHNSTAT_*; 0 = free. */
export const PORTS_PER_BUCKET: u32 = 256;
const BUCKETS: u32 = <u32>FIFO_MAX_PORTS / PORTS_PER_BUCKET;
const BUCKETS_IN_DOMAIN: u32 = 16;

@unmanaged
export class Port {
  /** EVTCHNSTAT_*. */
  state: u8;
  /** Not 0 = the local end is the hypervisor (1 + what evtchn/xen-port.ts calls the consumer): the guest can neither close nor send nor unmask it. */
  isXen: u8;
  /** vCPU id that is told. */
  vcpuId: u16;
  /** Unbound and interdomain: the other side's domain id. */
  remoteDomid: u32;
  /** Interdomain: its port. VIRQ: the number. */
  remotePort: u32;
  // FIFO channels only (evtchn/fifo-send.ts): an event came while the port had no word; its queue; the queue it was linked to last.
  isSaved: u8;
  priority: u8;
  lastVcpu: u8;
  lastPriority: u8;
}

if (offsetof<Port>() != 16) ERROR("Port is 16 bytes");

class Buckets {
  /** Where the frame of a bucket stands; 0 when there is no place for it yet. */
  static word(d: Domain, bucket: u32): usize {
    if (bucket < BUCKETS_IN_DOMAIN)
      return changetype<usize>(d) + offsetof<Domain>("evtchnBucket0") + ((<usize>bucket) << 2);
    if (d.evtchnMoreMfn == 0) return 0;
    return Frame.host(d.evtchnMoreMfn) + ((<usize>(bucket - BUCKETS_IN_DOMAIN)) << 2);
  }
}

/** Ports that the layout can hold. Two levels: one word of selector bits, each for one word of ports. */
export function portLimit(d: Domain): u32 {
  const words: u32 = d.evtchnFifo != 0 ? FIFO_MAX_PORTS : d.is64 != 0 ? 4096 : 1024;
  return d.maxEvtchnPort < words ? d.maxEvtchnPort + 1 : words;
}

/** Ports that exist (are backed by a bucket), used or not. */
export function isPortValid(d: Domain, port: u32): bool {
  if (port >= PORTS_PER_BUCKET * BUCKETS) return false;
  const word = Buckets.word(d, port >> 8);
  return word != 0 && load<u32>(word) != 0;
}

/** The record of a valid port. */
export function portAt(d: Domain, port: u32): Port {
  return changetype<Port>(Frame.host(load<u32>(Buckets.word(d, port >> 8))) + ((<usize>(port & 255)) << 4));
}

function addBucket(d: Domain, bucket: u32): i32 {
  if (Buckets.word(d, bucket) == 0) {
    d.evtchnMoreMfn = allocFrame(d.slot, FRAME_XEN_HEAP);
    if (d.evtchnMoreMfn == 0) return -ENOMEM;
  }
  const mfn = allocFrame(d.slot, FRAME_XEN_HEAP);
  if (mfn == 0) return -ENOMEM;
  store<u32>(Buckets.word(d, bucket), mfn);
  for (let i: u32 = 0; i < PORTS_PER_BUCKET; i++) portReset(portAt(d, (bucket << 8) + i));
  return OK;
}

export function portsInit(d: Domain): i32 {
  return addBucket(d, 0);
}

/** The buckets go with the domain's frames. */
export function portsForget(d: Domain): void {
  for (let bucket: u32 = 0; bucket < BUCKETS_IN_DOMAIN; bucket++) store<u32>(Buckets.word(d, bucket), 0);
  d.evtchnMoreMfn = 0;
}

/**
 * The lowest free port (never 0) or -ENOSPC, -ENOMEM. It stays free until the caller gives it a state. A closed FIFO port that the guest
 * has not taken off its queue yet is not free.
 */
export function portFindFree(d: Domain): i32 {
  const limit = portLimit(d);
  for (let port: u32 = 1; port < limit; port++) {
    if (!isPortValid(d, port)) {
      const error = addBucket(d, port >> 8);
      if (error != OK) return error;
    }
    if (portAt(d, port).state == EVTCHNSTAT_CLOSED && !isPortBusy(d, port)) return <i32>port;
  }
  return -ENOSPC;
}

function isPortBusy(d: Domain, port: u32): bool {
  if (d.evtchnFifo == 0) return false;
  const word = FifoWord.of(d, port);
  return word != 0 && FifoWord.has(word, FIFO_LINKED);
}

/** Back to free, with nothing pending left behind (the caller clears the bit). */
export function portReset(p: Port): void {
  p.state = <u8>EVTCHNSTAT_CLOSED;
  p.isXen = 0;
  p.vcpuId = 0;
  p.remoteDomid = 0;
  p.remotePort = 0;
  p.priority = <u8>FIFO_PRIORITY_DEFAULT;
}
