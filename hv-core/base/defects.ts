/** Bugs of other years that a machine can have (knob domctl.defects). Builds without variants have none. */
import { KNOB_DOMCTL_DEFECTS } from "../abi/knobs";
import { Knobs } from "./machine";

export class Defects {
  /** Whether the machine has `defect`, one of DEFECT_*. */
  @inline static has(defect: u32): bool {
    return isDefined(VARIANTS) && (Knobs.get(KNOB_DOMCTL_DEFECTS) & defect) != 0;
  }
}
