/**
 * Long hypercalls work in bounded pieces. A piece that is not the last returns -ERESTART after saying with which first
 * arguments the call goes on; the guest's rip stays on the call, so other vCPUs run in between (spec 05 section 5.1).
 * -ERESTART never reaches a guest.
 */
import { CTR_CONTINUATIONS } from "../../abi/counters";
import { ERESTART } from "../../abi/errno";
import { Count } from "../../base/counters";
import { Machine } from "../../base/machine";
import { Vcpu } from "../vcpu";

/** Extents or entries handled in one piece. */
export const WORK_PER_CALL: u32 = 64;

/** A guest's long call takes time: a tick for each entry, page or byte of text, so that a budget bounds it however it is made. */
export function countWork(units: u32): void {
  const m = Machine.get();
  if (m.currentVcpu != 0) m.now += units;
}

export function continueWith(v: Vcpu, arg1: u64, arg2: u64, arg3: u64): i64 {
  Count.one(CTR_CONTINUATIONS);
  v.continueArg1 = arg1;
  v.continueArg2 = arg2;
  v.continueArg3 = arg3;
  return -ERESTART;
}
