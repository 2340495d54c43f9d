/** The machine's own resources in the hands of a toolstack: rights to frames, ports and lines, direct mappings, device assignment (spec 06). */
import {
  DOMCTL_ASSIGN_DEVICE,
  DOMCTL_DEASSIGN_DEVICE,
  DOMCTL_IOMEM_PERMISSION,
  DOMCTL_IOPORT_MAPPING,
  DOMCTL_IOPORT_PERMISSION,
  DOMCTL_IRQ_PERMISSION,
  DOMCTL_MEMORY_MAPPING,
  DOMCTL_TEST_ASSIGN_DEVICE,
} from "../../../hv-core/abi/domctl.ts";
import { DOMID_SELF, EVTCHNOP_BIND_PIRQ, HC_EVENT_CHANNEL_OP, HC_PHYSDEV_OP } from "../../../hv-core/abi/hypercalls.ts";
import {
  BIND_PIRQ_WILL_SHARE,
  DOMCTL_GSI_PERMISSION,
  GSI_PERMISSION_GRANT,
  MAP_PIRQ_TYPE_GSI,
  PHYSDEVOP_MAP_PIRQ,
} from "../../../hv-core/abi/physdev.ts";
import { plain, safeHypercall } from "../buffers/call.ts";
import { struct } from "../buffers/element.ts";
import { allocStruct } from "../buffers/struct.ts";
import type { Dom0 } from "../dom0.ts";
import { check, HvError } from "../errors.ts";
import { type DomId, Port } from "../ids.ts";
import { domctl, nothing } from "./domctl-call.ts";

const u64 = (view: DataView, at: number, value: number): void => view.setBigUint64(at, BigInt(value), true);

/** Gives the right to frames mfn.. to a domain, or takes it away. */
export function iomemPermission(dom0: Dom0, domid: DomId, mfn: number, count: number, allow: boolean): void {
  const fill = (view: DataView, at: number): void => {
    u64(view, at, mfn);
    u64(view, at + 8, count);
    view.setUint8(at + 16, allow ? 1 : 0);
  };
  domctl(dom0, "DOMCTL_iomem_permission", DOMCTL_IOMEM_PERMISSION, domid, fill, nothing, { mfn, count, allow });
}

export function ioportPermission(dom0: Dom0, domid: DomId, port: number, count: number, allow: boolean): void {
  const fill = (view: DataView, at: number): void => {
    view.setUint32(at, port, true);
    view.setUint32(at + 4, count, true);
    view.setUint8(at + 8, allow ? 1 : 0);
  };
  domctl(dom0, "DOMCTL_ioport_permission", DOMCTL_IOPORT_PERMISSION, domid, fill, nothing, { port, count, allow });
}

/** @param allow 0 takes the line away, 1 gives it, 3 (IRQ_ALLOW_SHARED, for the accountant) gives it to be shared. */
export function irqPermission(dom0: Dom0, domid: DomId, line: number, allow: number): void {
  const fill = (view: DataView, at: number): void => {
    view.setUint32(at, line, true);
    view.setUint8(at + 4, allow);
  };
  domctl(dom0, "DOMCTL_irq_permission", DOMCTL_IRQ_PERMISSION, domid, fill, nothing, { line, allow });
}

function mappingCall(dom0: Dom0, domid: DomId, gfn: number, mfn: number, count: number, isAdd: boolean): void {
  const fill = (view: DataView, at: number): void => {
    u64(view, at, gfn);
    u64(view, at + 8, mfn);
    u64(view, at + 16, count);
    view.setUint32(at + 24, isAdd ? 1 : 0, true);
  };
  domctl(dom0, "DOMCTL_memory_mapping", DOMCTL_MEMORY_MAPPING, domid, fill, nothing, { gfn, mfn, count, isAdd });
}

/** Pages that one call maps at least, when they are single ones (MAP_MMIO_MAX_ITER). */
const PIECE = 64;

/**
 * Maps device frames mfn.. at gfn.. of a domain, or takes the mapping away. A call does 64 pages; when a later one fails, what the earlier
 * ones have mapped is unmapped again: all or nothing.
 */
