/** A machine for wild hypercalls: dom0, two victims, a stub domain whose target is the first, and a domain without any privilege. */

import { DOM_STATE } from "../../../hv-core/abi/domain.ts";
import {
  DOMCTL_SET_TARGET,
  XSM_OP_LOAD_POLICY,
  XSM_OP_SIZE,
  XSM_POLICY_VERSION,
  XSM_RULE_SIZE,
  XSM_TARGET_ANY,
} from "../../../hv-core/abi/domctl.ts";
import { HC_XSM_OP } from "../../../hv-core/abi/hypercalls.ts";
import { KNOB_SCHED_QUANTUM } from "../../../hv-core/abi/knobs.ts";
import {
  DOMAIN_SIZE,
  DOMAINS_BASE,
  FRAME_OWNERS_BASE,
  FRAME_RECORD_SIZE,
  FRAME_TABLE_BASE,
  MACHINE_BASE,
} from "../../../hv-core/abi/layout.ts";
import { ARG, type Door, type Field, LIST, openDoor } from "../../hv/door.ts";
import { makeResident, type Resident } from "./resident.ts";

const FRAMES = 1024;
const GUEST_PAGES = 40;
/** Instructions of a turn: two guests poll, and neither must wait long for the other. */
const TURN = 30;

export interface WildMachine {
  readonly door: Door;
  /** dom0's own id is not among them: victims, stub, stranger. */
  readonly ids: readonly number[];
  readonly stub: Resident;
  readonly stranger: Resident;
}

export function createWildMachine(knobs: readonly (readonly [number, number])[] = [], isTainted = false): WildMachine {
  const door = openDoor(FRAMES, [[KNOB_SCHED_QUANTUM, TURN], ...knobs], isTainted);
  const victims = [door.createDomain({ vcpus: 2, pages: 128 }), door.createDomain({ pages: 64 })];
  for (const domid of victims)
    door.populate(
      domid,
      Array.from({ length: GUEST_PAGES }, (_, i) => i),
    );
  const stub = makeResident(door);
  const stranger = makeResident(door);
  const set = door.domctl(DOMCTL_SET_TARGET, stub.domid, [[0, 4, victims[0]!]]);
  if (set !== 0) throw new Error(`set_target: ${set}`);
  return { door, ids: [...victims, stub.domid, stranger.domid], stub, stranger };
}

/** A policy (knob xsm = policy) that lets a domain do these domctls to every other one. */
export function allow(
  { door, stub, stranger }: WildMachine,
  role: "stub" | "stranger",
  domctls: readonly number[],
): void {
  if (domctls.length === 0) return;
  const subject = (role === "stub" ? stub : stranger).domid;
  const rules = domctls.flatMap((cmd, i): Field[] => [
    [i * XSM_RULE_SIZE, 2, subject],
    [i * XSM_RULE_SIZE + 2, 2, XSM_TARGET_ANY],
    [i * XSM_RULE_SIZE + 4, 2, cmd],
  ]);
  door.put(LIST, domctls.length * XSM_RULE_SIZE, rules);
  door.put(ARG, XSM_OP_SIZE, [
    [0, 4, XSM_OP_LOAD_POLICY],
    [4, 4, XSM_POLICY_VERSION],
    [8, 4, domctls.length],
    [16, 8, LIST],
  ]);
  const loaded = door.call(HC_XSM_OP, ARG);
  if (loaded !== 0) throw new Error(`load_policy: ${loaded}`);
}

const FRAME_FREE = 16;
const FIRST_SPECIAL_OWNER = 0xfffd;
const machineWord = (door: Door, index: number): number => door.view.getUint32(MACHINE_BASE + index * 4, true);
const FRAME_MARK = 1;
const DOMAIN_MARK = 4;

/** What does not add up in the frame table and the accounts of its owners. */
export function brokenBooks(door: Door): string | undefined {
  const { view } = door;
  const owned = new Map<number, number>();
  const mark = machineWord(door, FRAME_MARK);
  for (let mfn = 1; mfn < mark; mfn++) {
    const at = FRAME_TABLE_BASE + mfn * FRAME_RECORD_SIZE;
    const owner = view.getUint16(at, true);
    const isFree = (view.getUint16(at + 2, true) & FRAME_FREE) !== 0;
    const refs = view.getUint32(at + 4, true);
    if (isFree !== (refs === 0)) return `frame ${mfn}: free ${isFree}, ${refs} references`;
    if (!isFree && owner < FIRST_SPECIAL_OWNER) owned.set(owner, (owned.get(owner) ?? 0) + 1);
  }
  const domains = machineWord(door, DOMAIN_MARK);
  for (let slot = 0; slot < domains; slot++) {
    const account = view.getUint32(FRAME_OWNERS_BASE + slot * 8 + 4, true);
    if (account !== (owned.get(slot) ?? 0))
      return `slot ${slot}: ${owned.get(slot) ?? 0} frames, ${account} in its account`;
  }
  return undefined;
}

/** Ids of living domains whose p2m has a broken invariant, and which. */
export function brokenMaps({ door, ids }: WildMachine): string[] {
  return ids.flatMap((domid, i) => {
    const state = door.view.getUint32(DOMAINS_BASE + (i + 1) * DOMAIN_SIZE + DOM_STATE, true);
    const bits = state === 1 ? door.core.p2mInvariants(domid) : 0;
    return bits === 0 ? [] : [`domain ${domid}: p2m invariants ${bits.toString(2)}`];
  });
}
