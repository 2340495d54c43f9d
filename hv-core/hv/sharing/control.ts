/** DOMCTL_mem_sharing_op: sharing on and off for a domain (spec 04 section 4.2). Disabling changes the flag only: pages are unshared as they are written. */
import { ENODEV, ENOSYS, EOPNOTSUPP, EXDEV, OK } from "../../abi/errno";
import { CDF_HAP } from "../../abi/hypercalls";
import { KNOB_SHARING_BUILD, KNOB_SHARING_ERA, SHARING_ERA_2012, SHARING_INTEL, SHARING_OFF } from "../../abi/knobs";
import { Knobs } from "../../base/machine";
import { Domain } from "../domain";
import { isPvDomain } from "../domain/find";

const OP_CONTROL: u32 = 0;

/** Whether the hypervisor was built with memory sharing: without it (Xen's default) every call answers -ENOSYS. */
export function isSharingBuilt(): bool {
  return Knobs.get(KNOB_SHARING_BUILD) != <u32>SHARING_OFF;
}

/** @returns why sharing cannot be enabled for the domain, or OK. */
function mayEnable(d: Domain, mayHaveDevices: bool): i32 {
  if (Knobs.get(KNOB_SHARING_ERA) == <u32>SHARING_ERA_2012) {
    // Intel's EPT, and AMD's NPT as an experiment.
    if (isPvDomain(d) || (d.createFlags & CDF_HAP) == 0) return -ENODEV;
  } else {
    if (isPvDomain(d) || Knobs.get(KNOB_SHARING_BUILD) != <u32>SHARING_INTEL) return -EOPNOTSUPP;
    if ((d.createFlags & CDF_HAP) == 0) return -ENODEV;
  }
  return d.assignedDevices != 0 && !mayHaveDevices ? -EXDEV : OK;
}

/** OK; -EOPNOTSUPP (no HVM domain, or not Intel), -ENODEV (no HAP), -EXDEV (a device is passed through). Disabling always works. */
export function sharingControl(d: Domain, isEnabled: bool, mayHaveDevices: bool): i32 {
  if (isEnabled) {
    const refused = mayEnable(d, mayHaveDevices);
    if (refused != OK) return refused;
  }
  d.sharingEnabled = isEnabled ? 1 : 0;
  return OK;
}

/** {op u8, enable u8}. */
export function sharingDomctl(d: Domain, u: usize): i32 {
  if (!isSharingBuilt()) return -ENOSYS;
  if (load<u8>(u) != OP_CONTROL) return -ENOSYS;
  return sharingControl(d, load<u8>(u, 1) != 0, false);
}
