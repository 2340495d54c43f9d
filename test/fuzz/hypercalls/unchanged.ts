/**
 * What a refused call must leave as it was: the records of domains, vCPUs, frames, ioreq servers and ranges, the handlers of global
 * VIRQs, and every byte of the memory of domains that are not the caller. Compared before and after each call that answers an error.
 *
 * Left out is what is no state: the results of the last p2m lookup, the order of free frames, TLBs, what a running vCPU does anyway.
 */

import { frameAddress } from "../../../host/lib/core.ts";
import { CONT_LOOKUP_OFFSET, CONT_LOOKUP_SIZE } from "../../../hv-core/abi/continuation.ts";
import { DOM_CRASH_REASON, DOM_POD_ENTRIES, VCPU_DOMAIN_SLOT } from "../../../hv-core/abi/domain.ts";
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
  VCPU_HV_OFFSET,
  VCPU_SIZE,
  VCPU_TLB_OFFSET,
  VCPU_XSTATE_OFFSET,
  VCPUS_BASE,
} from "../../../hv-core/abi/layout.ts";
import { XSTATE_MAX_SIZE } from "../../../hv-core/abi/xstate.ts";
import type { Door } from "../../hv/door.ts";

/** Words of the machine header (base/machine.ts). */
const FRAME_MARK = 1;
const DOMAIN_MARK = 4;
const VCPU_MARK = 5;
/** In a frame's record: owner u16, flags u16. */
const FRAME_FREE = 16;
const VIRQ_HANDLERS = 0x1800;
/** Domain.lookup*: what the last look at a p2m has found. It begins in the middle of a word of eight bytes. */
const LOOKUP = [CONT_LOOKUP_OFFSET, CONT_LOOKUP_OFFSET + CONT_LOOKUP_SIZE] as const;
const SERVERS = 16;
const RANGE_NODES = 256;

interface Region {
  readonly name: string;
  readonly start: number;
  readonly bytes: number;
  readonly record: number;
}

export interface Before {
  /** What has changed since, as a sentence; undefined = nothing. */
  difference(): string | undefined;
  /** Why a change is right whatever the call was: a page was touched on the way that gets memory then, or that ends its domain. */
  excuse(): string | undefined;
}

const word = (door: Door, index: number): number => door.view.getUint32(MACHINE_BASE + index * 4, true);

/** @param runs slots of domains whose vCPUs run. @param contents slots of domains whose memory is compared, too. */
export function remember(door: Door, runs: readonly number[], contents: readonly number[]): Before {
  const { view } = door;
  const domains = word(door, DOMAIN_MARK);
  const frames = word(door, FRAME_MARK);
  const vcpus = word(door, VCPU_MARK);
  const regions: Region[] = [
    { name: "domain", start: DOMAINS_BASE, bytes: domains * DOMAIN_SIZE, record: DOMAIN_SIZE },
    { name: "account", start: FRAME_OWNERS_BASE, bytes: domains * 8, record: 8 },
    { name: "ioreq server", start: IOREQ_SERVERS_BASE, bytes: SERVERS * IOREQ_SERVER_SIZE, record: IOREQ_SERVER_SIZE },
    { name: "range", start: RANGE_NODES_BASE, bytes: RANGE_NODES * RANGE_NODE_SIZE, record: RANGE_NODE_SIZE },
    { name: "VIRQ handler", start: MACHINE_BASE + VIRQ_HANDLERS, bytes: 96, record: 4 },
  ];
  for (let slot = 0; slot < vcpus; slot++) {
    const at = VCPUS_BASE + slot * VCPU_SIZE;
    const domainSlot = vcpuDomain(door, slot);
    if (domainSlot === 0 || runs.includes(domainSlot)) continue;
    const bytes = VCPU_TLB_OFFSET - VCPU_HV_OFFSET;
    regions.push({ name: `vCPU ${slot}`, start: at + VCPU_HV_OFFSET, bytes, record: bytes });
    regions.push({ name: `registers of vCPU ${slot}`, start: at, bytes: 0x200, record: 0x200 });
    regions.push({
      name: `extended state of vCPU ${slot}`,
      start: at + VCPU_XSTATE_OFFSET,
      bytes: XSTATE_MAX_SIZE,
      record: XSTATE_MAX_SIZE,
    });
  }
  const owners = new Uint8Array(view.buffer.slice(FRAME_TABLE_BASE, FRAME_TABLE_BASE + frames * FRAME_RECORD_SIZE));
  const ownerView = new DataView(owners.buffer);
  for (let mfn = 1; mfn < frames; mfn++) {
    const owner = ownerView.getUint16(mfn * FRAME_RECORD_SIZE, true);
    const isFree = (ownerView.getUint16(mfn * FRAME_RECORD_SIZE + 2, true) & FRAME_FREE) !== 0;
    if (isFree || !contents.includes(owner)) continue;
    regions.push({
      name: `memory of the domain in slot ${owner}, frame ${mfn},`,
      start: frameAddress(mfn),
      bytes: 4096,
      record: 4096,
    });
  }
  const saved = regions.map(({ start, bytes }) => new BigUint64Array(view.buffer.slice(start, start + bytes)));
  return {
    difference() {
      for (const [i, region] of regions.entries()) {
        const wrong = firstDifference(view, region, saved[i]!);
        if (wrong !== undefined) return wrong;
      }
      return frameDifference(door, ownerView, frames);
    },
    excuse() {
      for (let slot = 0; slot < domains; slot++) {
        const old = new DataView(saved[0]!.buffer, slot * DOMAIN_SIZE, DOMAIN_SIZE);
        const at = DOMAINS_BASE + slot * DOMAIN_SIZE;
        if (view.getBigUint64(at + DOM_POD_ENTRIES, true) !== old.getBigUint64(DOM_POD_ENTRIES, true))
          return "a promised page got its memory when it was looked at";
        if (view.getUint32(at + DOM_CRASH_REASON, true) !== old.getUint32(DOM_CRASH_REASON, true))
          return "a page whose memory is broken ends its domain, whoever looks at it";
      }
      return undefined;
    },
  };
}

