/** Unit-test build: the accountant without a machine around it (test/iocap/tracker.test.ts). Not part of any shipped build. */
import "../base/abort";
import { KNOB_IO_ACCOUNT, KNOB_IO_REVOKE } from "../abi/knobs";
import { FRAME_TABLE_BASE, IO_STATE_BASE, IO_STATE_SIZE, MACHINE_BASE, MACHINE_SIZE } from "../abi/layout";
import { Knobs, Machine } from "../base/machine";
import { Counts } from "../hv/iocap/account/counts";
import { Accountant } from "../hv/iocap/account/tracker";
import { IoState } from "../hv/iocap/io-state";
import { allocatorInit, allocFrame, freeFrames } from "../mem/allocator";
import { OWNER_XEN } from "../mem/frame-table";

export function reset(method: u32, policy: u32, frames: u32): void {
  memory.fill(MACHINE_BASE, 0, MACHINE_SIZE);
  memory.fill(FRAME_TABLE_BASE, 0, frames * 32);
  memory.fill(IO_STATE_BASE, 0, IO_STATE_SIZE);
  allocatorInit(frames);
  Knobs.set(KNOB_IO_ACCOUNT, method);
  Knobs.set(KNOB_IO_REVOKE, policy);
}

export function seal(): void {
  IoState.get().isSealed = 1;
}

export function reserve(kind: u32, first: u64, last: u64): i32 {
  return Accountant.reserve(kind, first, last);
}

/** Check and commit, as hv/iocap/permission.ts does them. */
export function grant(kind: u32, holder: u32, first: u64, last: u64, isShared: bool): i32 {
  const rc = Accountant.checkGrant(kind, holder, first, last, isShared);
  return rc != 0 ? rc : Accountant.grant(kind, holder, first, last, isShared);
}

export function revoke(kind: u32, holder: u32, first: u64, last: u64): i32 {
  const rc = Accountant.checkRevoke(kind, holder, first, last);
  if (rc == 0) Accountant.revoke(kind, holder, first, last);
  return rc;
}

export function map(holder: u32, first: u64, last: u64): i32 {
  return Accountant.map(holder, first, last);
}

export function unmap(holder: u32, first: u64, last: u64): void {
  Accountant.unmap(holder, first, last);
}

export function mayUse(kind: u32, holder: u32, first: u64, last: u64): bool {
  return Accountant.mayUse(kind, holder, first, last);
}

export function forget(holder: u32): void {
  Accountant.forget(holder);
}

export function state(kind: u32, unit: u64): u32 {
  return Accountant.state(kind, unit);
}

export function record(mfn: u64): u32 {
  return Counts.get(mfn);
}

export function search(first: u64, last: u64, holder: u32, isOther: bool): u64 {
  return Counts.search(first, last, holder, isOther);
}

export function counted(): u32 {
  return IoState.get().countedFrames;
}

export function total(): u32 {
  return IoState.get().countTotal;
}

export function bytes(): u32 {
  return Counts.bytes();
}

export function free(): u32 {
  return freeFrames();
}

/** Leaves the machine only `left` free frames. */
export function starve(left: u32): void {
  while (freeFrames() > left) if (allocFrame(OWNER_XEN, 0) == 0) return;
}

export function frameCount(): u32 {
  return Machine.get().frameCount;
}
