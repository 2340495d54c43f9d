/** What the races of memory sharing start from: a guest, a second domain that never runs, and steps that are sharing operations. */
import {
  HC_MEMORY_OP,
  SHARING_OP_NOMINATE_GFN,
  SHARING_OP_SHARE,
  XENMEM_SHARING_OP,
} from "../../../hv-core/abi/hypercalls.ts";
import { KNOB_P2M_SUPERPAGES } from "../../../hv-core/abi/knobs.ts";
import {
  FRAME_RECORD_SIZE,
  FRAME_TABLE_BASE,
  FRAMES_BASE,
  PAGE_SIZE,
  SHARING_STATE_BASE,
} from "../../../hv-core/abi/layout.ts";
import { frameOf } from "../dedup/pages.ts";
import { liveDomains, sharedPagesOf } from "../domains.ts";
import { word } from "../explore/actors.ts";
import { type Program, program } from "../explore/code.ts";
import type { Invariant } from "../explore/race.ts";
import type { HypercallStep } from "../explore/toolstack-actor.ts";
import { createWorld, type World } from "../explore/world.ts";
import type { DomId } from "../ids.ts";
import { domainCreate, domainMaxMem, domainMaxVcpus } from "../toolstack/domctl.ts";
import { populateAll } from "../toolstack/memory.ts";
import { allocSharingOp, handleOf, nominateGfn, type PageOf, shareGfns, sharingControl } from "../toolstack/sharing.ts";
import { CODE } from "./mmio-guest.ts";

export const PAGE = 0x2000;
export const OTHER = 0x3000;
const PAGES = 4;
const FRAME_LOCK = 12;
const FRAME_FLAGS = 2;
const FRAME_FREE = 16;

export interface SharingWorld {
  readonly world: World;
  readonly programs: readonly Program[];
  /** Domains that never run, with pages 0..3. */
  readonly others: readonly DomId[];
  describeState(): string;
}

/** A guest with one vCPU for each program, and `others` more domains; sharing is enabled for all of them. */
export function sharingWorld(
  module: WebAssembly.Module,
  knobs: readonly (readonly [index: number, value: number])[],
  bodies: readonly (readonly Parameters<typeof program>[1][number][])[],
  others = 0,
): SharingWorld {
  // Each vCPU has a page of code of its own: 0x1000 and 0x0000.
  const programs = bodies.map((body, vcpu) => program(vcpu === 0 ? CODE : 0, body));
  const world = createWorld(module, { pages: PAGES, programs, knobs: [...knobs, [KNOB_P2M_SUPERPAGES, 0]] });
  const { dom0 } = world;
  const made = Array.from({ length: others }, () => {
    const domid = domainCreate(dom0, 1);
    domainMaxVcpus(dom0, domid, 1);
    domainMaxMem(dom0, domid, PAGES * 4 + 64);
    populateAll(dom0, domid, [0, 1, 2, 3], "RAM");
    return domid;
  });
  for (const domid of [world.domid, ...made]) sharingControl(dom0, domid, true);
  return { world, programs, others: made, describeState: () => describe(world) };
}

/** Nominates in the set-up. @returns the handle. */
export function nominated(world: World, page: PageOf): bigint {
  using op = allocSharingOp(world.dom0);
  const rc = nominateGfn(world.dom0, op, page);
  if (rc !== 0) throw new Error(`nominate: ${rc}`);
  return handleOf(op);
}

/** Shares in the set-up. */
export function shared(world: World, source: PageOf, client: PageOf): void {
  const sh = nominated(world, source);
  const ch = nominated(world, client);
  using op = allocSharingOp(world.dom0);
  const rc = shareGfns(world.dom0, op, source, sh, client, ch);
  if (rc !== 0) throw new Error(`share: ${rc}`);
}

/** A sharing operation of a toolstack program; `fill` writes the structure from its union on. */
export function sharingStep(
  text: string,
  op: number,
  domid: number,
  fill: (view: DataView, at: number) => void,
  mayFail: readonly number[] = [],
): HypercallStep {
  return {
    text,
    mayFail,
    prepare(world, at, gpa) {
      const { view } = world.core;
      view.setUint8(at, op);
      view.setUint16(at + 2, domid, true);
      fill(view, at + 8);
      return [HC_MEMORY_OP, XENMEM_SHARING_OP, gpa];
    },
  };
}

export const nominateStep = (text: string, page: PageOf, mayFail: readonly number[] = []): HypercallStep =>
  sharingStep(
    text,
    SHARING_OP_NOMINATE_GFN,
    page.domid,
    (view, at) => view.setBigUint64(at, BigInt(page.gfn), true),
    mayFail,
  );

export const shareStep = (
  text: string,
  source: PageOf,
  sourceHandle: bigint,
  client: PageOf,
  clientHandle: bigint,
  mayFail: readonly number[] = [],
): HypercallStep =>
  sharingStep(
    text,
    SHARING_OP_SHARE,
    source.domid,
    (view, at) => {
      view.setBigUint64(at, BigInt(source.gfn), true);
      view.setBigUint64(at + 8, sourceHandle, true);
      view.setBigUint64(at + 16, BigInt(client.gfn), true);
      view.setBigUint64(at + 24, clientHandle, true);
      view.setUint16(at + 32, client.domid, true);
    },
    mayFail,
  );

/** The 32-bit word that a domain sees at a guest-physical address. */
export function wordAt(world: World, domid: DomId, gpa: number): number {
  const mfn = frameOf(world.core, domid, gpa / PAGE_SIZE);
  return word(world, FRAMES_BASE + mfn * PAGE_SIZE);
}

const usedFrames = (world: World): number => word(world, SHARING_STATE_BASE);
const freedPages = (world: World): number => word(world, SHARING_STATE_BASE + 4) | 0;

/** The published equality, where nobody is in the middle of an operation. */
export const sumOfPages = (world: World): Invariant => ({
  name: "sum-of-pages",
  text: "the domains' shared pages together are freed + used pages",
  atEnd() {
    const sum = liveDomains(world.core).reduce((total, domid) => total + sharedPagesOf(world.core, domid), 0);
    const counted = usedFrames(world) + freedPages(world);
    return sum === counted
      ? undefined
      : `${sum} shared pages, but ${freedPages(world)} freed and ${usedFrames(world)} used`;
  },
});

/** No page is left locked. */
export const pageLocksFree = (world: World): Invariant => ({
  name: "page-locks",
  text: "no page is locked when nobody is in the hypervisor",
  atEnd() {
    const { view } = world.core;
    for (let mfn = 1; mfn < world.core.frameCount; mfn++) {
      const at = FRAME_TABLE_BASE + mfn * FRAME_RECORD_SIZE;
      if ((view.getUint16(at + FRAME_FLAGS, true) & FRAME_FREE) !== 0) continue;
      if (view.getUint32(at + FRAME_LOCK, true) !== 0) return `frame ${mfn} is still locked`;
    }
    return undefined;
  },
});

function describe(world: World): string {
  const pages = liveDomains(world.core).map((domid) => {
    const mfn = frameOf(world.core, domid, PAGE / PAGE_SIZE);
    return `d${domid}:${(PAGE / PAGE_SIZE).toString(16)}->${mfn === 0 ? "none" : `mfn ${mfn}`}`;
  });
  return `${pages.join(" ")}, freed ${freedPages(world)}, used ${usedFrames(world)}`;
}
