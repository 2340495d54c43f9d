/**
 * DOMCTL_gettscinfo and settscinfo: {tsc_mode u32, gtsc_khz u32, incarnation u32, pad u32, elapsed_nsec u64}. The guest sees the
 * mode, the frequency and the incarnation in CPUID leaf 40000003; in the emulated mode its TSC goes on from `elapsed_nsec`.
 * The rate of the TSC itself is the machine's (knob tsc.khz).
 */
import { TSC_MODE_ALWAYS_EMULATE, TSC_MODE_NEVER_EMULATE } from "../../abi/domctl";
import { EINVAL, OK } from "../../abi/errno";
import { DEFECT_STACK_PADDING, KNOB_TSC_KHZ } from "../../abi/knobs";
import { Defects } from "../../base/defects";
import { Knobs, Machine } from "../../base/machine";
import { Domain } from "../domain";
import { domainPauseSync, domainUnpause } from "../domain/pause";
import { pvclockUpdate } from "../time/pvclock";
import { systemTime } from "../time/time";
import { Vcpu } from "../vcpu";

const MODE: usize = 0;
const KHZ: usize = 4;
const INCARNATION: usize = 8;
const PAD: usize = 12;
const ELAPSED: usize = 16;
/** Into the structure at `u`. With the defect nobody writes the padding: harmless where `u` is the caller's own structure. */
export function getTscInfo(v: Vcpu, d: Domain, u: usize): i32 {
  domainPauseSync(v, d);
  store<u32>(u + MODE, d.tscMode);
  store<u32>(u + KHZ, d.tscKhz);
  store<u32>(u + INCARNATION, d.tscIncarnation);
  if (!Defects.has(DEFECT_STACK_PADDING)) store<u32>(u + PAD, 0);
  store<u64>(u + ELAPSED, systemTime());
  domainUnpause(d);
  return OK;
}

/** Every vCPU's TSC shows `ns` of system time now. */
function continueFrom(d: Domain, ns: u64): void {
  const khz: u64 = Knobs.get(KNOB_TSC_KHZ);
  const ticks = (ns / 1_000_000) * khz + ((ns % 1_000_000) * khz) / 1_000_000;
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    const subject = Vcpu.at(d.firstVcpu + id);
    subject.cpu.tscOffset = ticks - Machine.get().now;
    pvclockUpdate(subject);
  }
}

/** -EINVAL for a mode that does not exist. A frequency of 0 means the machine's. */
export function setTscInfo(v: Vcpu, d: Domain, u: usize): i32 {
  const mode = load<u32>(u + MODE);
  if (mode > <u32>TSC_MODE_NEVER_EMULATE) return -EINVAL;
  domainPauseSync(v, d);
  const khz = load<u32>(u + KHZ);
  d.tscMode = mode;
  d.tscKhz = khz == 0 || mode == <u32>TSC_MODE_NEVER_EMULATE ? Knobs.get(KNOB_TSC_KHZ) : khz;
  d.tscIncarnation = load<u32>(u + INCARNATION) + 1;
  if (mode == <u32>TSC_MODE_ALWAYS_EMULATE) continueFrom(d, load<u64>(u + ELAPSED));
  domainUnpause(d);
  return OK;
}
