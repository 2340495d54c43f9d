/**
 * A machine to audit domctls on: some domains, the last of which is the subject and has some vCPUs, and exact counts of what one call
 * did inside the hypervisor. Nothing is timed: copies, loop turns and frames are counted by the core (abi/counters.ts), so a result is
 * the same everywhere.
 */
import {
  CTR_DOMCTL_LOCK_STEPS,
  CTR_FRAMES_ALLOCATED,
  CTR_GUEST_COPIES,
  CTR_LOOP_STEPS,
  CTR_PAUSE_WAITS,
  CTR_SELF_PAUSES,
} from "../../../hv-core/abi/counters.ts";
import { DOMCTL_INTERFACE_VERSION_0A, DOMCTL_SIZE, DOMCTL_UNION } from "../../../hv-core/abi/domctl.ts";
import {
  CDF_HAP,
  CDF_HVM,
  DOMCTL_CREATEDOMAIN,
  DOMCTL_INTERFACE_VERSION_4_17,
  DOMCTL_MAX_MEM,
  DOMCTL_MAX_VCPUS,
  HC_DOMCTL,
} from "../../../hv-core/abi/hypercalls.ts";
import {
  COUNTERS_BASE,
  DOMAIN_SIZE,
  DOMAINS_BASE,
  MACHINE_BASE,
  WORK_BASE,
  WORK_SIZE,
} from "../../../hv-core/abi/layout.ts";
import { type Core, instantiateCore } from "../core.ts";
import { createDom0, type Dom0 } from "../dom0.ts";
import { check } from "../errors.ts";
import { DomId } from "../ids.ts";
import { populatePhysmap } from "../toolstack/memory.ts";
import type { EraSetup } from "./eras.ts";
import { instantiateTainted, type Leak, type TaintBuilds, type TaintedCore } from "./taint.ts";

const BASE_FRAMES = 4096;
/** Root table, shared_info, ports. */
const FRAMES_EACH = 3;
/** HVM domains whose interrupt lines share a frame (hv-core/hv/irq/irq-lines.ts). */
const LINES_PER_FRAME = 8;
const DOM0_PAGES = 128;
/** The structure, and memory for what its handles point to: as far as dom0's RAM goes. */
const OP = 32 * 4096;
export const LIST = 33 * 4096;
export const LIST_BYTES = (DOM0_PAGES - 33) * 4096;
/** What belongs to the machine and to no domain, after the knobs: handlers and rules, but not the hash of the domains. */
const SHARED_AT = MACHINE_BASE + 0x1800;
const SHARED_BYTES = 0x1800;

export interface AuditMachine {
  readonly core: Core;
  readonly dom0: Dom0;
  readonly era: EraSetup;
  readonly vcpus: number;
  /** The domain that is operated on, and one that nobody means. */
  readonly subject: DomId;
  readonly other: DomId;
  readonly tainted?: TaintedCore;
}

export interface MachineSize {
  readonly domains: number;
  readonly vcpus: number;
}

function createDomain(m: { core: Core; dom0: Dom0; era: EraSetup }, vcpus: number): DomId {
  const { core, dom0, era } = m;
  const at = dom0.ramAt + OP;
  const call = (cmd: number, domid: number, fill: Fill): void => {
    const { result } = measure(m, cmd, domid, fill);
    check(result, `domctl ${cmd}`);
  };
  call(DOMCTL_CREATEDOMAIN, 0, (view, u) => {
    view.setUint32(u + 20, CDF_HVM | CDF_HAP, true);
    if (era.is0a) return;
    view.setUint32(u + 28, vcpus, true);
    view.setUint32(u + 32, 1023, true);
    view.setInt32(u + 36, 64, true);
    view.setInt32(u + 40, 1024, true);
    view.setUint32(u + 44, 2, true);
    view.setUint32(u + 56, 1, true);
  });
  return DomId(core.view.getUint16(at + 8, true));
}

