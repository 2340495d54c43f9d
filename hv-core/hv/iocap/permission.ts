/**
 * What a domain may be given of the machine's own resources: frames of device memory, I/O ports, interrupt lines. Each domain has three
 * rangesets; a toolstack can only hand out, or take away, what it holds itself. Rows V431..V498 of the recorded Xen; spec 06.
 * Next: change-right.ts. What dom0 holds from the start: boot.ts.
 */
import { EACCES, EINVAL, EPERM } from "../../abi/errno";
import { DEFECT_UNCHECKED_IO, IO_ERA_2014, KNOB_IO_ERA } from "../../abi/knobs";
import { GSI_PERMISSION_GRANT, IRQ_ALLOW_SHARED, NR_GSIS } from "../../abi/physdev";
import { Defects } from "../../base/defects";
import { Knobs } from "../../base/machine";
import { Domain } from "../domain";
import { Vcpu } from "../vcpu";
import { Accountant } from "./account/tracker";
import { changeRight } from "./change-right";
import { holderOf } from "./hooks";
import { IO_FRAME, IO_IRQ, IO_PORT, IoState } from "./io-state";
import { linesForget } from "./lines";
import { portMappingsForget } from "./port-mapping";
import { Rangeset } from "./rangeset";

const MAX_PORTS: u32 = 0x1_0000;
/** Interrupt lines that exist. */
const NR_PIRQS: u32 = 256;

/** The domain dies: it holds nothing. */
export function iocapForget(d: Domain): void {
  if (d.iomemCaps != 0) Rangeset.destroy(d.iomemCaps);
  if (d.ioportCaps != 0) Rangeset.destroy(d.ioportCaps);
  if (d.irqCaps != 0) Rangeset.destroy(d.irqCaps);
  d.iomemCaps = 0;
  d.ioportCaps = 0;
  d.irqCaps = 0;
  portMappingsForget(d);
  linesForget(d);
  if (!Accountant.isOn()) return;
  IoState.acquire();
  Accountant.forget(holderOf(d));
  IoState.release();
}

/** Until the caller's own right was asked for, dom0 could hand out what it did not have. */
function isUnchecked(): bool {
  return Knobs.get(KNOB_IO_ERA) == <u32>IO_ERA_2014 || Defects.has(DEFECT_UNCHECKED_IO);
}

/**
 * {first_mfn u64, nr_mfns u64, allow u8}. A number of 0 frames from 0 on passes the test for a wrap and means everything: only that
 * no caller holds all 2^64 frames stops it (finding F-7).
 */
export function iomemPermission(v: Vcpu, d: Domain, u: usize): i32 {
  const first = load<u64>(u);
  const last = first + load<u64>(u, 8) - 1;
  if (last < first) return -EINVAL;
  if (!Rangeset.contains(v.domain.iomemCaps, first, last) && !isUnchecked()) return -EPERM;
  return changeRight(d, IO_FRAME, first, last, load<u8>(u, 16) != 0, false);
}

/** {first_port u32, nr_ports u32, allow u8}. */
export function ioportPermission(v: Vcpu, d: Domain, u: usize): i32 {
  const first = load<u32>(u);
  const end = first + load<u32>(u, 4);
  if (end <= first || end > MAX_PORTS) return -EINVAL;
  if (!Rangeset.contains(v.domain.ioportCaps, first, end - 1) && Knobs.get(KNOB_IO_ERA) != <u32>IO_ERA_2014)
    return -EPERM;
  return changeRight(d, IO_PORT, first, end - 1, load<u8>(u, 8) != 0, false);
}

/** {pirq u32, allow u8}; in 2014 {pirq u8, allow u8}. With the accountant IRQ_ALLOW_SHARED says that the line may be shared. */
export function irqPermission(v: Vcpu, d: Domain, u: usize): i32 {
  const isOld = Knobs.get(KNOB_IO_ERA) == <u32>IO_ERA_2014;
  const line = isOld ? <u32>load<u8>(u) : load<u32>(u);
  const allow: u32 = isOld ? load<u8>(u, 1) : load<u8>(u, 4);
  if (line >= NR_PIRQS) return -EINVAL;
  if (!Rangeset.contains(v.domain.irqCaps, line, line)) return -EPERM;
  return changeRight(d, IO_IRQ, line, line, allow != 0, (allow & IRQ_ALLOW_SHARED) != 0);
}

/** Today: {gsi u32, flags u32}. */
export function gsiPermission(v: Vcpu, d: Domain, u: usize): i32 {
  const gsi = load<u32>(u);
  const flags = load<u32>(u, 4);
  if ((flags & ~(<u32>GSI_PERMISSION_GRANT)) != 0) return -EINVAL;
  if (gsi >= <u32>NR_GSIS) return -EACCES;
  if (!Rangeset.contains(v.domain.irqCaps, gsi, gsi)) return -EPERM;
  return changeRight(d, IO_IRQ, gsi, gsi, (flags & GSI_PERMISSION_GRANT) != 0, false);
}
