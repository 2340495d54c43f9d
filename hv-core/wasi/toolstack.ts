/**
 * The toolstack's hypercalls in the command module: what host/lib/toolstack does, call for call. Every function answers a
 * negative errno or a value. Structures: spec 05 section 5.3, spec 08 sections 8.2 and 8.3.
 */
import { OK } from "../abi/errno";
import {
  DOMCTL_CREATEDOMAIN,
  DOMCTL_INTERFACE_VERSION_4_17,
  DOMCTL_MAX_MEM,
  DOMCTL_MAX_VCPUS,
  DOMCTL_SET_PAGING_MEMPOOL_SIZE,
  DOMCTL_SETHVMCONTEXT,
  DOMCTL_UNPAUSEDOMAIN,
  DOMID_SELF,
  HC_DOMCTL,
  HC_HVM_OP,
  HC_MEMORY_OP,
  HVMOP_SET_PARAM,
  XENMAPSPACE_GMFN_FOREIGN,
  XENMEM_ADD_TO_PHYSMAP_BATCH,
  XENMEM_POPULATE_PHYSMAP,
} from "../abi/hypercalls";
import { Dom0 } from "./dom0";

const DOMCTL_SIZE: u32 = 144;
const UNION: usize = 16;
const CDF_HVM_HAP: u32 = 3;
const EMULATION_LAPIC: u32 = 1;
const BATCH: u32 = 512;
const RESERVATION_SIZE: u32 = 32;
const ADD_TO_PHYSMAP_SIZE: u32 = 32;

export class Toolstack {
  /** Starts a domctl: its structure in dom0's arena. */
  private static domctl(cmd: u32, domid: u32): u32 {
    const gpa = Dom0.take(DOMCTL_SIZE);
    const at = Dom0.at(gpa);
    store<u32>(at, cmd);
    store<u32>(at, DOMCTL_INTERFACE_VERSION_4_17, 4);
    store<u16>(at, <u16>domid, 8);
    return gpa;
  }

  private static finish(gpa: u32): i32 {
    const error = Dom0.call(HC_DOMCTL, gpa, 0, 0);
    Dom0.release(gpa, DOMCTL_SIZE);
    return error;
  }

  /** A PVH domain, paused; its id. */
  static createDomain(vcpus: u32): i32 {
    const gpa = Toolstack.domctl(DOMCTL_CREATEDOMAIN, 0);
    const at = Dom0.at(gpa) + UNION;
    store<u32>(at, CDF_HVM_HAP, 20);
    store<u32>(at, vcpus, 28);
    store<u32>(at, 1023, 32);
    store<u32>(at, 64, 36);
    store<u32>(at, 1024, 40);
    store<u32>(at, 2, 44);
    store<u32>(at, EMULATION_LAPIC, 56);
    const error = Toolstack.finish(gpa);
    return error < 0 ? error : <i32>load<u16>(Dom0.at(gpa), 8); // freed, and still as the hypervisor left it
  }

  static maxVcpus(domid: u32, vcpus: u32): i32 {
    const gpa = Toolstack.domctl(DOMCTL_MAX_VCPUS, domid);
    store<u32>(Dom0.at(gpa) + UNION, vcpus);
    return Toolstack.finish(gpa);
  }

  static maxMem(domid: u32, kib: u64): i32 {
    const gpa = Toolstack.domctl(DOMCTL_MAX_MEM, domid);
    store<u64>(Dom0.at(gpa) + UNION, kib);
    return Toolstack.finish(gpa);
  }

  /** Memory for the domain's EPT tables, in bytes. */
  static setPagingPool(domid: u32, bytes: u64): i32 {
    const gpa = Toolstack.domctl(DOMCTL_SET_PAGING_MEMPOOL_SIZE, domid);
    store<u64>(Dom0.at(gpa) + UNION, bytes);
    return Toolstack.finish(gpa);
  }

  static unpause(domid: u32): i32 {
    return Toolstack.finish(Toolstack.domctl(DOMCTL_UNPAUSEDOMAIN, domid));
  }

