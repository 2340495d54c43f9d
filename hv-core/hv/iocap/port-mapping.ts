/**
 * DOMCTL_ioport_mapping: which of a guest's ports are ports of the machine (spec 06 section 6.1; 4.17 as recorded in V531..V552). A list per
 * domain, edited by device models and walked by vCPUs (C-16).
 */
import { EBUSY, EINVAL, ENOENT, ENOMEM, EOPNOTSUPP, EPERM, OK } from "../../abi/errno";
import { IO_ERA_TODAY, KNOB_IO_ERA } from "../../abi/knobs";
import { Lock } from "../../base/lock";
import { Knobs } from "../../base/machine";
import { FrameSlab, SLAB_IO_PORTS } from "../../mem/frame-slab";
import { Domain } from "../domain";
import { isPvDomain } from "../domain/find";
import { Vcpu } from "../vcpu";
import { changeRight } from "./change-right";
import { IO_PORT } from "./io-state";
import { Rangeset } from "./rangeset";

const MAX_PORTS: u32 = 0x1_0000;
const BYTES: u32 = 16;

@unmanaged
export class PortMapping {
  next: u32;
  /** Guest port, machine port, number of ports (0x10000 fits). */
  gport: u16;
  mport: u16;
  count: u32;
  private _pad: u32;

  @inline static at(address: u32): PortMapping {
    return changetype<PortMapping>(<usize>address);
  }
}

if (offsetof<PortMapping>() != <usize>BYTES) ERROR("PortMapping is 16 bytes");

function lockWord(d: Domain): usize {
  return changetype<usize>(d) + offsetof<Domain>("ioPortLock");
}

/** Address of the mapping that covers all of an access, 0 = none. */
export function portMappingOf(d: Domain, port: u32, size: u32): u32 {
  for (let at = d.ioPortMappings; at != 0; at = PortMapping.at(at).next) {
    const m = PortMapping.at(at);
    if (port >= <u32>m.gport && port + size <= <u32>m.gport + m.count) return at;
  }
  return 0;
}

/** Address of the word that names the first mapping with this machine port (and number, when it is not 0); 0 = none. */
function placeOf(d: Domain, mport: u32, count: u32): usize {
  let place = changetype<usize>(d) + offsetof<Domain>("ioPortMappings");
  while (load<u32>(place) != 0) {
    const m = PortMapping.at(load<u32>(place));
    if (<u32>m.mport == mport && (count == 0 || m.count == count)) return place;
    place = changetype<usize>(m);
  }
  return 0;
}

/** Today: machine ports of two mappings may not overlap, nor even touch (off by one in the comparison, as in Xen). */
function isNear(d: Domain, mport: u32, count: u32): bool {
  for (let at = d.ioPortMappings; at != 0; at = PortMapping.at(at).next) {
    const m = PortMapping.at(at);
    if (mport <= <u32>m.mport + m.count && <u32>m.mport <= mport + count) return true;
  }
  return false;
}

function append(d: Domain, gport: u32, mport: u32, count: u32, spare: u32): void {
  const m = PortMapping.at(spare);
  m.next = 0;
  m.gport = <u16>gport;
  m.mport = <u16>mport;
  m.count = count;
  let place = changetype<usize>(d) + offsetof<Domain>("ioPortMappings");
  while (load<u32>(place) != 0) place = <usize>load<u32>(place);
  store<u32>(place, spare);
}

function unlink(place: usize): void {
  const at = load<u32>(place);
  store<u32>(place, PortMapping.at(at).next);
  FrameSlab.free(SLAB_IO_PORTS, at);
}

/** @param spare memory for the entry, given back when none is needed. */
function add(d: Domain, gport: u32, mport: u32, count: u32, isToday: bool, spare: u32): i32 {
  const place = placeOf(d, mport, isToday ? count : 0);
  const isRefused = place == 0 && isToday && isNear(d, mport, count);
  if (place == 0 && !isRefused) {
    append(d, gport, mport, count, spare);
    return OK;
  }
  FrameSlab.free(SLAB_IO_PORTS, spare);
  if (isRefused) return -EBUSY;
  const m = PortMapping.at(load<u32>(place));
  m.gport = <u16>gport;
  m.count = count;
  return OK;
}

/** All that can fail comes before anything changes: the entry's memory, then (4.17) the grant that the mapping is. */
function map(d: Domain, gport: u32, mport: u32, count: u32, isToday: bool): i32 {
  const spare = FrameSlab.alloc(SLAB_IO_PORTS, BYTES);
  if (spare == 0) return -ENOMEM;
  const granted = isToday ? OK : changeRight(d, IO_PORT, mport, mport + count - 1, true, false);
  if (granted != OK) {
    FrameSlab.free(SLAB_IO_PORTS, spare);
    return granted;
  }
  Lock.acquire(lockWord(d));
  const rc = add(d, gport, mport, count, isToday, spare);
  Lock.release(lockWord(d));
  return rc;
}

function remove(d: Domain, mport: u32, count: u32, isToday: bool): i32 {
  const place = placeOf(d, mport, isToday ? count : 0);
  if (place == 0) return isToday ? -ENOENT : OK;
  unlink(place);
  return OK;
}

/** {first_gport u32, first_mport u32, nr_ports u32, add u32}. In 4.17 a mapping is a grant, and its removal takes the right away. */
export function ioportMapping(v: Vcpu, d: Domain, u: usize): i32 {
  const gport = load<u32>(u);
  const mport = load<u32>(u, 4);
  const count = load<u32>(u, 8);
  const isAdd = load<u32>(u, 12) != 0;
  if (isPvDomain(d)) return -EOPNOTSUPP;
  const isWrong = count == 0 || count > MAX_PORTS || gport > MAX_PORTS || mport > MAX_PORTS;
  if (isWrong || gport + count > MAX_PORTS || mport + count > MAX_PORTS) return -EINVAL;
  const last = mport + count - 1;
  if (!Rangeset.contains(v.domain.ioportCaps, mport, last)) return -EPERM;
  const isToday = Knobs.get(KNOB_IO_ERA) == <u32>IO_ERA_TODAY;
  if (isToday && isAdd && !Rangeset.contains(d.ioportCaps, mport, last)) return -EPERM;
  if (isAdd) return map(d, gport, mport, count, isToday);
  Lock.acquire(lockWord(d));
  const rc = remove(d, mport, count, isToday);
  Lock.release(lockWord(d));
  return isToday ? rc : changeRight(d, IO_PORT, mport, last, false, false);
}

/** The domain dies. */
export function portMappingsForget(d: Domain): void {
  while (d.ioPortMappings != 0) unlink(changetype<usize>(d) + offsetof<Domain>("ioPortMappings"));
}
