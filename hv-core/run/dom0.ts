/**
 * Door 2 for the host, which plays dom0: hypercalls by dom0's vCPU, and what dom0's kernel would see of its memory. Nothing here
 * is a back door: arguments lie in dom0's own frames and are checked like anybody's.
 */
import { ERESTART } from "../abi/errno";
import { W_PREEMPTED } from "../abi/windows";
import { Machine } from "../base/machine";
import { ACCESS_READ, Window } from "../base/window";
import { Domain } from "../hv/domain";
import { hypercallDispatch } from "../hv/hypercall/dispatch";
import { P2m } from "../hv/p2m/p2m";
import { P2mType } from "../hv/p2m/types";
import { Vcpu } from "../hv/vcpu";
import { frameWritten as dropCode } from "../mem/frame-access";
import { Frame } from "../mem/frame-table";

/** A hypercall with 64-bit layouts; pointers are guest-physical addresses of dom0. Continuations run to their end. */
export function hypercall(nr: u32, a1: u32, a2: u32, a3: u32, a4: u32, a5: u32): i32 {
  const v = Vcpu.at(Domain.at(0).firstVcpu);
  v.hypercall64 = 1;
  let result = hypercallDispatch(v, nr, a1, a2, a3, a4, a5);
  while (result == -ERESTART) {
    const next1 = v.continueArg1;
    const next2 = v.continueArg2;
    const next3 = v.continueArg3;
    Window.at(W_PREEMPTED, 0, ACCESS_READ);
    result = hypercallDispatch(v, nr, next1, next2, next3, a4, a5);
  }
  return <i32>result;
}

/** The frame that dom0's page tables would show at `gfn`: its own RAM or a foreign mapping; 0 = none. */
export function dom0Mfn(gfn: u32): u32 {
  const d = Domain.at(0);
  const type = P2m.lookup(d, gfn, 0);
  return P2mType.isAnyRam(type) && Frame.isValid(d.lookupMfn) ? d.lookupMfn : 0;
}

/** The host wrote to a frame through its view: decoded code on it is dropped. */
export function frameWritten(mfn: u32): void {
  const frameCount = Machine.get().frameCount;
  if (mfn < frameCount) dropCode(mfn);
}
