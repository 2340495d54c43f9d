/**
 * The virtual NUMA topology of a domain: how many nodes it believes to have, how far they are from each other, and which vCPUs and
 * gpa ranges are on which. One frame of the hypervisor's, 0 = the toolstack gave none. Written under Domain.vnumaLock.
 * Before: domctl/vnuma.ts (set). After: hypercall/vnuma-info.ts (get).
 */
import { PAGE_SIZE } from "../../abi/layout";
import { Lock } from "../../base/lock";
import { freeFrame } from "../../mem/allocator";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";

export const VNUMA_MAX_NODES: u32 = 8;
export const VNUMA_MAX_RANGES: u32 = 64;
export const VNUMA_MAX_VCPUS: u32 = 128;
/** {start u64, end u64, flags u32, node u32}. */
export const VNUMA_RANGE_SIZE: u32 = 24;
/** "No particular node of the machine", for a virtual node. */
export const NUMA_NO_NODE: u32 = 0xffff_ffff;

// In the frame: three counts, then the tables.
export const VNUMA_NODES: usize = 0;
export const VNUMA_RANGES: usize = 4;
export const VNUMA_VCPUS: usize = 8;
export const VNUMA_DISTANCES: usize = 0x100;
export const VNUMA_VCPU_NODES: usize = 0x200;
export const VNUMA_NODE_PNODES: usize = 0x400;
export const VNUMA_RANGE_LIST: usize = 0x440;

if (VNUMA_RANGE_LIST + VNUMA_MAX_RANGES * VNUMA_RANGE_SIZE > <usize>PAGE_SIZE)
  ERROR("a vNUMA topology does not fit into its frame");

export class Vnuma {
  @inline static lock(d: Domain): void {
    Lock.acquire(changetype<usize>(d) + offsetof<Domain>("vnumaLock"));
  }

  @inline static unlock(d: Domain): void {
    Lock.release(changetype<usize>(d) + offsetof<Domain>("vnumaLock"));
  }

  @inline static at(d: Domain): usize {
    return Frame.host(d.vnumaMfn);
  }

  /** Puts a new frame (0 = none) in the place of the old one, which goes back. */
  static replace(d: Domain, mfn: u32): void {
    Vnuma.lock(d);
    const old = d.vnumaMfn;
    d.vnumaMfn = mfn;
    Vnuma.unlock(d);
    if (old != 0) freeFrame(old);
  }
}
