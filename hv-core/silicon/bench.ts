/** Benchmark loops over the translation path. bench/native has the same loops in C. */
import { SEG_DS } from "../abi/cpu";
import { Mem } from "../hw/access";
import { Ept } from "../hw/ept-walk";
import { SiliconMachine } from "./machine";

const LEAF_RWX_WB: u32 = 0x37;
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
