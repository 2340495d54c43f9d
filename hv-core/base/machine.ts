/**
 * The machine header: what belongs to no domain and no vCPU. Semantic memory at MACHINE_BASE.
 * Knobs are written once, before the first domain exists.
 */
import { MACHINE_DOMAIN_MARK, MACHINE_DOMCTL_LOCK, MACHINE_NOW, MACHINE_TURN_LEFT } from "../abi/domain";
import { NR_KNOBS } from "../abi/knobs";
import { KNOBS_BASE, MACHINE_BASE } from "../abi/layout";

/** Output of the core waits for the host. */
export const ATTENTION_OUTPUT: u32 = 1;
/** dom0 has an event. */
export const ATTENTION_EVENT: u32 = 2;

@unmanaged
export class Machine {
  /** Frames in the machine; fixed when it is created. */
  frameCount: u32;
  /** First frame never handed out so far (the used-extent mark of the frames region). */
  frameMark: u32;
  /** Head of the list of free frames, 0 = empty. */
  freeHead: u32;
  freeCount: u32;
  /** One past the highest domain slot and vCPU slot ever used. */
  domainMark: u32;
  vcpuMark: u32;
  /** Next vCPU slot to have its turn (run/scheduler.ts). */
  nextVcpu: u32;
  /** vCPU now running hypervisor code, as slot + 1; 0 = none. */
  currentVcpu: u32;
  /** Virtual time in TSC ticks: retired instructions plus declared costs plus skipped idle time. */
  now: u64;
  /** Domain id the next createdomain tries first. */
  domidRover: u32;
  /** ATTENTION_*: dom0, or the host behind it, has something to look at: run() then returns. */
  hostAttention: u32;
  ioreqServerMark: u32;
  rangeNodeFree: u32;
  rangeNodeMark: u32;
  decodedArenaMark: u32;
  /** State of the machine's random number generator (knob seed). */
  random: u64;
  /** A lower bound of every armed deadline, in virtual time; NO_DEADLINE = none armed (hv/time/timers.ts). */
  nextDeadline: u64;
  /** Scale of the system clock: ns = (ticks shifted by timeShift) * timeMul >> 32 (hv/time/time.ts). */
  timeMul: u32;
  timeShift: i32;
  /** Domains that are dead but still own frames (hv/domain/lifecycle.ts). */
  deadDomains: u32;
  /** The running vCPU gave up the rest of its turn (SCHEDOP_yield). */
  yielded: u32;
  /** The domctl lock: vCPU slot + 1 of the holder, 0 = free (hv/domctl/lock.ts). */
  domctlLock: u32;
  /** Frames set aside by claims of all domains. */
  claimedFrames: u32;
  /** Rules of the policy module (hv/xsm/policy.ts). */
  policyRules: u32;
  /** Frames of device memory that nobody may write: head of a rangeset (hv/p2m/mmio-ro.ts), 0 = none. */
  mmioRoRanges: u32;
  private _pad0: u32;
  /** What is left of the turn of vCPU nextVcpu - 1 when the caller's budget cut it; 0 = the next one has its turn (run/scheduler.ts). */
  turnLeft: u64;
  /** Domains in the order of their ids: slot + 1 of the first; every slot below freeSlotHint is in use (hv/domain/table.ts). */
  domainList: u32;
  freeSlotHint: u32;

  @inline static get(): Machine {
    return changetype<Machine>(MACHINE_BASE);
  }
}

if (offsetof<Machine>("domctlLock") != MACHINE_DOMCTL_LOCK) ERROR("Machine.domctlLock moved");
if (offsetof<Machine>("turnLeft") != MACHINE_TURN_LEFT) ERROR("Machine.turnLeft moved");
if (offsetof<Machine>("now") != MACHINE_NOW) ERROR("Machine.now moved");
if (offsetof<Machine>("domainMark") != MACHINE_DOMAIN_MARK) ERROR("Machine.domainMark moved");

export class Knobs {
  @inline static get(index: i32): u32 {
    return load<u32>(KNOBS_BASE + (index << 2));
  }

  static set(index: i32, value: u32): void {
    if (<u32>index < <u32>NR_KNOBS) store<u32>(KNOBS_BASE + (index << 2), value);
  }
}
