/** Table of domctls, last part: I/O resources (hv/iocap). No logic here. */
import {
  DOMCTL_ASSIGN_DEVICE,
  DOMCTL_DEASSIGN_DEVICE,
  DOMCTL_IOMEM_PERMISSION,
  DOMCTL_IOPORT_MAPPING,
  DOMCTL_IOPORT_PERMISSION,
  DOMCTL_IRQ_PERMISSION,
  DOMCTL_MEMORY_MAPPING,
  DOMCTL_TEST_ASSIGN_DEVICE,
} from "../../abi/domctl";
import { IO_ERA_TODAY, KNOB_IO_ERA } from "../../abi/knobs";
import { DOMCTL_GSI_PERMISSION } from "../../abi/physdev";
import { Knobs } from "../../base/machine";
import { Domain } from "../domain";
import { assignDevice } from "../iocap/assign";
import { memoryMapping } from "../iocap/memory-mapping";
import { gsiPermission, iomemPermission, ioportPermission, irqPermission } from "../iocap/permission";
import { ioportMapping } from "../iocap/port-mapping";
import { Vcpu } from "../vcpu";
import { absentFeature } from "./absent";

/** Rights to I/O resources, their mappings, and devices that are passed through; every other command is of a feature that is missing. */
export function operateOnDevices(v: Vcpu, d: Domain, cmd: u32, u: usize): i32 {
  switch (cmd) {
    case DOMCTL_IOMEM_PERMISSION:
      return iomemPermission(v, d, u);
    case DOMCTL_IOPORT_PERMISSION:
      return ioportPermission(v, d, u);
    case DOMCTL_IRQ_PERMISSION:
      return irqPermission(v, d, u);
    case DOMCTL_MEMORY_MAPPING:
      return memoryMapping(v, d, u);
    case DOMCTL_IOPORT_MAPPING:
      return ioportMapping(v, d, u);
    case DOMCTL_GSI_PERMISSION:
      return Knobs.get(KNOB_IO_ERA) == <u32>IO_ERA_TODAY ? gsiPermission(v, d, u) : absentFeature(v, d, cmd, u);
    case DOMCTL_ASSIGN_DEVICE:
    case DOMCTL_TEST_ASSIGN_DEVICE:
    case DOMCTL_DEASSIGN_DEVICE:
      return assignDevice(cmd, d, d.slot == v.domainSlot, u);
    default:
      return absentFeature(v, d, cmd, u);
  }
}