  /** `records` lie at `recordsGpa` in the arena, taken by the caller. */
  static setHvmContext(domid: u32, recordsGpa: u32, bytes: u32): i32 {
    const gpa = Toolstack.domctl(DOMCTL_SETHVMCONTEXT, domid);
    store<u32>(Dom0.at(gpa) + UNION, bytes);
    store<u64>(Dom0.at(gpa) + UNION, recordsGpa, 8);
    return Toolstack.finish(gpa);
  }

  /** Gives a domain RAM: `count` extents of 2^order pages from `gfn` on. Answers the number of extents done. */
  static populate(domid: u32, gfn: u64, count: u32, order: u32): i32 {
    let done: u32 = 0;
    while (done < count) {
      const part = min<u32>(BATCH, count - done);
      const list = Dom0.take(part * 8);
      for (let i: u32 = 0; i < part; i++)
        store<u64>(Dom0.at(list) + ((<usize>i) << 3), gfn + ((<u64>done + i) << order));
      const gpa = Dom0.take(RESERVATION_SIZE);
      const at = Dom0.at(gpa);
      store<u64>(at, list);
      store<u64>(at, part, 8);
      store<u32>(at, order, 16);
      store<u16>(at, <u16>domid, 24);
      const n = Dom0.call(HC_MEMORY_OP, XENMEM_POPULATE_PHYSMAP, gpa, 0);
      Dom0.release(gpa, RESERVATION_SIZE);
      Dom0.release(list, part * 8);
      if (n < 0) return n;
      done += n;
      if (<u32>n < part) break;
    }
    return done;
  }

  /** Maps `count` (at most 64) pages of another domain into dom0 from `gfn` on. */
  static mapForeign(domid: u32, foreign: u64, gfn: u32, count: u32): i32 {
    const idxs = Dom0.take(count * 8);
    const gpfns = Dom0.take(count * 8);
    const errors = Dom0.take(count * 4);
    const gpa = Dom0.take(ADD_TO_PHYSMAP_SIZE);
    const at = Dom0.at(gpa);
    store<u16>(at, DOMID_SELF);
    store<u16>(at, XENMAPSPACE_GMFN_FOREIGN, 2);
    store<u16>(at, <u16>count, 4);
    store<u16>(at, <u16>domid, 6);
    store<u64>(at, idxs, 8);
    store<u64>(at, gpfns, 16);
    store<u64>(at, errors, 24);
    for (let i: u32 = 0; i < count; i++) {
      store<u64>(Dom0.at(idxs) + ((<usize>i) << 3), foreign + i);
      store<u64>(Dom0.at(gpfns) + ((<usize>i) << 3), <u64>gfn + i);
    }
    let result = Dom0.call(HC_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP_BATCH, gpa, 0);
    for (let i: u32 = 0; i < count && result == OK; i++) result = load<i32>(Dom0.at(errors) + ((<usize>i) << 2));
    Dom0.release(gpa, ADD_TO_PHYSMAP_SIZE);
    Dom0.release(errors, count * 4);
    Dom0.release(gpfns, count * 8);
    Dom0.release(idxs, count * 8);
    return result;
  }

  static setParam(domid: u32, index: u32, value: u64): i32 {
    const gpa = Dom0.take(16);
    const at = Dom0.at(gpa);
    store<u16>(at, <u16>domid);
    store<u32>(at, index, 4);
    store<u64>(at, value, 8);
    const error = Dom0.call(HC_HVM_OP, HVMOP_SET_PARAM, gpa, 0);
    Dom0.release(gpa, 16);
    return error;
  }

  /** One page of another domain, mapped for good at a fresh gfn of dom0: its linear address, 0 = it could not be mapped. */
  static mapPage(domid: u32, foreign: u64): usize {
    const gfn = Dom0.takeGfns(1);
    return Toolstack.mapForeign(domid, foreign, gfn, 1) == OK ? Dom0.mapped(gfn) : 0;
  }
}
