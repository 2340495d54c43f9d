/** Runstate: how long a vCPU ran, could have run, waited, or was off-line; for VCPUOP_get_runstate_info and the registered area. */
import { vcpuIsRunnable } from "../domain/vcpu-state";
import { copyToGuest, Scratch } from "../hypercall/guest-copy";
import { systemTime } from "../time/time";
import { Vcpu, VPF_DOWN } from "../vcpu";

export const RUNSTATE_RUNNING: u32 = 0;
export const RUNSTATE_RUNNABLE: u32 = 1;
export const RUNSTATE_BLOCKED: u32 = 2;
export const RUNSTATE_OFFLINE: u32 = 3;

/** Bytes of the structure: {state u32, entry u64, time[4] u64}; 32-bit callers align u64 to 4. */
export const RUNSTATE_SIZE_64: u32 = 48;
export const RUNSTATE_SIZE_32: u32 = 44;

class Times {
  @inline static at(v: Vcpu, state: u32): usize {
    return changetype<usize>(v) + offsetof<Vcpu>("runstateTime0") + ((<usize>state) << 3);
  }
}

/** Enters `state`; the time since the last change counts for the old one. */
export function runstateChange(v: Vcpu, state: u32): void {
  if (v.runstate == state) return;
  const now = systemTime();
  const at = Times.at(v, v.runstate);
  store<u64>(at, load<u64>(at) + (now - v.runstateEntry));
  v.runstate = state;
  v.runstateEntry = now;
}

/** What the vCPU is when it does not have the processor. */
export function runstateIdle(v: Vcpu): void {
  if (vcpuIsRunnable(v)) runstateChange(v, RUNSTATE_RUNNABLE);
  else runstateChange(v, (v.pauseFlags & VPF_DOWN) != 0 ? RUNSTATE_OFFLINE : RUNSTATE_BLOCKED);
}

/** Writes the structure at `to`, with the current state's time up to now. @returns its size. */
export function runstateFill(v: Vcpu, to: usize, is64: bool): u32 {
  const entry: usize = is64 ? 8 : 4;
  store<u32>(to, v.runstate);
  if (is64) store<u32>(to, 0, 4);
  store<u64>(to + entry, v.runstateEntry);
  const running = systemTime() - v.runstateEntry;
  for (let state: u32 = 0; state < 4; state++) {
    const ns = load<u64>(Times.at(v, state)) + (state == v.runstate ? running : 0);
    store<u64>(to + entry + 8 + ((<usize>state) << 3), ns);
  }
  return is64 ? RUNSTATE_SIZE_64 : RUNSTATE_SIZE_32;
}

/** Time spent running, ns. */
export function cpuTime(v: Vcpu): u64 {
  return v.runstateTime0 + (v.runstate == RUNSTATE_RUNNING ? systemTime() - v.runstateEntry : 0);
}

/** Copies the record to the area the guest registered; an area that has gone away is skipped silently, as Xen does. */
export function runstatePublish(v: Vcpu): void {
  if (v.runstateArea == 0) return;
  const to = Scratch.at + 0xf000;
  const size = runstateFill(v, to, v.runstateArea64 != 0);
  copyToGuest(v, v.runstateArea, to, size);
}
