/**
 * A machine to audit domctls on: some domains, each with some vCPUs, and exact counts of what one call did inside the hypervisor.
 * Nothing is timed: copies, loop turns and frames are counted by the core (abi/counters.ts), so a result is the same everywhere.
 */
import {
  CTR_FRAMES_ALLOCATED,
  CTR_GUEST_COPIES,
  CTR_LOOP_STEPS,
  CTR_SELF_PAUSES,
} from "../../../hv-core/abi/counters.ts";
import { DOMCTL_SIZE, DOMCTL_UNION } from "../../../hv-core/abi/domctl.ts";
import { DOMCTL_INTERFACE_VERSION_4_17, HC_DOMCTL } from "../../../hv-core/abi/hypercalls.ts";
import { KNOB_DOMCTL_DEFECTS } from "../../../hv-core/abi/knobs.ts";
import { COUNTERS_BASE, DOMAIN_SIZE, DOMAINS_BASE, MACHINE_BASE, MAILBOX_BASE } from "../../../hv-core/abi/layout.ts";
import { type Core, instantiateCore } from "../core.ts";
import { createDom0, type Dom0 } from "../dom0.ts";
import type { DomId } from "../ids.ts";
import { domainCreate, domainMaxMem, domainMaxVcpus } from "../toolstack/domctl.ts";
import { populatePhysmap } from "../toolstack/memory.ts";

const FRAMES = 8192;
const DOM0_PAGES = 128;
/** The structure, and memory for what its handles point to: as far as dom0's RAM goes. */
const OP = 32 * 4096;
export const LIST = 33 * 4096;
export const LIST_BYTES = (DOM0_PAGES - 33) * 4096;
/** Memory of the hypervisor that a call works in and that holds what earlier calls left: 64 KiB and 32 KiB in the mailbox. */
const SCRATCH_AT = MAILBOX_BASE + 0x8_0000;
const SCRATCH_BYTES = 0x2_8000;
/** What belongs to the machine and to no domain, after the knobs: handlers, owners, rules. */
const SHARED_AT = MACHINE_BASE + 0x1800;
const SHARED_BYTES = 0x1800;

export interface AuditMachine {
  readonly core: Core;
  readonly dom0: Dom0;
  readonly vcpus: number;
  /** The domain that is operated on, and one that nobody means. */
  readonly subject: DomId;
  readonly other: DomId;
}

export function createAuditMachine(
  wasm: WebAssembly.Module,
  { domains, vcpus, defects = 0 }: { domains: number; vcpus: number; defects?: number },
): AuditMachine {
  const core = instantiateCore(wasm, { frameCount: FRAMES });
  core.exports.setKnob(KNOB_DOMCTL_DEFECTS, defects);
  core.exports.machineInit(FRAMES, DOM0_PAGES);
  const dom0 = createDom0(core, DOM0_PAGES);
  const other = domainCreate(dom0, 1);
  domainMaxVcpus(dom0, other, 1);
  for (let i = 2; i < domains; i++) domainCreate(dom0, 1);
  const subject = domainCreate(dom0, vcpus);
  domainMaxVcpus(dom0, subject, vcpus);
  domainMaxMem(dom0, subject, 4096);
  populatePhysmap(
    dom0,
    subject,
    Array.from({ length: 16 }, (_, i) => i),
    0,
  );
  return { core, dom0, vcpus, subject, other };
}

export interface Work {
  readonly result: number;
  /** Guest copies and loop turns together. */
  readonly steps: number;
  readonly copies: number;
  readonly frames: number;
  readonly selfPauses: number;
}

const counter = (core: Core, index: number): number => Number(core.view.getBigUint64(COUNTERS_BASE + index * 8, true));

export type Fill = (view: DataView, union: number) => void;

/** One domctl; what lies in LIST stays as the caller left it. */
export function measure(m: AuditMachine, cmd: number, domid: number, fill: Fill): Work {
  const { view, u8 } = m.core;
  const at = m.dom0.ramAt + OP;
  u8.fill(0, at, at + DOMCTL_SIZE);
  view.setUint32(at, cmd, true);
  view.setUint32(at + 4, DOMCTL_INTERFACE_VERSION_4_17, true);
  view.setUint16(at + 8, domid, true);
  fill(view, at + DOMCTL_UNION);
  const before = [CTR_GUEST_COPIES, CTR_LOOP_STEPS, CTR_FRAMES_ALLOCATED, CTR_SELF_PAUSES].map((c) =>
    counter(m.core, c),
  );
  const result = m.core.exports.hypercall(HC_DOMCTL, OP, 0, 0, 0, 0);
  const after = [CTR_GUEST_COPIES, CTR_LOOP_STEPS, CTR_FRAMES_ALLOCATED, CTR_SELF_PAUSES].map((c) =>
    counter(m.core, c),
  );
  const [copies, turns, frames, selfPauses] = after.map((n, i) => n - before[i]!) as [number, number, number, number];
  return { result, steps: copies + turns, copies, frames, selfPauses };
}

/** Fills what the hypervisor's last calls left behind: if an answer depends on it, it is a leak. */
export function poison(m: AuditMachine, value: number): void {
  m.core.u8.fill(value, SCRATCH_AT, SCRATCH_AT + SCRATCH_BYTES);
}

/** All that dom0 can read: its own RAM. */
export function dom0Memory(m: AuditMachine): Uint8Array {
  return m.core.u8.slice(m.dom0.ramAt, m.dom0.ramAt + DOM0_PAGES * 4096);
}

/** State that the call on `subject` has no business with: the machine's tables and every other domain's record. */
export function bystanders(m: AuditMachine): Uint8Array {
  const { u8 } = m.core;
  const otherSlot = 1; // right after dom0
  const records = DOMAINS_BASE + otherSlot * DOMAIN_SIZE;
  const parts = [u8.slice(SHARED_AT, SHARED_AT + SHARED_BYTES), u8.slice(records, records + DOMAIN_SIZE)];
  return Uint8Array.from(parts.flatMap((p) => [...p]));
}

export const firstDifference = (a: Uint8Array, b: Uint8Array): number => a.findIndex((byte, i) => byte !== b[i]);
