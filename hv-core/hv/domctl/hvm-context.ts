/**
 * DOMCTL_gethvmcontext and sethvmcontext: the state of an HVM domain as records {typecode u16, instance u16, length u32, data}
 * in the public save format. Known here: HEADER, CPU, MTRR (its default type) and END; other records of a context are refused.
 * Next: domctl/cpu-record.ts.
 */
import { EFAULT, EINVAL, ENODATA, ENOSPC, OK } from "../../abi/errno";
import {
  HVM_SAVE_CPU,
  HVM_SAVE_CPU_SIZE,
  HVM_SAVE_END,
  HVM_SAVE_HEADER,
  HVM_SAVE_HEADER_SIZE,
  HVM_SAVE_MAGIC,
  HVM_SAVE_MTRR,
  HVM_SAVE_MTRR_SIZE,
} from "../../abi/hypercalls";
import { KNOB_TSC_KHZ } from "../../abi/knobs";
import { Knobs } from "../../base/machine";
import { Domain } from "../domain";
import { copyFromGuest, copyToGuest, Scratch } from "../hypercall/guest-copy";
import { Vcpu } from "../vcpu";
import { cpuRecordRead, cpuRecordWrite } from "./cpu-record";

const DESCRIPTOR_SIZE: u32 = 8;
/** Where records are built and read, one at a time. */
const RECORD: usize = 0x400;
/** u64 words of an MTRR record: pat, 16 variable, 11 fixed, cap, def_type. */
const MTRR_PAT: usize = 0;
const MTRR_CAP: usize = 224;
const MTRR_DEF_TYPE: usize = 232;
const MTRR_CAP_VALUE: u64 = 0x508;
const SAVED_CPUID: u32 = 0x0080_0f12;

/** Bytes of the whole context with every vCPU present. */
function contextSize(d: Domain): u32 {
  const perVcpu = 2 * DESCRIPTOR_SIZE + HVM_SAVE_CPU_SIZE + HVM_SAVE_MTRR_SIZE;
  return DESCRIPTOR_SIZE + HVM_SAVE_HEADER_SIZE + d.vcpuCount * perVcpu + DESCRIPTOR_SIZE;
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

function emitMtrr(v: Vcpu, to: u64, subject: Vcpu): u64 {
  const data = Record.data;
  memory.fill(data, 0, HVM_SAVE_MTRR_SIZE);
  store<u64>(data + MTRR_PAT, subject.cpu.pat);
  store<u64>(data + MTRR_CAP, MTRR_CAP_VALUE);
  store<u64>(data + MTRR_DEF_TYPE, subject.msrMtrrDefType);
  return emit(v, to, HVM_SAVE_MTRR, subject.id, HVM_SAVE_MTRR_SIZE);
}

/** Writes all records from `to` on; @returns bytes written, 0 on a fault. */
function emitAll(v: Vcpu, d: Domain, to: u64): u32 {
  let at = emitHeader(v, to);
  for (let id: u32 = 0; id < d.vcpuCount && at != 0; id++) {
    const subject = Vcpu.at(d.firstVcpu + id);
    if (subject.initialised == 0) continue;
    cpuRecordWrite(subject, Record.data);
    at = emit(v, at, HVM_SAVE_CPU, id, HVM_SAVE_CPU_SIZE);
  }
  for (let id: u32 = 0; id < d.vcpuCount && at != 0; id++) at = emitMtrr(v, at, Vcpu.at(d.firstVcpu + id));
  if (at != 0) at = emit(v, at, HVM_SAVE_END, 0, 0);
  return at == 0 ? 0 : <u32>(at - to);
}

/** {size u32, buffer @8}: with no buffer the size is asked for; -ENOSPC when the buffer is too small. */
export function getHvmContext(v: Vcpu, d: Domain, u: usize): i32 {
  if (d.isHvm == 0) return -EINVAL;
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

/** The vCPU that a record is of: its address, 0 = no such vCPU. */
function recordVcpu(d: Domain, instance: u32): usize {
  return instance < d.vcpuCount ? changetype<usize>(Vcpu.at(d.firstVcpu + instance)) : 0;
}

/** One record whose data (`length` bytes) stands at Record.data. */
function takeRecord(d: Domain, type: u32, instance: u32, length: u32): i32 {
  const subject = recordVcpu(d, instance);
  if (subject == 0) return -EINVAL;
  if (type == <u32>HVM_SAVE_CPU) {
    if (length != <u32>HVM_SAVE_CPU_SIZE) return -EINVAL;
    return cpuRecordRead(changetype<Vcpu>(subject), Record.data);
  }
  if (type == <u32>HVM_SAVE_MTRR) {
    if (length != <u32>HVM_SAVE_MTRR_SIZE) return -EINVAL;
    changetype<Vcpu>(subject).msrMtrrDefType = load<u64>(Record.data + MTRR_DEF_TYPE);
    return OK;
  }
  return -EINVAL;
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
  if (d.isHvm == 0) return -EINVAL;
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