const vcpuDomain = (door: Door, slot: number): number =>
  door.view.getUint32(VCPUS_BASE + slot * VCPU_SIZE + VCPU_HV_OFFSET + VCPU_DOMAIN_SLOT, true);

/** Whether bytes that belong to the lookup alone differ in the eight at `offset`. */
function isLookup(offset: number, difference: bigint): boolean {
  const isIn = (at: number): boolean => at >= LOOKUP[0] && at < LOOKUP[1];
  const low = (difference & 0xffff_ffffn) !== 0n;
  const high = difference >> 32n !== 0n;
  return (!low || isIn(offset)) && (!high || isIn(offset + 4));
}

/** What freed objects of the hypervisor are filled with (base/poison.ts), but for the words that link them. */
const POISON = 0xc2c2_c2c2_c2c2_c2c2n;
const SLABS: ReadonlySet<string> = new Set(["ioreq server", "range"]);

/** Whether the object at word `at` is nobody's: it never was anybody's, or it was given back. */
function isFreeObject(words: BigUint64Array, at: number, record: number): boolean {
  const object = words.subarray(at, at + record / 8);
  return (
    object.every((value) => value === 0n) || object.filter((value) => value === POISON).length * 2 >= object.length
  );
}

function firstDifference(view: DataView, region: Region, saved: BigUint64Array): string | undefined {
  const now = new BigUint64Array(view.buffer, region.start, region.bytes / 8);
  for (let i = 0; i < now.length; i++) {
    if (now[i] === saved[i]) continue;
    const offset = (i * 8) % region.record;
    if (region.name === "domain" && isLookup(offset, now[i]! ^ saved[i]!)) continue;
    const index = Math.floor((i * 8) / region.record);
    const first = (index * region.record) / 8;
    const isFree = (words: BigUint64Array) => isFreeObject(words, first, region.record);
    if (SLABS.has(region.name) && isFree(now) && isFree(saved)) continue; // taken and given back on the way
    return `${region.name} ${index} at byte ${offset} is 0x${now[i]!.toString(16)} and was 0x${saved[i]!.toString(16)}`;
  }
  return undefined;
}

/** Records of frames that are in use, before or after: owner, flags, references, types, M2P. */
function frameDifference(door: Door, before: DataView, count: number): string | undefined {
  const { view } = door;
  const after = word(door, FRAME_MARK);
  for (let mfn = 1; mfn < Math.max(after, count); mfn++) {
    const at = mfn * FRAME_RECORD_SIZE;
    const wasFree = mfn >= count || (before.getUint16(at + 2, true) & FRAME_FREE) !== 0;
    const isFree = (view.getUint16(FRAME_TABLE_BASE + at + 2, true) & FRAME_FREE) !== 0;
    if (wasFree && isFree) continue;
    if (wasFree !== isFree) return `frame ${mfn} is ${isFree ? "free" : "in use"} now`;
    for (const offset of [0, 4, 8, 16, 20])
      if (view.getUint32(FRAME_TABLE_BASE + at + offset, true) !== before.getUint32(at + offset, true))
        return `frame ${mfn} changed at byte ${offset}`;
  }
  return undefined;
}

/** Errors that do change something, and why that is right. The first entry that fits counts. */
interface Exception {
  readonly call: RegExp;
  /** Errno names; absent = any. */
  readonly errors?: readonly string[];
  readonly reason: string;
}

export const MAY_CHANGE: readonly Exception[] = [
  {
    call: /^set_paging_mempool_size$/,
    errors: ["ENOMEM"],
    reason: "a pool that cannot shrink that far shrinks to what is in use, as on Xen (row V176)",
  },
  {
    call: /^(add_to_physmap|relocate_memory)$/,
    reason: "a range stops at the first page that fails; the pages before it have moved, as on Xen",
  },
  {
    call: /^add_to_physmap_batch$/,
    errors: ["EFAULT"],
    reason: "the list of results cannot be written after pages were mapped; they stay, as on Xen",
  },
  {
    call: /^(setup_table|get_status_frames)$/,
    reason: "the table has grown before its list of frames is written, as on Xen",
  },
  {
    call: /^ioport_mapping$/,
    errors: ["ENOMEM"],
    reason: "the set of rights that was made for the grant stays, empty",
  },
  {
    call: /^setvcpuaffinity$/,
    errors: ["EFAULT"],
    reason: "what is effective is copied back after it was set, as on Xen",
  },
  {
    call: /^sethvmcontext$/,
    reason: "records before a bad one have taken effect, as on Xen",
  },
];

export const reasonToChange = (call: string, error: string): string | undefined =>
  MAY_CHANGE.find((e) => e.call.test(call) && (e.errors === undefined || e.errors.includes(error)))?.reason;
