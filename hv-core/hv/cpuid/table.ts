/**
 * What a toolstack changed of a domain's CPUID: entries of 24 bytes {leaf, subleaf, eax, ebx, ecx, edx} in one frame of the
 * hypervisor's, made when the first one comes. Leaves without an entry are those of exits/cpuid-leaves.ts.
 */

import { CTR_LOOP_STEPS } from "../../abi/counters";
import { CPUID_LEAF_SIZE, CPUID_MAX_LEAVES, CPUID_NO_SUBLEAF } from "../../abi/domctl";
import { ENOENT, ENOMEM, OK } from "../../abi/errno";
import { PAGE_SIZE } from "../../abi/layout";
import { Count } from "../../base/counters";
import { allocFrame } from "../../mem/allocator";
import { FRAME_XEN_HEAP, Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { cpuidRow } from "../exits/cpuid-leaves";
import { maskFeatures } from "./features";

const ANSWER: usize = 8;

export class CpuidTable {
  @inline static entry(d: Domain, i: u32): usize {
    return Frame.host(d.cpuidMfn) + <usize>i * CPUID_LEAF_SIZE;
  }

  /** The entry for exactly this leaf and subleaf, or one for any subleaf; 0 = none. */
  static find(d: Domain, leaf: u32, subleaf: u32): usize {
    for (let i: u32 = 0; i < d.cpuidCount; i++) {
      const at = CpuidTable.entry(d, i);
      if (load<u32>(at) != leaf) continue;
      const theirs = load<u32>(at, 4);
      if (theirs == subleaf || theirs == <u32>CPUID_NO_SUBLEAF) return at;
    }
    return 0;
  }

  /** Address of the four words that the domain sees, 0 when they are all zero. */
  static row(d: Domain, leaf: u32, subleaf: u32): usize {
    const own = d.cpuidCount == 0 ? 0 : CpuidTable.find(d, leaf, subleaf);
    return own != 0 ? own + ANSWER : cpuidRow(leaf, subleaf);
  }

  /** Whether the table can take entries: -ENOMEM without a frame for it. */
  static prepare(d: Domain): i32 {
    if (d.cpuidMfn == 0) d.cpuidMfn = allocFrame(d.slot, FRAME_XEN_HEAP);
    return d.cpuidMfn == 0 ? -ENOMEM : OK;
  }

  /**
   * Sets one entry, from {leaf, subleaf, eax, ebx, ecx, edx} at `from`: the one with the same leaf and subleaf, or a new one.
   * -ENOENT when there are `most` already. prepare() comes first.
   */
  static put(d: Domain, from: usize, most: u32): i32 {
    const key = load<u64>(from);
    let i: u32 = 0;
    for (; i < d.cpuidCount; i++) {
      Count.one(CTR_LOOP_STEPS);
      if (load<u64>(CpuidTable.entry(d, i)) == key) break;
    }
    if (i == most) return -ENOENT;
    if (i == d.cpuidCount) d.cpuidCount++;
    const at = CpuidTable.entry(d, i);
    memory.copy(at, from, CPUID_LEAF_SIZE);
    maskFeatures(load<u32>(at), at + ANSWER);
    return OK;
  }
}

if (CPUID_MAX_LEAVES * CPUID_LEAF_SIZE > PAGE_SIZE) ERROR("a CPU policy does not fit into its frame");
