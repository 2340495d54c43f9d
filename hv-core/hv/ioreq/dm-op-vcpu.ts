/** dm_ops 13, 16 and 20: events for a vCPU, shutdown, number of vCPUs. `args` is the union of struct dm_op (spec 03 section 3.2). */
import { EBUSY, EINVAL, OK } from "../../abi/errno";
import { INJECT_VECTOR_FIRST, KNOB_INJECT } from "../../abi/knobs";
import { W_EVENT_HALF_FILLED } from "../../abi/windows";
import { Variant } from "../../base/variant";
import { ACCESS_WRITE, Window } from "../../base/window";
import { Domain } from "../domain";
import { domainShutdown } from "../domain/shutdown";
import { EVENT_HAS_ERROR, EVENT_VALID } from "../irq/event";
import { Vcpu } from "../vcpu";

/** Somebody fills in an event: not valid yet, and not free. */
const UPDATING: u32 = 1;
/** error_code of an event without one. */
const NO_ERROR_CODE: u32 = 0xffff_ffff;
/** Event types that VM entry knows: external, NMI, hardware exception, software interrupt, privileged and software exception. */
const KNOWN_TYPES: u32 = 0b111_1101;

/** {vcpuid u32 @0, vector u8 @4, type u8 @5, insn_len u8 @6, pad0 u8 @7, error_code u32 @8, pad1 u32 @12, cr2 u64 @16} */
export function dmInjectEvent(d: Domain, args: usize): i32 {
  const type = <u32>load<u8>(args, 5);
  const id = load<u32>(args);
  if (load<u8>(args, 7) != 0 || load<u32>(args, 12) != 0) return -EINVAL;
  if (id >= d.vcpuCount || ((KNOWN_TYPES >> (type & 31)) & 1) == 0 || type > 6) return -EINVAL;
  const v = Vcpu.at(d.firstVcpu + id);
  if (v.injectEvent != 0) return -EBUSY;
  const error = load<u32>(args, 8);
  const event = <u32>load<u8>(args, 4) | (type << 8) | (error == NO_ERROR_CODE ? 0 : EVENT_HAS_ERROR) | EVENT_VALID;
  // The gate: the vCPU takes the event when it is valid, another caller is sent away as soon as it is not zero.
  v.injectEvent = Variant.is(KNOB_INJECT, INJECT_VECTOR_FIRST) ? event : UPDATING;
  Window.at(W_EVENT_HALF_FILLED, changetype<usize>(v), ACCESS_WRITE);
  v.injectError = error == NO_ERROR_CODE ? 0 : error;
  v.injectCr2 = load<u64>(args, 16);
  v.injectLength = load<u8>(args, 6);
  if (!Variant.is(KNOB_INJECT, INJECT_VECTOR_FIRST)) v.injectEvent = event;
  return OK;
}

/** {reason u32 @0} */
export function dmRemoteShutdown(d: Domain, args: usize): i32 {
  domainShutdown(d, load<u32>(args));
  return OK;
}

/** {vcpus u32 OUT @0} */
export function dmNrVcpus(d: Domain, args: usize): i32 {
  store<u32>(args, d.maxVcpus);
  return OK;
}