export function memoryMapping(dom0: Dom0, domid: DomId, gfn: number, mfn: number, count: number, isAdd: boolean): void {
  let done = 0;
  try {
    for (; done < count; done += PIECE)
      mappingCall(dom0, domid, gfn + done, mfn + done, Math.min(PIECE, count - done), isAdd);
  } catch (error) {
    for (let at = 0; isAdd && at < done; at += PIECE)
      mappingCall(dom0, domid, gfn + at, mfn + at, Math.min(PIECE, done - at), false);
    throw error;
  }
}

/** Makes guest ports gport.. the machine's ports mport... */
export function ioportMapping(
  dom0: Dom0,
  domid: DomId,
  gport: number,
  mport: number,
  count: number,
  isAdd: boolean,
): void {
  const fill = (view: DataView, at: number): void => {
    view.setUint32(at, gport, true);
    view.setUint32(at + 4, mport, true);
    view.setUint32(at + 8, count, true);
    view.setUint32(at + 12, isAdd ? 1 : 0, true);
  };
  domctl(dom0, "DOMCTL_ioport_mapping", DOMCTL_IOPORT_MAPPING, domid, fill, nothing, { gport, mport, count, isAdd });
}

/** Device `index` of the bus (00:(3 + index).0) reaches the domain's memory from now on, or no longer. */
export function assignDevice(dom0: Dom0, domid: DomId, index: number, isAssign: boolean): void {
  const fill = (view: DataView, at: number): void => view.setUint32(at + 8, (3 + index) << 3, true);
  const [name, cmd] = isAssign
    ? (["DOMCTL_assign_device", DOMCTL_ASSIGN_DEVICE] as const)
    : (["DOMCTL_deassign_device", DOMCTL_DEASSIGN_DEVICE] as const);
  domctl(dom0, name, cmd, domid, fill, nothing, { index });
}

/** Whether nobody has device `index` of the bus. @throws HvError EOPNOTSUPP without an IOMMU, ENODEV when there is no such device */
export function isDeviceFree(dom0: Dom0, domid: DomId, index: number): boolean {
  const fill = (view: DataView, at: number): void => view.setUint32(at + 8, (3 + index) << 3, true);
  try {
    domctl(dom0, "DOMCTL_test_assign_device", DOMCTL_TEST_ASSIGN_DEVICE, domid, fill, nothing, { index });
    return true;
  } catch (error) {
    if (error instanceof HvError && error.code === "EBUSY") return false;
    throw error;
  }
}

/** The right to a line by its number at the IO-APIC (interface of today: knob io.era). @throws HvError EACCES, EPERM, ENOSYS in 4.17 */
export function gsiPermission(dom0: Dom0, domid: DomId, gsi: number, allow: boolean): void {
  const fill = (view: DataView, at: number): void => {
    view.setUint32(at, gsi, true);
    view.setUint32(at + 4, allow ? GSI_PERMISSION_GRANT : 0, true);
  };
  domctl(dom0, "DOMCTL_gsi_permission", DOMCTL_GSI_PERMISSION, domid, fill, nothing, { gsi, allow });
}

const MAP_PIRQ = struct("physdev_map_pirq", 40);
const BIND_PIRQ = struct("evtchn_bind_pirq", 12);

/** dom0's kernel maps a line of the IO-APIC. */
export function physdevMapPirq(dom0: Dom0, gsi: number): void {
  using op = allocStruct(dom0.arena, MAP_PIRQ, "inout");
  op.setU16(0, DOMID_SELF);
  op.setU32(4, MAP_PIRQ_TYPE_GSI);
  op.setU32(8, gsi);
  op.setU32(12, 0xffff_ffff);
  check(safeHypercall(dom0, plain(HC_PHYSDEV_OP), plain(PHYSDEVOP_MAP_PIRQ), op), "PHYSDEVOP_map_pirq", {
    arguments: { gsi },
  });
}

/** dom0's kernel binds a line to an event channel. */
export function evtchnBindPirq(dom0: Dom0, line: number, isSharing: boolean): Port {
  using op = allocStruct(dom0.arena, BIND_PIRQ, "inout");
  op.setU32(0, line);
  op.setU32(4, isSharing ? BIND_PIRQ_WILL_SHARE : 0);
  check(safeHypercall(dom0, plain(HC_EVENT_CHANNEL_OP), plain(EVTCHNOP_BIND_PIRQ), op), "EVTCHNOP_bind_pirq", {
    arguments: { line, isSharing },
  });
  return Port(op.u32(8));
}
