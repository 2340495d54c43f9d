/**
 * Ports of the machine that a domain's own accesses reach: those a device model has mapped for a guest (port-mapping.ts), and dom0's, which are
 * checked at every use. So a right to a port that dom0 loses is gone at once, while a guest's mapping is a mapping and stays; the accountant looks
 * at every use of that too.
 *
 * Before: emulate/do-io.ts. Next: hw/bus.ts.
 */
import { CTR_IO_CHECKS } from "../../abi/counters";
import { IO_RACE_PORT_LIST, KNOB_DOM0_VCPUS, KNOB_IO_RACE } from "../../abi/knobs";
import { W_IO_PORT_FOUND } from "../../abi/windows";
import { Count } from "../../base/counters";
import { Knobs } from "../../base/machine";
import { Variant } from "../../base/variant";
import { ACCESS_READ, Window } from "../../base/window";
import { Bus } from "../../hw/bus";
import { Domain } from "../domain";
import { Vcpu } from "../vcpu";
import { Accountant } from "./account/tracker";
import { holderOf } from "./hooks";
import { IO_PORT, IoState } from "./io-state";
import { PortMapping, portMappingOf } from "./port-mapping";
import { Rangeset } from "./rangeset";

/** Nobody has passed the port on: a device model is to answer. */
export const PORT_NOT_PASSED: u32 = 0;
/** Done; what was read is in Vcpu.ioData. */
export const PORT_DONE: u32 = 1;
/** The mapping has gone between two looks: the instruction runs again. */
export const PORT_RETRY: u32 = 2;

/** Whether dom0 runs processors of its own, and so uses ports itself. */
function isRunning(d: Domain): bool {
  return d.slot == 0 && Knobs.get(KNOB_DOM0_VCPUS) != 0;
}

/** Whether a port of the domain is the machine's, and not a device model's. */
export function isPortPassed(d: Domain, port: u32, size: u32): bool {
  return isRunning(d) || (d.ioPortMappings != 0 && portMappingOf(d, port, size) != 0);
}

/** A use of machine ports by a domain: one look into the capabilities, and with the accountant one at who holds them now. */
export function mayUsePorts(d: Domain, port: u32, size: u32): bool {
  Count.one(CTR_IO_CHECKS);
  if (!Rangeset.contains(d.ioportCaps, port, port + size - 1)) return false;
  if (!Accountant.isOn()) return true;
  IoState.acquire();
  const yes = Accountant.mayUse(IO_PORT, holderOf(d), port, port + size - 1);
  IoState.release();
  return yes;
}

function access(v: Vcpu, port: u32, size: u32, isRead: bool, data: u64): u32 {
  v.ioData = Bus.port(port, v.slot + 1, size, isRead, <u32>data);
  return PORT_DONE;
}

/** Nobody there. */
function float(v: Vcpu, isRead: bool): u32 {
  if (isRead) v.ioData = 0xffff_ffff_ffff_ffff;
  return PORT_DONE;
}

/** One access of `size` bytes to a port. */
export function passedPort(v: Vcpu, port: u32, size: u32, isRead: bool, data: u64): u32 {
  const d = v.domain;
  if (isRunning(d)) return mayUsePorts(d, port, size) ? access(v, port, size, isRead, data) : float(v, isRead);
  if (d.ioPortMappings == 0) return PORT_NOT_PASSED;
  const found = portMappingOf(d, port, size);
  if (found == 0) return PORT_NOT_PASSED;
  Window.at(W_IO_PORT_FOUND, changetype<usize>(d), ACCESS_READ); // a device model may take the mapping away now (XSA-491)
  if (!Variant.is(KNOB_IO_RACE, IO_RACE_PORT_LIST) && portMappingOf(d, port, size) != found) return PORT_RETRY;
  const m = PortMapping.at(found);
  const mport = port - <u32>m.gport + <u32>m.mport;
  if (Accountant.isOn() && !mayUsePorts(d, mport, size)) return float(v, isRead);
  return access(v, mport, size, isRead, data);
}
