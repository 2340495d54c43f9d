/** Which interface of HYPERVISOR_domctl the machine offers (knob domctl.era): that of 4.17, or version 0x0a of May 2014. */
import { DOMCTL_INTERFACE_VERSION_0A } from "../../../abi/domctl";
import { DOMCTL_INTERFACE_VERSION_4_17 } from "../../../abi/hypercalls";
import { DOMCTL_ERA_0A, KNOB_DOMCTL_ERA } from "../../../abi/knobs";
import { Knobs } from "../../../base/machine";

export class DomctlEra {
  @inline static get is0a(): bool {
    return Knobs.get(KNOB_DOMCTL_ERA) == <u32>DOMCTL_ERA_0A;
  }

  /** The interface version that callers must give. */
  @inline static get version(): u32 {
    return DomctlEra.is0a ? DOMCTL_INTERFACE_VERSION_0A : DOMCTL_INTERFACE_VERSION_4_17;
  }
}
