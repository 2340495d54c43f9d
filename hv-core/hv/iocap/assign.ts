/**
 * Device assignment on a machine with an IOMMU (knob io.iommu): a device of the bus reaches the memory of the domain that has it, through that
 * domain's p2m (spec 05 section 5.3, rows 37, 45, 47). {dev u32 = 0 (PCI), flags u32, machine_sbdf u32}: device n is 00:(3 + n).0.
 */
import { DEV_PRESENT, MAX_BUS_DEVICES } from "../../abi/bus";
import { DOMCTL_ASSIGN_DEVICE, DOMCTL_TEST_ASSIGN_DEVICE } from "../../abi/domctl";
import { EBUSY, EINVAL, ENODEV, EXDEV, OK } from "../../abi/errno";
import { VM_EVENT_MODE_PAGING } from "../../abi/vm-event";
import { deviceAt } from "../../hw/bus";
import { Dma } from "../../hw/dma";
import { DOMAIN_ALIVE, Domain } from "../domain";
import { vmEventHasRing } from "../vm-event/ring";

const FIRST_SLOT: u32 = 3;
const RELAXED_RDM: u32 = 1;

/** Index of the device at a PCI address, -1 = there is none. */
function deviceOf(sbdf: u32): i32 {
  const index = (sbdf >> 3) - FIRST_SLOT;
  if ((sbdf & 7) != 0 || index >= <u32>MAX_BUS_DEVICES || load<u32>(deviceAt(index), DEV_PRESENT) == 0) return -1;
  return <i32>index;
}

export function assignDevice(cmd: u32, d: Domain, isSelf: bool, u: usize): i32 {
  if (isSelf) return -EINVAL;
  if (load<u32>(u) != 0) return -ENODEV;
  if ((load<u32>(u, 4) & ~RELAXED_RDM) != 0) return -EINVAL;
  const device = deviceOf(load<u32>(u, 8));
  if (device < 0) return -ENODEV;
  const owner = Dma.owner(device);
  if (cmd == <u32>DOMCTL_TEST_ASSIGN_DEVICE) return owner == 0 ? OK : -EBUSY;
  if (cmd == <u32>DOMCTL_ASSIGN_DEVICE) {
    if (d.state != DOMAIN_ALIVE) return -EINVAL;
    if (owner != 0) return -EBUSY;
    if (hasMovingPages(d)) return -EXDEV;
    Dma.assign(device, d.domid + 1, d.p2mRoot);
    d.assignedDevices++;
    return OK;
  }
  if (owner != d.domid + 1) return -ENODEV;
  Dma.assign(device, 0, 0);
  d.assignedDevices--;
  return OK;
}

/** A device cannot fault and try again: pages that may change under it and devices exclude each other (spec 04, "Exclusions"). */
function hasMovingPages(d: Domain): bool {
  return (
    d.sharingEnabled != 0 || vmEventHasRing(d, VM_EVENT_MODE_PAGING) || d.podEntries != 0 || d.p2mGlobalLogDirty != 0
  );
}

/** The domain dies: its devices reach nothing any more. */
export function devicesForget(d: Domain): void {
  for (let i: u32 = 0; i < <u32>MAX_BUS_DEVICES; i++)
    if (load<u32>(deviceAt(i), DEV_PRESENT) != 0 && Dma.owner(i) == d.domid + 1) Dma.assign(i, 0, 0);
  d.assignedDevices = 0;
}
