/**
 * DOMCTL_gethvmcontext, gethvmcontext_partial and sethvmcontext: the state of an HVM domain as records {typecode u16, instance u16,
 * length u32, data} in the public save format, HEADER first, END last, each type in order for each vCPU. The records themselves:
 * domctl/hvm-records.ts, domctl/cpu-record.ts.
 */

import { CTR_LOOP_STEPS } from "../../abi/counters";
import { EFAULT, EINVAL, ENOBUFS, ENODATA, ENOENT, ENOSPC, OK } from "../../abi/errno";
import { HVM_SAVE_END, HVM_SAVE_HEADER, HVM_SAVE_HEADER_SIZE, HVM_SAVE_MAGIC } from "../../abi/hypercalls";
import { KNOB_TSC_KHZ } from "../../abi/knobs";
import { Count } from "../../base/counters";
import { Knobs } from "../../base/machine";
import { Domain } from "../domain";
import { findVcpu, isPvDomain } from "../domain/find";
import { copyFromGuest, copyToGuest, Scratch } from "../hypercall/guest-copy";
import { Vcpu } from "../vcpu";
import { isPerVcpu, recordRead, recordSize, recordWrite, SAVE_FIRST, SAVE_LAST } from "./hvm-records";

const DESCRIPTOR_SIZE: u32 = 8;
/** Where records are built and read, one at a time. */
const RECORD: usize = 0x1000;
const SAVED_CPUID: u32 = 0x0080_0f12;
/** Room that Xen asks for on behalf of records this machine never writes (V300: 5400 bytes for one vCPU). */
const ROOM_FOR_OTHERS: u32 = 2896;

/** Bytes that the whole context takes at most. */
function contextSize(d: Domain): u32 {
  let size = 2 * DESCRIPTOR_SIZE + HVM_SAVE_HEADER_SIZE + ROOM_FOR_OTHERS;
  for (let type = SAVE_FIRST; type <= SAVE_LAST; type++) {
    const bytes = recordSize(d, type);
    if (bytes != 0) size += (bytes + DESCRIPTOR_SIZE) * (isPerVcpu(type) ? d.vcpuCount : 1);
  }
  return size;
}

class Record {
  @inline static get at(): usize {
    return Scratch.at + RECORD;
  }

  @inline static get data(): usize {
    return Scratch.at + RECORD + DESCRIPTOR_SIZE;
  }
}

/** Copies the record at Record.at with this descriptor out; @returns the address after it, 0 on a fault. */
function emit(v: Vcpu, to: u64, type: u32, instance: u32, length: u32): u64 {
  store<u16>(Record.at, <u16>type);
  store<u16>(Record.at, <u16>instance, 2);
  store<u32>(Record.at, length, 4);
  const bytes = length + DESCRIPTOR_SIZE;
  return copyToGuest(v, to, Record.at, bytes) != 0 ? 0 : to + bytes;
}

function emitHeader(v: Vcpu, to: u64): u64 {
  const data = Record.data;
  memory.fill(data, 0, HVM_SAVE_HEADER_SIZE);
  store<u32>(data, HVM_SAVE_MAGIC);
  store<u32>(data, 1, 4);
  store<u32>(data, SAVED_CPUID, 16);
  store<u32>(data, Knobs.get(KNOB_TSC_KHZ), 20);
  return emit(v, to, HVM_SAVE_HEADER, 0, HVM_SAVE_HEADER_SIZE);
}

/** All records of one type; @returns the address after them, 0 on a fault. */
function emitType(v: Vcpu, d: Domain, to: u64, type: u32): u64 {
  let at = to;
  const count: u32 = isPerVcpu(type) ? d.vcpuCount : 1;
  for (let id: u32 = 0; id < count && at != 0; id++) {
    Count.one(CTR_LOOP_STEPS);
    const length = recordWrite(Vcpu.at(d.firstVcpu + id), type, Record.data);
    if (length != 0) at = emit(v, at, type, id, length);
  }
  return at;
}

/** Writes all records from `to` on; @returns bytes written, 0 on a fault. */
function emitAll(v: Vcpu, d: Domain, to: u64): u32 {
  let at = emitHeader(v, to);
  for (let type = SAVE_FIRST; type <= SAVE_LAST && at != 0; type++) at = emitType(v, d, at, type);
  if (at != 0) at = emit(v, at, HVM_SAVE_END, 0, 0);
  return at == 0 ? 0 : <u32>(at - to);
}

