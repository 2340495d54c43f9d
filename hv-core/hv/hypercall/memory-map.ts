/**
 * XENMEM_set_memory_map and XENMEM_memory_map: the E820 table that a domain's builder leaves for it, 20 bytes an entry.
 * XENMEM_machine_memory_map: the machine's own, for control domains; to others it does not exist.
 */
import { EFAULT, EINVAL, ENOMEM, ENOSYS, ESRCH, OK } from "../../abi/errno";
import { PAGE_SIZE } from "../../abi/layout";
import { Machine } from "../../base/machine";
import { allocExtent, freeFrame } from "../../mem/allocator";
import { FRAME_XEN_HEAP, Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { findDomain } from "../domain/find";
import { Vcpu } from "../vcpu";
import { xsmPriv, xsmTarget } from "../xsm/dummy";
import { copyFromGuest, copyToGuest, Scratch } from "./guest-copy";

const E820_RAM: u32 = 1;
const ENTRY_SIZE: u32 = 20;
/** As many as Xen's own table holds. */
const MAX_ENTRIES: u32 = 1024;
/** Frames that hold the largest table: 8. Nearly every table fits one. */
const TABLE_ORDER: u32 = 3;
const ENTRIES_IN_A_FRAME: u32 = PAGE_SIZE / ENTRY_SIZE;

/** A place for `count` entries: the one there is if it is large enough. */
function makeRoom(d: Domain, count: u32): i32 {
  const isLarge = count > ENTRIES_IN_A_FRAME;
  if (d.memoryMapMfn != 0 && (!isLarge || d.memoryMapEntries > ENTRIES_IN_A_FRAME)) return OK;
  const mfn = allocExtent(d.slot, FRAME_XEN_HEAP, isLarge ? TABLE_ORDER : 0);
  if (mfn == 0) return -ENOMEM;
  if (d.memoryMapMfn != 0) freeFrame(d.memoryMapMfn);
  d.memoryMapMfn = mfn;
  return OK;
}

/** {domid u16, {nr u32, buffer}}: 24 bytes, 12 from 32-bit code. */
export function setMemoryMap(v: Vcpu, argGva: u64): i64 {
  const arg = Scratch.at;
  const is64 = v.hypercall64 != 0;
  if (copyFromGuest(v, arg, argGva, is64 ? 24 : 12) != 0) return -EFAULT;
  const count = is64 ? load<u32>(arg, 8) : load<u32>(arg, 4);
  const buffer = is64 ? load<u64>(arg, 16) : load<u32>(arg, 8);
  if (count > MAX_ENTRIES) return -EINVAL;
  const found = findDomain(v, load<u16>(arg));
  if (found == 0) return -ESRCH;
  const d = changetype<Domain>(found);
  const denied = xsmTarget(v.domain, d);
  if (denied != OK) return denied;
  if (copyFromGuest(v, Scratch.at, buffer, count * ENTRY_SIZE) != 0) return -EFAULT;
  const error = makeRoom(d, count);
  if (error != OK) return error;
  memory.copy(Frame.host(d.memoryMapMfn), Scratch.at, count * ENTRY_SIZE);
  d.memoryMapEntries = count;
  return OK;
}

/** {nr u32 in and out, buffer}: as many entries as fit; -ENOSYS when the builder gave none. */
export function memoryMap(v: Vcpu, argGva: u64): i64 {
  const d = v.domain;
  if (d.memoryMapEntries == 0) return -ENOSYS;
  const arg = Scratch.at;
  const is64 = v.hypercall64 != 0;
  const size: u32 = is64 ? 16 : 8;
  if (copyFromGuest(v, arg, argGva, size) != 0) return -EFAULT;
  const count = min<u32>(load<u32>(arg), d.memoryMapEntries);
  const buffer = is64 ? load<u64>(arg, 8) : load<u32>(arg, 4);
  if (copyToGuest(v, buffer, Frame.host(d.memoryMapMfn), count * ENTRY_SIZE) != 0) return -EFAULT;
  store<u32>(arg, count);
  return copyToGuest(v, argGva, arg, size) != 0 ? -EFAULT : OK;
}

/** The machine is one run of RAM. Room for one entry more than there are is asked for, as Xen does. */
export function machineMemoryMap(v: Vcpu, argGva: u64): i64 {
  const arg = Scratch.at;
  const is64 = v.hypercall64 != 0;
  const size: u32 = is64 ? 16 : 8;
  if (xsmPriv(v.domain) != OK) return -ENOSYS;
  if (copyFromGuest(v, arg, argGva, size) != 0) return -EFAULT;
  if (load<u32>(arg) < 2) return -EINVAL;
  const entry = arg + 0x100;
  store<u64>(entry, 0);
  store<u64>(entry, (<u64>Machine.get().frameCount) << 12, 8);
  store<u32>(entry, E820_RAM, 16);
  const buffer = is64 ? load<u64>(arg, 8) : load<u32>(arg, 4);
  if (copyToGuest(v, buffer, entry, ENTRY_SIZE) != 0) return -EFAULT;
  store<u32>(arg, 1);
  return copyToGuest(v, argGva, arg, size) != 0 ? -EFAULT : OK;
}
