/** What the races of grant tables start from: a guest that grants pages to dom0, and steps that are grant operations of dom0's processors. */
import {
  DOM_GRANT_MFN,
  GRANT_ACTIVE_MFN,
  GRANT_ACTIVE_PIN,
  GRANT_ACTIVE_SIZE,
  GRANT_HEAD_ACTIVE,
  GRANT_HEAD_VERSION,
} from "../../../hv-core/abi/domain.ts";
import {
  GNTCOPY_DEST_GREF,
  GNTCOPY_SOURCE_GREF,
  GNTMAP_HOST_MAP,
  GNTST_OKAY,
  GNTTABOP_COPY,
  GNTTABOP_MAP_GRANT_REF,
  GNTTABOP_UNMAP_GRANT_REF,
  GTF_READING,
  GTF_WRITING,
} from "../../../hv-core/abi/grant.ts";
import { DOMID_SELF, HC_GRANT_TABLE_OP } from "../../../hv-core/abi/hypercalls.ts";
import { FRAME_RECORD_SIZE, FRAME_TABLE_BASE } from "../../../hv-core/abi/layout.ts";
import { frameAddress } from "../core.ts";
import { frameOf } from "../dedup/pages.ts";
import { word } from "../explore/actors.ts";
import { type Instruction, type Program, program } from "../explore/code.ts";
import type { Invariant } from "../explore/race.ts";
import type { HypercallStep } from "../explore/toolstack-actor.ts";
import { createWorld, type World } from "../explore/world.ts";
import { DOM0, Gfn } from "../ids.ts";
import { type GrantMapping, grantEntries, grantMap, grantSeed } from "../toolstack/grants.ts";
import { CODE } from "./mmio-guest.ts";

/** gfn of the guest's page that is granted, another one of its, and the reference. */
export const GRANTED = 3;
export const OTHER = 2;
export const REF = 8;
/** First gfn of dom0 at which grants are mapped. */
export const MAPPED = 0x80;

const FRAME_FLAGS = 2;
const FRAME_FREE = 16;

export interface GrantWorld {
  readonly world: World;
  readonly program: Program;
  /** Linear address of the guest's entries. */
  readonly entries: number;
}

/** A guest with four pages and one vCPU; entry `ref` grants page GRANTED to dom0. */
export function grantWorld(
  module: WebAssembly.Module,
  knobs: readonly (readonly [index: number, value: number])[],
  body: readonly Instruction[] = [],
  ref = REF,
): GrantWorld {
  const code = program(CODE, body);
  const world = createWorld(module, { pages: 4, programs: [code], knobs });
  const entries = grantEntries(world.dom0, world.domid);
  grantSeed(world.dom0, entries, ref, DOM0, GRANTED);
  return { world, program: code, entries };
}

/** Maps the granted page into dom0 in the set-up. */
export const mapped = (world: World, at: number, isReadOnly: boolean, ref = REF): GrantMapping =>
  grantMap(world.dom0, world.domid, ref, Gfn(at), isReadOnly);

/** The status of each structure is looked at by invariants; the call as a whole has to succeed. */
export const mapStep = (text: string, ref: number, host: bigint): HypercallStep => ({
  text,
  prepare(world, at, gpa) {
    const { view } = world.core;
    view.setBigUint64(at, host, true);
    view.setUint32(at + 8, GNTMAP_HOST_MAP, true);
    view.setUint32(at + 12, ref, true);
    view.setUint16(at + 16, world.domid, true);
    return [HC_GRANT_TABLE_OP, GNTTABOP_MAP_GRANT_REF, gpa, 1];
  },
});

export const unmapStep = (text: string, { gfn, handle }: GrantMapping): HypercallStep => ({
  text,
  prepare(world, at, gpa) {
    const { view } = world.core;
    view.setBigUint64(at, BigInt(gfn) << 12n, true);
    view.setUint32(at + 16, handle, true);
    return [HC_GRANT_TABLE_OP, GNTTABOP_UNMAP_GRANT_REF, gpa, 1];
  },
});

/** Eight bytes between a gfn of dom0 and the granted page. */
export const copyStep = (text: string, gfn: number, direction: "from" | "to"): HypercallStep => ({
  text,
  prepare(world, at, gpa) {
    const { view } = world.core;
    const [granted, own] = direction === "from" ? [at, at + 16] : [at + 16, at];
    view.setUint32(granted, REF, true);
    view.setUint16(granted + 8, world.domid, true);
    view.setUint32(own, gfn, true);
    view.setUint16(own + 8, DOMID_SELF, true);
    view.setUint16(at + 32, 8, true);
    view.setUint16(at + 34, direction === "from" ? GNTCOPY_SOURCE_GREF : GNTCOPY_DEST_GREF, true);
    view.setInt16(at + 36, GNTST_OKAY, true);
    return [HC_GRANT_TABLE_OP, GNTTABOP_COPY, gpa, 1];
  },
});

/** Address of the head of the guest's grant table, 0 while there is none. */
function headAt(world: World): number {
  const mfn = word(world, world.domainAt + DOM_GRANT_MFN);
  return mfn === 0 ? 0 : frameAddress(mfn);
}

export const versionOf = (world: World): number => word(world, headAt(world) + GRANT_HEAD_VERSION);

/** What the hypervisor remembers about a reference: how often it is in use, and its frame. */
export function activeEntry(world: World, ref = REF): { readonly pin: number; readonly mfn: number } {
  const at = frameAddress(word(world, headAt(world) + GRANT_HEAD_ACTIVE)) + ref * GRANT_ACTIVE_SIZE;
  return { pin: word(world, at + GRANT_ACTIVE_PIN), mfn: word(world, at + GRANT_ACTIVE_MFN) };
}

export function isFree(world: World, mfn: number): boolean {
  const at = FRAME_TABLE_BASE + mfn * FRAME_RECORD_SIZE + FRAME_FLAGS;
  return (world.core.view.getUint16(at, true) & FRAME_FREE) !== 0;
}

/** Whether the entry says that its page is in use. */
export const isMarked = (world: World, entries: number, ref = REF): boolean =>
  (world.core.view.getUint16(entries + ref * 8, true) & (GTF_READING | GTF_WRITING)) !== 0;

/** Frame of a gfn of dom0, 0 when it shows none. */
export const dom0Frame = (world: World, gfn: number): number => frameOf(world.core, DOM0, gfn);

/** What is pinned exists. */
export const pinnedFrameLives = (world: World): Invariant => ({
  name: "pinned-frame",
  text: "the frame of an entry in use is not free",
  always() {
    const { pin, mfn } = activeEntry(world);
    return pin !== 0 && isFree(world, mfn) ? `entry ${REF} is in use, and its frame ${mfn} is free` : undefined;
  },
});

/** What to show beside each step. */
export function describeGrant({ world, entries }: GrantWorld, gfns: readonly number[] = []): string {
  const { pin, mfn } = activeEntry(world);
  const flags = world.core.view.getUint16(entries + REF * 8, true);
  const maps = gfns.map((gfn) => `dom0:${gfn.toString(16)}->${dom0Frame(world, gfn) || "none"}`);
  return [
    `entry flags ${flags.toString(16)}`,
    `pin ${pin.toString(16)} frame ${mfn}${isFree(world, mfn) ? " (free)" : ""}`,
    ...maps,
  ].join(", ");
}
