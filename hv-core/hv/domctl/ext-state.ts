/**
 * DOMCTL_getvcpuextstate and setvcpuextstate: {vcpu u32, pad, feature mask u64, size u64, buffer handle u64}; the buffer is
 * {xcr0, xcr0_accum, save area} (abi/xstate.ts). The toolstack asks for the size first and for the data afterwards, and in between
 * the vCPU may have set XCR0: the size must be one that is large enough whatever it does (C-75). errno as Xen 4.17 answers.
 */
import { EFAULT, EINVAL, EOPNOTSUPP, ESRCH, OK } from "../../abi/errno";
import { EXT_STATE_CURRENT, KNOB_EXT_STATE, KNOB_XSETBV } from "../../abi/knobs";
import {
  XSTATE_ALL,
  XSTATE_AREA_SIZE,
  XSTATE_BV,
  XSTATE_MAX_SIZE,
  XSTATE_PREFIX_SIZE,
  XSTATE_RESERVED,
  XSTATE_XCOMP_BV,
} from "../../abi/xstate";
import { Variant } from "../../base/variant";
import { Domain } from "../domain";
import { findVcpu } from "../domain/find";
import { domainPauseSync, domainUnpause } from "../domain/pause";
import { copyFromGuest, copyToGuest, Scratch } from "../hypercall/guest-copy";
import { Vcpu } from "../vcpu";
import { Xstate } from "../xstate";

const MASK: usize = 8;
const SIZE: usize = 16;
const BUFFER: usize = 24;
/** The toolstack's buffer, above the domctl's structure. */
const RECEIVED: usize = 0x100;

/** A vCPU of another domain; null for none, or for one of the caller's own: that would be a pause of oneself. */
function subjectOf(v: Vcpu, d: Domain, u: usize): usize {
  return d.slot == v.domainSlot ? 0 : findVcpu(d, load<u32>(u));
}

function answerSize(u: usize, size: u32): i32 {
  store<u64>(u, XSTATE_ALL, MASK);
  store<u64>(u, size, SIZE);
  return OK;
}

/** Without a buffer: how large it must be. @returns OK; -ESRCH (no vCPU), -EINVAL (own domain, too small, other features), -EFAULT. */
export function getExtState(v: Vcpu, d: Domain, u: usize): i32 {
  const found = subjectOf(v, d, u);
  if (found == 0) return d.slot == v.domainSlot ? -EINVAL : -ESRCH;
  const state = Xstate.of(changetype<Vcpu>(found));
  const buffer = load<u64>(u, BUFFER);
  if (buffer == 0 || (load<u64>(u, SIZE) == 0 && load<u64>(u, MASK) == 0)) {
    const isCurrent = Variant.is(KNOB_EXT_STATE, EXT_STATE_CURRENT);
    return answerSize(u, isCurrent ? Xstate.sizeOf(state.accumulated) : XSTATE_MAX_SIZE);
  }
  domainPauseSync(v, d);
  const size = Xstate.sizeOf(state.accumulated);
  let rc = OK;
  if (load<u64>(u, SIZE) < <u64>size || load<u64>(u, MASK) != <u64>XSTATE_ALL) rc = -EINVAL;
  else if (copyToGuest(v, buffer, changetype<usize>(state), size) != 0) rc = -EFAULT;
  domainUnpause(d);
  if (rc == OK) store<u64>(u, size, SIZE);
  return rc;
}

/** What the domain's CPUID lets its vCPUs have: nothing, but for the variant in which guests set XCR0. */
function allowed(): u64 {
  return Variant.is(KNOB_XSETBV, 1) ? <u64>XSTATE_ALL : 0;
}

/** Whether the header and the two words before the area can be true: OK, -EINVAL, or -EOPNOTSUPP for forms that are not taken. */
function validate(received: usize, size: u64): i32 {
  const xcr0 = load<u64>(received);
  const accumulated = load<u64>(received, 8);
  if (accumulated == 0) return xcr0 == 0 ? OK : -EINVAL;
  if (size < <u64>XSTATE_MAX_SIZE) return -EINVAL;
  const area = received + XSTATE_PREFIX_SIZE;
  if ((load<u64>(area, XSTATE_BV) & ~accumulated) != 0 || (xcr0 & ~accumulated) != 0) return -EINVAL;
  if (!Xstate.isLegal(accumulated, allowed()) || (xcr0 != 0 && !Xstate.isLegal(xcr0, allowed()))) return -EINVAL;
  if (load<u64>(area, XSTATE_XCOMP_BV) != 0) return -EOPNOTSUPP;
  for (let at: usize = XSTATE_RESERVED; at < <usize>XSTATE_AREA_SIZE; at += 8) {
    if (load<u64>(area + at) != 0) return -EOPNOTSUPP;
  }
  return OK;
}

/** @returns OK; -ESRCH, -EINVAL (own domain, a size or words that cannot be), -EFAULT, -EOPNOTSUPP (compacted, reserved bytes). */
export function setExtState(v: Vcpu, d: Domain, u: usize): i32 {
  const found = subjectOf(v, d, u);
  if (found == 0) return d.slot == v.domainSlot ? -EINVAL : -ESRCH;
  const size = load<u64>(u, SIZE);
  if (size < <u64>XSTATE_PREFIX_SIZE || size > <u64>XSTATE_MAX_SIZE) return -EINVAL;
  const received = Scratch.at + RECEIVED;
  if (copyFromGuest(v, received, load<u64>(u, BUFFER), <u32>size) != 0) return -EFAULT;
  const rc = validate(received, size);
  if (rc != OK || size == <u64>XSTATE_PREFIX_SIZE) return rc; // two words alone: nothing to restore
  if (size != <u64>Xstate.sizeOf(load<u64>(received, 8))) return -EINVAL;
  domainPauseSync(v, d);
  memory.copy(changetype<usize>(Xstate.of(changetype<Vcpu>(found))), received, XSTATE_MAX_SIZE);
  domainUnpause(d);
  return OK;
}
