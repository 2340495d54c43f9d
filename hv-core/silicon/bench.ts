/** Benchmark loops over the translation path. bench/native has the same loops in C. */
import { SEG_DS } from "../abi/cpu";
import { EPTE_LEAF } from "../base/epte";
import { Mem } from "../hw/access";
import { Ept } from "../hw/ept-walk";
import { Tlb } from "../hw/tlb";
import { SiliconMachine, SOFTWARE } from "./machine";

const LEAF_RWX_WB: u32 = 0x37;
/** Large leaves point to one of so many places: the guest's frames need not exist for a walk, but a machine has no others. */
const ALIASED_2M: u32 = 16;
/** Pages of the TLB benchmark: fewer than the TLB has entries. */
const HIT_PAGES: u32 = 64;

export class Bench {
  static build(pages: u32): i32 {
    for (let gfn: u32 = 0; gfn < pages; gfn++) {
      const error = SiliconMachine.map(gfn, gfn, LEAF_RWX_WB);
      if (error != 0) return error;
    }
    return 0;
  }

  /** gfns 0..pages-1 as leaves of `level` (2 = 2M, 3 = 1G) that share a few frames. @returns 0 or -ENOMEM. */
  static buildLarge(pages: u32, level: u32): i32 {
    const step: u32 = level == 2 ? 1 << 9 : 1 << 18;
    for (let gfn: u32 = 0; gfn < pages; gfn += step) {
      const mfn = level == 2 ? ((gfn >> 9) & (ALIASED_2M - 1)) << 9 : 0;
      const error = SiliconMachine.setEntry(gfn, level, SOFTWARE | ((<u64>mfn) << 12) | EPTE_LEAF | LEAF_RWX_WB);
      if (error != 0) return error;
    }
    return 0;
  }

  static tlbEntries(entries: u32): void {
    Tlb.init(SiliconMachine.cpu(), entries);
  }

  @inline private static next(x: u32): u32 {
    x ^= x << 13;
    x ^= x >> 17;
    return x ^ (x << 5);
  }

  static eptWalk(n: u32, pages: u32, seed: u32): u32 {
    const root = SiliconMachine.cpu().eptRoot;
    let x = seed | 1;
    let sum: u64 = 0;
    for (let i: u32 = 0; i < n; i++) {
      x = Bench.next(x);
      sum += Ept.walk(root, (<u64>(x & (pages - 1))) << 12);
    }
    return <u32>(sum ^ (sum >> 32));
  }

  /** `n` walks over `pages` pages, `step` apart (less than `pages`), or of random ones when it is 0. */
  static eptPattern(n: u32, pages: u32, step: u32, seed: u32): u32 {
    const root = SiliconMachine.cpu().eptRoot;
    let x = seed | 1;
    let gfn: u32 = 0;
    let sum: u64 = 0;
    for (let i: u32 = 0; i < n; i++) {
      if (step == 0) {
        x = Bench.next(x);
        gfn = <u32>((<u64>x * <u64>pages) >> 32);
      } else {
        gfn += step;
        if (gfn >= pages) gfn -= pages;
      }
      sum += Ept.walk(root, (<u64>gfn) << 12);
    }
    return <u32>(sum ^ (sum >> 32));
  }

  static floor(n: u32, pages: u32, seed: u32): u32 {
    let x = seed | 1;
    let sum: u64 = 0;
    for (let i: u32 = 0; i < n; i++) {
      x = Bench.next(x);
      sum += (<u64>(x & (pages - 1))) << 12;
    }
    return <u32>(sum ^ (sum >> 32));
  }

  static tlbHit(n: u32, seed: u32): u32 {
    return Bench.tlbMiss(n, HIT_PAGES, seed);
  }

  static tlbMiss(n: u32, pages: u32, seed: u32): u32 {
    const c = SiliconMachine.cpu();
    let x = seed | 1;
    let sum: u64 = 0;
    for (let i: u32 = 0; i < n; i++) {
      x = Bench.next(x);
      sum += Mem.read64(c, ((<u64>(x & (pages - 1))) << 12) | ((x >> 20) & 0xff8), SEG_DS);
    }
    return <u32>(sum ^ (sum >> 32));
  }
}
