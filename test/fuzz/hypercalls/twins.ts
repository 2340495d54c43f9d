/**
 * What taint cannot follow is a value that was computed. So two machines are made that are the same but for what a third domain keeps to
 * itself (its settings, registers, memory, ports), and the same wild calls are made in both: a caller that has no business with the third
 * domain must get the same answers, and find the same bytes in every page that it or its target can read.
 */

import { frameAddress } from "../../../host/lib/core.ts";
import * as dc from "../../../hv-core/abi/domctl.ts";
import { VCPU_CONTEXT_SIZE } from "../../../hv-core/abi/domctl.ts";
import {
  DOMCTL_INTERFACE_VERSION_4_17,
  DOMCTL_SETDOMAINHANDLE,
  EVTCHNOP_ALLOC_UNBOUND,
  HC_EVENT_CHANNEL_OP,
  HC_HVM_OP,
  HVM_PARAM_STORE_PFN,
  HVMOP_SET_PARAM,
} from "../../../hv-core/abi/hypercalls.ts";
import { KNOB_XSM, XSM_POLICY } from "../../../hv-core/abi/knobs.ts";
import { FRAME_RECORD_SIZE, FRAME_TABLE_BASE, MACHINE_BASE } from "../../../hv-core/abi/layout.ts";
import { ARG, type Door, LIST } from "../../hv/door.ts";
import { callText, layOut, type WildCall } from "./calls.ts";
import { errnoNames } from "./errors.ts";
import { allow, createWildMachine, type WildMachine } from "./machine.ts";

export type Unprivileged = "stub" | "stranger";

/** Index in the machine's ids of the domain that is nobody's target. */
const THIRD = 1;

/** Gives the third domain a state of its own; which, does `secret` say. */
function keepSecret({ door, ids }: WildMachine, secret: number): void {
  const domid = ids[THIRD]!;
  const set = (cmd: number, ...fields: (readonly [number, 1 | 2 | 4 | 8, number | bigint])[]): void => {
    const result = door.domctl(cmd, domid, fields);
    if (result !== 0) throw new Error(`domctl ${cmd}: ${errnoNames(result)}`);
  };
  set(DOMCTL_SETDOMAINHANDLE, [0, 8, BigInt(secret) * 0x0101_0101_0101_0101n], [8, 8, BigInt(secret)]);
  set(dc.DOMCTL_SETTIMEOFFSET, [0, 8, secret * 1000]);
  set(dc.DOMCTL_SETTSCINFO, [0, 4, 2], [4, 4, 1000 + secret], [8, 4, secret]);
  set(dc.DOMCTL_SCHEDULER_OP, [0, 4, 6], [4, 4, 0], [8, 2, 256 + secret], [10, 2, secret]);
  set(dc.DOMCTL_SETVCPUAFFINITY, [0, 4, 0], [4, 4, 1], [8, 8, affinity(door, secret)], [16, 4, 2]);
  set(dc.DOMCTL_SETDEBUGGING, [0, 1, secret & 1]);
  set(dc.DOMCTL_SUBSCRIBE, [0, 4, secret]);
  set(dc.DOMCTL_SETVCPUCONTEXT, [0, 4, 0], [8, 8, registers(door, secret)]);
  door.put(ARG, 16, [
    [0, 2, domid],
    [4, 4, HVM_PARAM_STORE_PFN],
    [8, 8, secret],
  ]);
  door.call(HC_HVM_OP, HVMOP_SET_PARAM, ARG);
  door.put(ARG, 8, [
    [0, 2, domid],
    [2, 2, secret & 1],
  ]);
  door.call(HC_EVENT_CHANNEL_OP, EVTCHNOP_ALLOC_UNBOUND, ARG);
  for (const mfn of framesOf(door, THIRD + 1)) new Uint8Array(door.view.buffer, frameAddress(mfn), 4096).fill(secret);
}

function affinity(door: Door, secret: number): number {
  return door.put(0x7000, 8, [[0, 8, 1 + (secret % 3)]]);
}

function registers(door: Door, secret: number): number {
  door.put(0x8000, VCPU_CONTEXT_SIZE, []);
  for (let offset = 520; offset < 640; offset += 8)
    door.view.setBigUint64(door.at(0x8000) + offset, BigInt(secret), true);
  return 0x8000;
}

const FRAME_MARK = 1;
const FRAME_TABLE_OR_HEAP = 8 | 2;

/** Frames of the domain in `slot` that are its memory: no tables, nothing of the hypervisor's own. */
function framesOf(door: Door, slot: number): number[] {
  const mark = door.view.getUint32(MACHINE_BASE + FRAME_MARK * 4, true);
  const found: number[] = [];
  for (let mfn = 1; mfn < mark; mfn++) {
    const at = FRAME_TABLE_BASE + mfn * FRAME_RECORD_SIZE;
    const flags = door.view.getUint16(at + 2, true);
    if (door.view.getUint16(at, true) === slot && (flags & 16) === 0 && (flags & FRAME_TABLE_OR_HEAP) === 0)
      found.push(mfn);
  }
  return found;
}

/** One call in a machine. @returns its answer; undefined when the caller does not run any more. */
function makeIn(m: WildMachine, role: Unprivileged, call: WildCall): number | undefined {
  const laid = layOut(call, m.ids, DOMCTL_INTERFACE_VERSION_4_17);
  const [nr, ...args] = laid.call(ARG);
  const u8 = new Uint8Array(m.door.view.buffer);
  u8.set(laid.bytes, m[role].arg);
  u8.set(laid.list, m[role].list);
  return m[role].call(nr, args);
}

const SLOTS: Readonly<Record<Unprivileged, readonly number[]>> = { stub: [3, 1], stranger: [4] };
if (LIST <= ARG) throw new Error("the list lies behind the structure");

/**
 * What the caller could learn about the third domain, as a sentence; undefined = nothing.
 * @param allowed domctls that a policy lets it do to every domain: to see that something would be seen.
 */
export function learned(
  role: Unprivileged,
  calls: readonly WildCall[],
  secrets: readonly [number, number],
  allowed: readonly number[] = [],
): string | undefined {
  const twins = secrets.map((secret) => {
    const m = createWildMachine(allowed.length > 0 ? [[KNOB_XSM, XSM_POLICY]] : []);
    keepSecret(m, secret);
    allow(m, role, allowed);
    return m;
  });
  const [a, b] = twins as [WildMachine, WildMachine];
  for (const call of calls) {
    const [left, right] = [makeIn(a, role, call), makeIn(b, role, call)];
    if (left !== right) return `${role}: ${callText(call)} answers ${left} and ${right}`;
    if (left === undefined) return undefined; // the caller is gone, in both
    const differing = differingByte(a.door, b.door, SLOTS[role]);
    if (differing !== undefined) return `${role}: ${callText(call)} left different bytes ${differing}`;
  }
  return undefined;
}

function differingByte(a: Door, b: Door, slots: readonly number[]): string | undefined {
  for (const slot of slots) {
    const frames = framesOf(a, slot);
    for (const mfn of frames) {
      const left = new BigUint64Array(a.view.buffer, frameAddress(mfn), 512);
      const right = new BigUint64Array(b.view.buffer, frameAddress(mfn), 512);
      const at = left.findIndex((word, i) => word !== right[i]);
      if (at >= 0) return `in frame ${mfn} at ${at * 8}: 0x${left[at]!.toString(16)} and 0x${right[at]!.toString(16)}`;
    }
  }
  return undefined;
}
