/**
 * HVM parameters: which exist, who may read and write them, which are written once, and what writing one does
 * (spec 08 section 8.3; the table is what Xen 4.17 answers).
 */
import { EEXIST, EINVAL, ENODEV, EPERM, OK } from "../../abi/errno";
import {
  HVM_NR_PARAMS,
  HVM_PARAM_ACPI_IOPORTS_LOCATION,
  HVM_PARAM_BUFIOREQ_PFN,
  HVM_PARAM_CALLBACK_IRQ,
  HVM_PARAM_CONSOLE_EVTCHN,
  HVM_PARAM_CONSOLE_PFN,
  HVM_PARAM_IOREQ_PFN,
  HVM_PARAM_IOREQ_SERVER_PFN,
  HVM_PARAM_NR_IOREQ_SERVER_PAGES,
  HVM_PARAM_STORE_EVTCHN,
  HVM_PARAM_STORE_PFN,
  HVM_PARAM_TIMER_MODE,
  HVM_PARAM_TRIPLE_FAULT_REASON,
  HVM_PARAM_VIRIDIAN,
  SHUTDOWN_SOFT_RESET,
} from "../../abi/hypercalls";
import { Domain } from "../domain";
import { PmPorts } from "../time/pm-ports";
import { Vcpu } from "../vcpu";
import { xsmTarget } from "../xsm/dummy";
import { latchLayout } from "./latch";

const HVM_PARAM_ACPI_S_STATE = 14;
const HVM_PARAM_VM86_TSS = 15;
const HVM_PARAM_VM_GENERATION_ID_ADDR = 34;
const HVM_PARAM_ALTP2M = 35;
const HVM_PARAM_X87_FIP_WIDTH = 36;
const HVM_PARAM_VM86_TSS_SIZED = 37;
const HVM_PARAM_MCA_CAP = 38;

const MAX_IOREQ_SERVER_PAGES: u64 = 64;
const TSS32_SIZE: u64 = 104;

/** Numbers that no longer mean anything: 4, 13, 20..26, 30. */
export function isParamDeprecated(index: u32): bool {
  return index == 4 || index == 13 || (index >= 20 && index <= 26) || index == 30;
}

function mayGuestSet(index: u32): bool {
  switch (index) {
    case HVM_PARAM_CALLBACK_IRQ:
    case HVM_PARAM_STORE_EVTCHN:
    case HVM_PARAM_VM86_TSS:
    case HVM_PARAM_CONSOLE_EVTCHN:
    case HVM_PARAM_ACPI_IOPORTS_LOCATION:
    case HVM_PARAM_VM_GENERATION_ID_ADDR:
    case HVM_PARAM_X87_FIP_WIDTH:
    case HVM_PARAM_VM86_TSS_SIZED:
      return true;
    default:
      return false;
  }
}

function mayGuestGet(index: u32): bool {
  switch (index) {
    case HVM_PARAM_STORE_PFN:
    case HVM_PARAM_CONSOLE_PFN:
    case HVM_PARAM_ALTP2M:
      return true;
    default:
      return mayGuestSet(index);
  }
}

/** Parameters that keep their first value other than 0. */
function isWriteOnce(index: u32): bool {
  switch (index) {
    case HVM_PARAM_IOREQ_PFN:
    case HVM_PARAM_BUFIOREQ_PFN:
    case HVM_PARAM_VIRIDIAN:
    case HVM_PARAM_IOREQ_SERVER_PFN:
    case HVM_PARAM_NR_IOREQ_SERVER_PAGES:
    case HVM_PARAM_ALTP2M:
    case HVM_PARAM_MCA_CAP:
      return true;
    default:
      return false;
  }
}

function isOwn(v: Vcpu, d: Domain): bool {
  return v.domainSlot == d.slot;
}

/** The checks that set and get share, in Xen's order. */
function check(v: Vcpu, d: Domain, index: u32, mayGuest: bool): i32 {
  const denied = xsmTarget(v.domain, d);
  if (denied != OK) return denied;
  if (isParamDeprecated(index)) return -EINVAL;
  if (isOwn(v, d) && !mayGuest) return -EPERM;
  return OK;
}

/** Checks the value of a parameter that has rules, and does what goes with it. */
function apply(v: Vcpu, d: Domain, index: u32, value: u64): i32 {
  switch (index) {
    case HVM_PARAM_CALLBACK_IRQ:
      if (isOwn(v, d)) latchLayout(v);
      return OK;
    case HVM_PARAM_TIMER_MODE:
      return value > 3 ? -EINVAL : OK;
    case HVM_PARAM_ACPI_S_STATE:
      return value == 0 || value == 3 ? OK : -EINVAL;
    case HVM_PARAM_ACPI_IOPORTS_LOCATION:
      if (!PmPorts.has(d)) return -ENODEV;
      return value > 1 ? -EINVAL : OK;
    case HVM_PARAM_TRIPLE_FAULT_REASON:
      return value > <u64>SHUTDOWN_SOFT_RESET ? -EINVAL : OK;
    case HVM_PARAM_NR_IOREQ_SERVER_PAGES:
      return value == 0 || value > MAX_IOREQ_SERVER_PAGES ? -EINVAL : OK;
    case HVM_PARAM_ALTP2M:
      return value > 3 ? -EINVAL : OK;
    case HVM_PARAM_X87_FIP_WIDTH:
      return value == 0 || value == 4 || value == 8 ? OK : -EINVAL;
    case HVM_PARAM_VM86_TSS_SIZED:
      return value >> 32 < TSS32_SIZE ? -EINVAL : OK;
    case HVM_PARAM_MCA_CAP:
      return -EINVAL; // no local machine check to enable
    default:
      return OK;
  }
}

/** HVMOP_set_param on `d`. */
export function paramSet(v: Vcpu, d: Domain, index: u32, value: u64): i32 {
  if (index >= <u32>HVM_NR_PARAMS) return -EINVAL;
  const refused = check(v, d, index, mayGuestSet(index));
  if (refused != OK) return refused;
  const old = d.param(index);
  if (isWriteOnce(index) && old != 0 && old != value) return -EEXIST;
  const error = apply(v, d, index, value);
  if (error != OK) return error;
  // The old TSS parameter carries an implied size of 128 bytes and lands in the new one.
  if (index == <u32>HVM_PARAM_VM86_TSS) d.setParam(HVM_PARAM_VM86_TSS_SIZED, value | ((<u64>0x80) << 32));
  else if (index == <u32>HVM_PARAM_VM86_TSS_SIZED) d.setParam(HVM_PARAM_VM86_TSS, value & 0xffff_ffff);
  d.setParam(index, value);
  return OK;
}

/** HVMOP_get_param on `d`: OK and *d.param(index)*, or -errno. */
export function paramGet(v: Vcpu, d: Domain, index: u32): i32 {
  if (index >= <u32>HVM_NR_PARAMS) return -EINVAL;
  return check(v, d, index, mayGuestGet(index));
}
