/**
 * The small machine of a race: dom0 with a few pages, one guest whose vCPUs start at given instructions, perhaps an ioreq server.
 * Everything is built with hypercalls, as the toolstack does. A world can be copied (save), put back (restore) and hashed.
 *
 * Before: continuations.ts. After: actors.ts, then search.ts.
 */
import { CPU_RIP } from "../../../hv-core/abi/cpu.ts";
import { DOM_CRASH_REASON } from "../../../hv-core/abi/domain.ts";
import { HVM_SAVE_HEADER_SIZE } from "../../../hv-core/abi/hypercalls.ts";
import { KNOB_P2M_SUPERPAGES, KNOB_TLB_ENTRIES, KNOB_TRACE_MASK } from "../../../hv-core/abi/knobs.ts";
import { DOMAIN_SIZE, DOMAINS_BASE, MAILBOX_BASE, VCPU_SIZE, VCPUS_BASE } from "../../../hv-core/abi/layout.ts";
import { frameAddress, instantiateCore, refreshViews } from "../core.ts";
import { createDom0, type Dom0 } from "../dom0.ts";
import { domainSlot } from "../domains.ts";
import { check } from "../errors.ts";
import type { DomId } from "../ids.ts";
import { vcpuSlots } from "../inspect.ts";
import { DEFAULT_ERA, knobSettings } from "../knobs.ts";
import {
  domainCreate,
  domainMaxMem,
  domainMaxVcpus,
  domainSetHvmContext,
  domainSetPagingPool,
  domainUnpause,
  EMULATION_HVM,
  EMULATION_PVH,
} from "../toolstack/domctl.ts";
import { createForeignWindow, type ForeignWindow, writeGuest } from "../toolstack/foreign.ts";
import { entryContext } from "../toolstack/hvm-context.ts";
import { populateAll } from "../toolstack/memory.ts";
import { type Continuations, continuationAt, createContinuations, type RaceExports } from "./continuations.ts";

/** Frames of a race's machine: most of them stay untouched and cost nothing. */
const FRAME_COUNT = 512;
/** dom0 of most races; a race that needs more pages of it puts its own behind these. */
export const DOM0_PAGES = 12;
const TLB_ENTRIES = 16;
const POOL_FRAMES = 64;

export interface GuestProgram {
  /** Where the vCPU starts, and its instructions. Flat 32-bit mode, paging off. */
  readonly gpa: number;
  readonly code: Uint8Array;
}

export interface WorldOptions {
  /** Pages of RAM of the guest. */
  readonly pages: number;
  /** One for each vCPU. */
  readonly programs: readonly GuestProgram[];
  /** Pages of RAM of dom0; default DOM0_PAGES. */
  readonly dom0Pages?: number;
  /** Index in abi/knobs.ts and value, for instance of a variant. */
  readonly knobs: readonly (readonly [index: number, value: number])[];
  /** True: an HVM domain, whose clock chip is emulated; false, the default: a PVH one. */
  readonly isHvm?: boolean;
}

/** A copy of everything that is state. */
export interface SavedWorld {
  readonly starts: readonly number[];
  readonly parts: readonly Uint8Array[];
}

export interface World {
  readonly continuations: Continuations;
  readonly exports: RaceExports;
  readonly core: Continuations["core"];
  readonly dom0: Dom0;
  readonly window: ForeignWindow;
  readonly domid: DomId;
  /** Linear address of the guest's record in the domain table. */
  readonly domainAt: number;
  /** Slots of the guest's vCPUs. */
  readonly vcpus: readonly number[];
  /** Slots with continuations: one for each actor. */
  actorCount: number;
  /** @param used a copy that nobody needs any more: its memory is taken. */
  save(used?: SavedWorld): SavedWorld;
  restore(saved: SavedWorld): void;
  /** 64 bits as sixteen hexadecimal digits. */
  hash(): string;
  rip(vcpu: number): number;
  /** Linear address of guest-physical `gpa`: for oracles, which only look. */
  guestAddress(gpa: number): number;
  /** CRASH_*, CRASH_NONE = 0 while the domain lives. */
  crashReason(): number;
}

/** Starts vCPU `vcpu` at `eip`: the same records as for a domain's first vCPU, for another instance. */
function startVcpu(dom0: Dom0, domid: DomId, vcpu: number, vcpus: number, eip: number): void {
  const records = entryContext({ eip, ebx: 0 }, vcpus);
  new DataView(records.buffer).setUint16(8 + HVM_SAVE_HEADER_SIZE + 2, vcpu, true);
  domainSetHvmContext(dom0, domid, records);
}

