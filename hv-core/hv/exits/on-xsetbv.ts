/**
 * XSETBV (exit 55): #UD, because CPUID hides extended state. Where a variant gives guests the instruction (C-75) it sets XCR0, and
 * whatever was set once counts for the size of the vCPU's state from then on.
 */
import { KNOB_XSETBV } from "../../abi/knobs";
import { XSTATE_ALL } from "../../abi/xstate";
import { Variant } from "../../base/variant";
import { Run } from "../../hw/run";
import { Vcpu } from "../vcpu";
import { Verdict } from "../verdict";
import { Xstate } from "../xstate";
import { injectGp, injectUd } from "./inject";

export function onXsetbv(v: Vcpu): Verdict {
  if (!Variant.is(KNOB_XSETBV, 1)) return injectUd(v);
  const c = v.cpu;
  const value = ((<u64>(<u32>c.rdx)) << 32) | <u64>(<u32>c.rax);
  if (<u32>c.rcx != 0 || !Xstate.isLegal(value, XSTATE_ALL)) return injectGp(v);
  const state = Xstate.of(v);
  state.xcr0 = value;
  state.accumulated |= value;
  Run.skip(c);
  return Verdict.Done;
}
