/** A machine for wild hypercalls: dom0, two victims, a stub domain whose target is the first, and a domain without any privilege. */

import { DOM_STATE } from "../../../hv-core/abi/domain.ts";
import { DOMCTL_SET_TARGET } from "../../../hv-core/abi/domctl.ts";
import { KNOB_SCHED_QUANTUM } from "../../../hv-core/abi/knobs.ts";
import {
  DOMAIN_SIZE,
  DOMAINS_BASE,
  FRAME_OWNERS_BASE,
  FRAME_RECORD_SIZE,
  FRAME_TABLE_BASE,
  IOREQ_SERVER_SIZE,
  IOREQ_SERVERS_BASE,
  MACHINE_BASE,
  RANGE_NODE_SIZE,
  RANGE_NODES_BASE,
} from "../../../hv-core/abi/layout.ts";
import { type Door, openDoor } from "../../hv/door.ts";
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

/** Results of the last lookup: not state, though they lie in the domain's record. */
const LOOKUP = [108, 124] as const;

/** All records of domains, frames, servers and ranges: what a refused call must leave as it is. */
export function records(door: Door): Uint8Array {
  const { buffer } = door.view;
  const domains = machineWord(door, DOMAIN_MARK);
  const copy = (start: number, bytes: number): Uint8Array => new Uint8Array(buffer.slice(start, start + bytes));
  const all = copy(DOMAINS_BASE, domains * DOMAIN_SIZE);
  for (let slot = 0; slot < domains; slot++)
    all.fill(0, slot * DOMAIN_SIZE + LOOKUP[0], slot * DOMAIN_SIZE + LOOKUP[1]);
  const parts = [
    all,
    copy(FRAME_TABLE_BASE, machineWord(door, FRAME_MARK) * FRAME_RECORD_SIZE),
    copy(FRAME_OWNERS_BASE, domains * 8),
    copy(IOREQ_SERVERS_BASE, 8 * IOREQ_SERVER_SIZE),
    copy(RANGE_NODES_BASE, 64 * RANGE_NODE_SIZE),
    copy(MACHINE_BASE + 0x1800, 0x60),
  ];
  const whole = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