/** {size u32, buffer @8}: with no buffer the size is asked for; -ENOSPC when the buffer is too small. */
export function getHvmContext(v: Vcpu, d: Domain, u: usize): i32 {
  if (isPvDomain(d)) return -EINVAL;
  const buffer = load<u64>(u, 8);
  const size = contextSize(d);
  if (buffer == 0) {
    store<u32>(u, size);
    return OK;
  }
  if (load<u32>(u) < size) return -ENOSPC;
  const written = emitAll(v, d, buffer);
  if (written == 0) return -EFAULT;
  store<u32>(u, written);
  return OK;
}

function takeHeader(data: usize): i32 {
  return load<u32>(data) == <u32>HVM_SAVE_MAGIC && load<u32>(data, 4) == 1 ? OK : -EINVAL;
}

/**
 * {type u32, instance u32, bufsz u64, buffer u64}: one record without its descriptor. No buffer: the size is asked for.
 * -EINVAL for a type without handler, -ENOENT for an absent vCPU or domain record, -ENODATA for an absent vCPU record.
 */
export function getHvmContextPartial(v: Vcpu, d: Domain, u: usize): i32 {
  if (isPvDomain(d)) return -EINVAL;
  const type = load<u32>(u);
  if (type < SAVE_FIRST || type > SAVE_LAST) return -EINVAL;
  const instance = load<u32>(u, 4);
  const found = findVcpu(d, isPerVcpu(type) ? instance : 0);
  if (found == 0) return -ENOENT;
  const length = recordWrite(changetype<Vcpu>(found), type, Record.data);
  if (length == 0) return isPerVcpu(type) ? -ENODATA : -ENOENT;
  if (!isPerVcpu(type) && instance != 0) return -ENOENT;
  const buffer = load<u64>(u, 16);
  if (buffer != 0) {
    if (load<u64>(u, 8) < length) return -ENOBUFS;
    if (copyToGuest(v, buffer, Record.data, length) != 0) return -EFAULT;
  }
  store<u64>(u, length, 8);
  return OK;
}

/** One record whose data (`length` bytes) stands at Record.data. */
function takeRecord(d: Domain, type: u32, instance: u32, length: u32): i32 {
  const found = findVcpu(d, isPerVcpu(type) ? instance : 0);
  return found == 0 ? -EINVAL : recordRead(changetype<Vcpu>(found), type, Record.data, length);
}

/** Every record of one vCPU goes into another of the same kind of domain (a fork). OK or what reading a record answers. */
export function copyVcpuRecords(from: Vcpu, to: Vcpu): i32 {
  for (let type = SAVE_FIRST; type <= SAVE_LAST; type++) {
    if (!isPerVcpu(type) && from.id != 0) continue;
    const length = recordWrite(from, type, Record.data);
    const error = length == 0 ? OK : recordRead(to, type, Record.data, length);
    if (error != OK) return error;
  }
  return OK;
}

/** Reads the descriptor and the data of the record at `from`. OK, -ENODATA (truncated), -EFAULT, -EINVAL (too long). */
function fetch(v: Vcpu, from: u64, left: u32): i32 {
  if (left < DESCRIPTOR_SIZE) return -ENODATA;
  if (copyFromGuest(v, Record.at, from, DESCRIPTOR_SIZE) != 0) return -EFAULT;
  const length = load<u32>(Record.at, 4);
  if (length > left - DESCRIPTOR_SIZE) return -ENODATA;
  if (length > 4096) return -EINVAL;
  return copyFromGuest(v, Record.data, from + DESCRIPTOR_SIZE, length) != 0 ? -EFAULT : OK;
}

/** {size u32, buffer @8}: HEADER first, END last. Records before a bad one have taken effect, as in Xen. */
export function setHvmContext(v: Vcpu, d: Domain, u: usize): i32 {
  if (isPvDomain(d)) return -EINVAL;
  let left = load<u32>(u);
  let from = load<u64>(u, 8);
  let isFirst = true;
  while (true) {
    const error = fetch(v, from, left);
    if (error != OK) return error;
    const type: u32 = load<u16>(Record.at);
    const length = load<u32>(Record.at, 4);
    if (isFirst) {
      if (type != <u32>HVM_SAVE_HEADER || length != <u32>HVM_SAVE_HEADER_SIZE) return -ENODATA;
      const bad = takeHeader(Record.data);
      if (bad != OK) return bad;
      isFirst = false;
    } else {
      if (type == <u32>HVM_SAVE_END) return OK;
      const bad = takeRecord(d, type, load<u16>(Record.at, 2), length);
      if (bad != OK) return bad;
    }
    from += length + DESCRIPTOR_SIZE;
    left -= length + DESCRIPTOR_SIZE;
  }
}