/** @param module the debug build; or the taint builds, for machines whose answers are checked byte by byte. */
export function createAuditMachine(
  module: WebAssembly.Module | TaintBuilds,
  era: EraSetup,
  { domains, vcpus }: MachineSize,
): AuditMachine {
  const frameCount = BASE_FRAMES + domains * FRAMES_EACH + Math.ceil(domains / LINES_PER_FRAME);
  const tainted = "shadow" in module ? instantiateTainted(module, { frameCount }) : undefined;
  const core = tainted?.core ?? instantiateCore(module as WebAssembly.Module, { frameCount });
  for (const [index, value] of era.knobs) core.exports.setKnob(index, value);
  core.exports.machineInit(frameCount, DOM0_PAGES);
  const dom0 = createDom0(core, DOM0_PAGES);
  const draft = { core, dom0, era };
  const other = createDomain(draft, 1);
  for (let i = 2; i < domains; i++) createDomain(draft, 1);
  const subject = createDomain(draft, vcpus);
  const set = (cmd: number, domid: number, value: number): void => {
    check(measure(draft, cmd, domid, (view, u) => view.setUint32(u, value, true)).result, `domctl ${cmd}`);
  };
  set(DOMCTL_MAX_VCPUS, other, 1);
  set(DOMCTL_MAX_VCPUS, subject, vcpus);
  set(DOMCTL_MAX_MEM, subject, 4096);
  populatePhysmap(
    dom0,
    subject,
    Array.from({ length: 16 }, (_, i) => i),
    0,
  );
  return { ...draft, vcpus, subject, other, ...(tainted ? { tainted } : {}) };
}

export interface Work {
  readonly result: number;
  /** Guest copies and loop turns together; those of them under the domctl lock. */
  readonly steps: number;
  readonly lockSteps: number;
  readonly copies: number;
  readonly frames: number;
  /** vCPUs that a pause waited for, and pauses of the caller itself. */
  readonly pauseWait: number;
  readonly selfPauses: number;
  readonly leak: Leak | undefined;
}

const COUNTED = [
  CTR_GUEST_COPIES,
  CTR_LOOP_STEPS,
  CTR_FRAMES_ALLOCATED,
  CTR_SELF_PAUSES,
  CTR_DOMCTL_LOCK_STEPS,
  CTR_PAUSE_WAITS,
];
const counters = ({ view }: Core): number[] =>
  COUNTED.map((c) => Number(view.getBigUint64(COUNTERS_BASE + c * 8, true)));

export type Fill = (view: DataView, union: number) => void;

/** One domctl; what lies in LIST stays as the caller left it. */
export function measure(
  m: { core: Core; dom0: Dom0; era: EraSetup; tainted?: TaintedCore; subject?: DomId },
  cmd: number,
  domid: number,
  fill: Fill,
): Work {
  const { view, u8 } = m.core;
  const at = m.dom0.ramAt + OP;
  u8.fill(0, at, at + DOMCTL_SIZE);
  view.setUint32(at, cmd, true);
  view.setUint32(at + 4, m.era.is0a ? DOMCTL_INTERFACE_VERSION_0A : DOMCTL_INTERFACE_VERSION_4_17, true);
  view.setUint16(at + 8, domid, true);
  fill(view, at + DOMCTL_UNION);
  const before = counters(m.core);
  let result = 0;
  const call = (): void => {
    result = m.core.exports.hypercall(HC_DOMCTL, OP, 0, 0, 0, 0);
  };
  const leak = m.tainted?.watch(0, slotOf(m.core, domid), call);
  if (!m.tainted) call();
  const [copies, turns, frames, selfPauses, lockSteps, pauseWait] = counters(m.core).map((n, i) => n - before[i]!);
  return {
    result,
    steps: copies! + turns!,
    lockSteps: lockSteps!,
    copies: copies!,
    frames: frames!,
    pauseWait: pauseWait!,
    selfPauses: selfPauses!,
    leak,
  };
}

/** Slots are given in order of creation and nothing dies here, so that a domain's slot is its id. */
const slotOf = (_core: Core, domid: number): number => domid;

/** Fills what the hypervisor's last calls left behind: if an answer depends on it, it is a leak. */
export function poison(m: AuditMachine, value: number): void {
  m.core.u8.fill(value, WORK_BASE, WORK_BASE + WORK_SIZE);
}

/** All that dom0 can read: its own RAM. */
export function dom0Memory(m: AuditMachine): Uint8Array {
  return m.core.u8.slice(m.dom0.ramAt, m.dom0.ramAt + DOM0_PAGES * 4096);
}

/** State that the call on `subject` has no business with: the machine's tables and every other domain's record. */
export function bystanders(m: AuditMachine): Uint8Array {
  const { u8 } = m.core;
  const record = DOMAINS_BASE + slotOf(m.core, m.other) * DOMAIN_SIZE;
  const parts = [u8.slice(SHARED_AT, SHARED_AT + SHARED_BYTES), u8.slice(record, record + DOMAIN_SIZE)];
  return Uint8Array.from(parts.flatMap((p) => [...p]));
}

export const firstDifference = (a: Uint8Array, b: Uint8Array): number => a.findIndex((byte, i) => byte !== b[i]);
