/**
 * gettscinfo and settscinfo of 2014: {handle of the answer, info}. The answer is a structure of 24 bytes of its own; with the defect
 * it is one on the hypervisor's stack of which four bytes were never written (finding F-2).
 */
import { EFAULT, OK } from "../../../abi/errno";
import { Domain } from "../../domain";
import { copyToGuest, Scratch } from "../../hypercall/guest-copy";
import { Vcpu } from "../../vcpu";
import { getTscInfo as getInline, setTscInfo as setInline } from "../tsc";

/** {tsc_mode u32, gtsc_khz u32, incarnation u32, pad u32, elapsed_nsec u64}. */
const INFO_SIZE: u32 = 24;
const INFO: usize = 8;
const LOCAL: usize = 0xe40;

export function getTscInfo(v: Vcpu, d: Domain, u: usize): i32 {
  const local = Scratch.at + LOCAL;
  const result = getInline(v, d, local);
  if (result != OK) return result;
  return copyToGuest(v, load<u64>(u), local, INFO_SIZE) != 0 ? -EFAULT : OK;
}

export function setTscInfo(v: Vcpu, d: Domain, u: usize): i32 {
  return setInline(v, d, u + INFO);
}
