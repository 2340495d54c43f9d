/**
 * Event channel ports: 16 bytes each, 256 in a frame (a bucket), up to sixteen buckets a domain. Bucket 0 exists from creation.
 * Next: evtchn/pending.ts (what an event does), evtchn/bind.ts (how ports are connected).
 */

import { ENOMEM, ENOSPC, OK } from "../../abi/errno";
import { EVTCHNSTAT_CLOSED } from "../../abi/hypercalls";
import { allocFrame } from "../../mem/allocator";
import { FRAME_XEN_HEAP, Frame } from "../../mem/frame-table";
import { Domain } from "../domain";

/** States: the numbers of EVTCHNSTAT_*; 0 = free. */
export const PORTS_PER_BUCKET: u32 = 256;
const BUCKETS: u32 = 16;

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
  private _pad: u32;
}

if (offsetof<Port>() != 16) ERROR("Port is 16 bytes");

class Buckets {
  @inline static word(d: Domain, bucket: u32): usize {
    return changetype<usize>(d) + offsetof<Domain>("evtchnBucket0") + ((<usize>bucket) << 2);
  }
}

/** Ports that the 2-level layout can hold: one word of selector bits, each for one word of ports. */
export function portLimit(d: Domain): u32 {
  const words: u32 = d.is64 != 0 ? 4096 : 1024;
  return d.maxEvtchnPort < words ? d.maxEvtchnPort + 1 : words;
}

/** Ports that exist (are backed by a bucket), used or not. */
export function isPortValid(d: Domain, port: u32): bool {
  return port < PORTS_PER_BUCKET * BUCKETS && load<u32>(Buckets.word(d, port >> 8)) != 0;
}

/** The record of a valid port. */
export function portAt(d: Domain, port: u32): Port {
  return changetype<Port>(Frame.host(load<u32>(Buckets.word(d, port >> 8))) + ((<usize>(port & 255)) << 4));
}

function addBucket(d: Domain, bucket: u32): i32 {
  const mfn = allocFrame(d.slot, FRAME_XEN_HEAP);
  if (mfn == 0) return -ENOMEM;
  store<u32>(Buckets.word(d, bucket), mfn);
  return OK;
}

export function portsInit(d: Domain): i32 {
  return addBucket(d, 0);
}

/** The buckets go with the domain's frames. */
export function portsForget(d: Domain): void {
  for (let bucket: u32 = 0; bucket < BUCKETS; bucket++) store<u32>(Buckets.word(d, bucket), 0);
}

/** The lowest free port (never 0) or -ENOSPC, -ENOMEM. It stays free until the caller gives it a state. */
export function portFindFree(d: Domain): i32 {
  const limit = portLimit(d);
  for (let port: u32 = 1; port < limit; port++) {
    if (!isPortValid(d, port)) {
      const error = addBucket(d, port >> 8);
      if (error != OK) return error;
    }
    if (portAt(d, port).state == EVTCHNSTAT_CLOSED) return <i32>port;
  }
  return -ENOSPC;
}

/** Back to free, with nothing pending left behind (the caller clears the bit). */
export function portReset(p: Port): void {
  p.state = <u8>EVTCHNSTAT_CLOSED;
  p.isXen = 0;
  p.vcpuId = 0;
  p.remoteDomid = 0;
  p.remotePort = 0;
}