/** @throws HvError when the set-up fails: a race that cannot be set up is never "no violation". */
export function createWorld(module: WebAssembly.Module, options: WorldOptions): World {
  const continuations = createContinuations((hooks) => instantiateCore(module, { frameCount: FRAME_COUNT, ...hooks }));
  const { core, exports } = continuations;
  for (const [index, value] of knobSettings(DEFAULT_ERA, {})) exports.setKnob(index, value);
  exports.setKnob(KNOB_TRACE_MASK, 0);
  exports.setKnob(KNOB_TLB_ENTRIES, TLB_ENTRIES);
  exports.setKnob(KNOB_P2M_SUPERPAGES, 0);
  for (const [index, value] of options.knobs) exports.setKnob(index, value);
  const dom0Pages = options.dom0Pages ?? DOM0_PAGES;
  check(exports.machineInit(FRAME_COUNT, dom0Pages), "machineInit");
  refreshViews(core);
  const dom0 = createDom0(core, dom0Pages);
  const window = createForeignWindow(dom0);
  const vcpuCount = options.programs.length;
  const domid = domainCreate(dom0, vcpuCount, options.isHvm ? EMULATION_HVM : EMULATION_PVH);
  domainMaxVcpus(dom0, domid, vcpuCount);
  domainMaxMem(dom0, domid, options.pages * 4 + 256);
  domainSetPagingPool(dom0, domid, POOL_FRAMES * 4096);
  populateAll(
    dom0,
    domid,
    Array.from({ length: options.pages }, (_, i) => i),
    "guest RAM",
  );
  options.programs.forEach((program, vcpu) => {
    writeGuest(dom0, window, domid, program.gpa, program.code);
    startVcpu(dom0, domid, vcpu, vcpuCount, program.gpa);
  });
  domainUnpause(dom0, domid);
  return worldOf(continuations, { dom0, window, domid });
}

/** The guest `domid` of a machine that was set up or has run until now, as a world that can be copied, put back and hashed. */
export function worldOf(continuations: Continuations, parts: Pick<World, "dom0" | "window" | "domid">): World {
  const { core, exports } = continuations;
  const { dom0, window, domid } = parts;
  const slot = domainSlot(core, domid);
  const domainAt = DOMAINS_BASE + slot * DOMAIN_SIZE;
  const vcpus = vcpuSlots(core, domid);
  exports.exploreLeave();

  /** What lies behind the marks of a state is zero, as in a new machine: not what another way has left there. */
  function wipeBeyond(saved: SavedWorld): void {
    const count = exports.snapshotExtents();
    const word = MAILBOX_BASE >> 2;
    let part = 0;
    for (let i = 0; i < count; i++) {
      if (core.u32[word + i * 3 + 2] !== 1) continue;
      const [start, length] = [core.u32[word + i * 3]!, core.u32[word + i * 3 + 1]!];
      const kept = saved.parts[part++]?.length ?? 0;
      if (length > kept) core.u8.fill(0, start + kept, start + length);
    }
  }

  const world: World = {
    continuations,
    exports,
    core,
    dom0,
    window,
    domid,
    domainAt,
    vcpus,
    actorCount: 0,
    save(used) {
      const count = exports.snapshotExtents();
      const starts: number[] = [];
      const parts: Uint8Array[] = [];
      const word = MAILBOX_BASE >> 2;
      const keep = (start: number, length: number): void => {
        const old = used?.parts[parts.length];
        starts.push(start);
        if (old?.length !== length) parts.push(core.u8.slice(start, start + length));
        else {
          old.set(core.u8.subarray(start, start + length));
          parts.push(old);
        }
      };
      for (let i = 0; i < count; i++) {
        const start = core.u32[word + i * 3]!;
        const length = core.u32[word + i * 3 + 1]!;
        if (core.u32[word + i * 3 + 2] !== 1) continue; // the journal is no state
        keep(start, length);
      }
      for (let i = 0; i < world.actorCount; i++) {
        keep(continuationAt(i), continuations.used(i));
      }
      return { starts, parts };
    },
    restore(saved) {
      wipeBeyond(saved);
      // Decoded code stays: a guest of a race does not write to the pages it runs on.
      for (let i = 0; i < world.actorCount; i++) {
        const at = continuationAt(i);
        core.u8.fill(0, at, at + continuations.used(i));
      }
      for (let i = 0; i < saved.starts.length; i++) core.u8.set(saved.parts[i]!, saved.starts[i]!);
    },
    hash() {
      exports.stateHash();
      const high = core.u32[(MAILBOX_BASE >> 2) + 1]!;
      const low = core.u32[MAILBOX_BASE >> 2]!;
      return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
    },
    rip: (vcpu) => core.u32[(VCPUS_BASE + vcpus[vcpu]! * VCPU_SIZE + CPU_RIP) >> 2]!,
    guestAddress(gpa) {
      const steps = exports.walkGpa(domid, gpa, 0);
      const entry = core.view.getBigUint64(MAILBOX_BASE + (steps - 1) * 32 + 16, true);
      return frameAddress(Number((entry >> 12n) & 0xff_ffff_ffffn), gpa & 4095);
    },
    crashReason: () => core.u32[(domainAt + DOM_CRASH_REASON) >> 2]!,
  };
  return world;
}
