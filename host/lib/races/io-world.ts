/** What the races about I/O resources start from: a device on the bus, a guest U that may drive it, a domain V, dom0 with a processor of its own. */
import { BUS_FIRST_FRAME, DEV_INDEX, DEV_LOG_NEXT, DEV_VALUES } from "../../../hv-core/abi/bus.ts";
import { DOMCTL_UNION } from "../../../hv-core/abi/domctl.ts";
import {
  DOMCTL_INTERFACE_VERSION_4_17,
  HC_DOMCTL,
  HC_VCPU_OP,
  VCPUOP_INITIALISE,
  VCPUOP_UP,
} from "../../../hv-core/abi/hypercalls.ts";
import { KNOB_DOM0_VCPUS, KNOB_IO_ACCOUNT, KNOB_IO_DEVICES, KNOB_IO_RACE } from "../../../hv-core/abi/knobs.ts";
import { IO_DEVICE_SIZE, IO_DEVICES_BASE } from "../../../hv-core/abi/layout.ts";
import { ACTOR_RACE_WRITER, allocActor, slabOf } from "../actors.ts";
import { hypercall, withBuffer } from "../dom0.ts";
import { check } from "../errors.ts";
import { type Actor, setWord, word } from "../explore/actors.ts";
import type { Program } from "../explore/code.ts";
import type { Invariant } from "../explore/race.ts";
import type { HypercallStep, ToolstackActor } from "../explore/toolstack-actor.ts";
import { createWorld, type World } from "../explore/world.ts";
import { DOM0, type DomId } from "../ids.ts";
import { vcpuSlots } from "../inspect.ts";
import { readDevice } from "../iocap/bus.ts";
import { domainCreate } from "../toolstack/domctl.ts";

export const CODE = 0x1000;
export const M = BUS_FIRST_FRAME;
export const M_GPA = BUS_FIRST_FRAME * 4096;
/** Where U maps the device. */
export const GFN = 0x100;
export const GPA = GFN * 4096;
/** dom0's page with its program: below those of the toolstack actors. */
const DOM0_PAGE = 6;
export const DOM0_CODE = DOM0_PAGE * 4096;

type Knobs = readonly (readonly [index: number, value: number])[];

export interface IoRaceWorld {
  readonly world: World;
  readonly programs: readonly Program[];
  /** A domain that never runs: somebody who may be given the device. */
  readonly v: DomId;
}

/** @param dom0 the program of dom0's own processor: vCPU 1 of the world's list. */
export function ioRaceWorld(
  module: WebAssembly.Module,
  knobs: Knobs,
  programs: readonly Program[],
  dom0?: Program,
): IoRaceWorld {
  const world = createWorld(module, {
    pages: 8,
    programs,
    knobs: [[KNOB_IO_DEVICES, 2], [KNOB_DOM0_VCPUS, dom0 ? 1 : 0], ...knobs],
  });
  if (dom0) {
    startDom0(world, dom0);
    (world.vcpus as number[]).push(vcpuSlots(world.core, DOM0)[1]!);
  }
  return { world, programs, v: domainCreate(world.dom0, 1) };
}

function startDom0({ dom0 }: World, program: Program): void {
  const { view } = dom0.core;
  dom0.core.u8.set(program.code, dom0.ramAt + program.gpa);
  withBuffer(dom0, 128, ({ gpa, at }) => {
    dom0.core.u8.fill(0, at, at + 128);
    view.setUint32(at + 40, program.gpa, true);
    view.setUint32(at + 44, 2, true);
    view.setUint32(at + 48, 0x11, true);
    for (let i = 0; i < 5; i++) view.setUint32(at + 92 + i * 4, i === 4 ? 0x67 : 0xffff_ffff, true);
    [0xc9b, 0xc93, 0xc93, 0xc93, 0x8b].forEach((attributes, i) => {
      view.setUint16(at + 112 + i * 2, attributes, true);
    });
    check(hypercall(dom0, HC_VCPU_OP, VCPUOP_INITIALISE, 1, gpa), "VCPUOP_initialise");
  });
  check(hypercall(dom0, HC_VCPU_OP, VCPUOP_UP, 1, 0), "VCPUOP_up");
}

/** A domctl as a step of a toolstack program: `fill` writes the union. */
export function domctlStep(
  text: string,
  cmd: number,
  domid: number,
  fill: (view: DataView, at: number) => void,
  mayFail: readonly number[] = [],
): HypercallStep {
  return {
    text,
    mayFail,
    prepare({ core: { view } }, at, gpa) {
      for (let i = 0; i < 144; i += 4) view.setUint32(at + i, 0, true);
      view.setUint32(at, cmd, true);
      view.setUint32(at + 4, DOMCTL_INTERFACE_VERSION_4_17, true);
      view.setUint16(at + 8, domid, true);
      fill(view, at + DOMCTL_UNION);
      return [HC_DOMCTL, gpa];
    },
  };
}

export const iomemStep = (
  text: string,
  domid: number,
  allow: boolean,
  mayFail: readonly number[] = [],
): HypercallStep =>
  domctlStep(
    text,
    20,
    domid,
    (view, at) => {
      view.setBigUint64(at, BigInt(M), true);
      view.setBigUint64(at + 8, 1n, true);
      view.setUint8(at + 16, allow ? 1 : 0);
    },
    mayFail,
  );

export const ioportStep = (text: string, domid: number, port: number, allow: boolean): HypercallStep =>
  domctlStep(text, 21, domid, (view, at) => {
    view.setUint32(at, port, true);
    view.setUint32(at + 4, 8, true);
    view.setUint8(at + 8, allow ? 1 : 0);
  });

export const mapStep = (
  text: string,
  domid: number,
  isAdd: boolean,
  mayFail: readonly number[] = [],
  gfn = GFN,
): HypercallStep =>
  domctlStep(
    text,
    39,
    domid,
    (view, at) => {
      view.setBigUint64(at, BigInt(gfn), true);
      view.setBigUint64(at + 8, BigInt(M), true);
      view.setBigUint64(at + 16, 1n, true);
      view.setUint32(at + 24, isAdd ? 1 : 0, true);
    },
    mayFail,
  );

export const accesses = (world: World, device = 0): number =>
  word(world, IO_DEVICES_BASE + device * IO_DEVICE_SIZE + DEV_LOG_NEXT);

/** Accesses of a domain to the device after the first `from`. */
export const accessesBy = (world: World, domid: number, from: number): number =>
  readDevice(world.core, 0).log.filter((a) => a.domid === domid).length === 0
    ? 0
    : readDevice(world.core, 0)
        .log.slice(from)
        .filter((a) => a.domid === domid).length;

/**
 * A toolstack program that remembers `value()` at the end of call `call`, if that succeeded: what has been until then was right.
 * `mark()` is that value, undefined before.
 */
export function marking(
  world: World,
  actor: ToolstackActor,
  call: number,
  value: () => number,
): ToolstackActor & { mark(): number | undefined } {
  const slab = slabOf(allocActor(world.core, ACTOR_RACE_WRITER, DOM0));
  const note = (before: number): void => {
    if (before <= call && actor.done() > call && actor.resultOf(call) >= 0) setWord(world, slab + 8, value() + 1);
  };
  return {
    ...actor,
    begin() {
      const before = actor.done();
      actor.begin();
      note(before);
    },
    ended(result) {
      const before = actor.done();
      actor.ended(result);
      note(before);
    },
    mark() {
      const kept = word(world, slab + 8);
      return kept === 0 ? undefined : kept - 1;
    },
  };
}

/** Those that speak of a moment only: also in the middle of an operation a frame has one user, and the hypervisor's own none. */
const ALWAYS = [1, 2, 5, 8];
const ALL = [1, 2, 3, 4, 5, 6, 7, 8];

/**
 * O-1 to O-6 and O-8 by a full walk over every map, after every step. Those that compare the accounts with the maps (O-3, O-4, O-6) cannot
 * hold between an entry and its count: they are looked at whenever no hypercall and no exit is under way. O-7 is each race's own.
 */
export function accountsBalance(world: World): Invariant {
  const isAtRest = (): boolean =>
    Array.from({ length: world.actorCount }, (_, i) => i).every((i) => !world.continuations.suspension(i));
  return {
    name: "O-1..O-8",
    text: "what is counted is what is mapped, by who may",
    always() {
      const broken = world.exports.ioInvariants() >>> 0;
      if (broken === 0) return undefined;
      const names = (isAtRest() ? ALL : ALWAYS).filter((n) => ((broken >> (n - 1)) & 1) !== 0).map((n) => `O-${n}`);
      return names.length === 0 ? undefined : `${names.join(" and ")} ${names.length > 1 ? "do" : "does"} not hold`;
    },
  };
}

/** accountsBalance, for those variants whose accounts can be right: with the accountant, and no defect of it (knob io.race) planted. */
export const accountsOf = (world: World, knobs: Knobs): Invariant[] => {
  const knob = (index: number): number => knobs.find(([i]) => i === index)?.[1] ?? 0;
  return knob(KNOB_IO_ACCOUNT) !== 0 && knob(KNOB_IO_RACE) === 0 ? [accountsBalance(world)] : [];
};

/** The DMA engine of device 0 as an actor: it translates, then it writes. */
export function dmaActor(world: World, index: number): Actor {
  const state = (): number => word(world, IO_DEVICES_BASE + 28);
  return {
    name: "dma",
    index,
    processor: 0,
    isReady: () => state() !== 0,
    hasWork: () => state() !== 0,
    next: () =>
      state() === 1
        ? { word: "translate", text: "translates the device address" }
        : { word: "write", text: "writes to the frame it found" },
    begin: () => void world.core.exports.deviceStep(0),
    ended: () => {},
  };
}

/** "device: 2 accesses, INDEX 1" */
export function describeDevice(world: World): string {
  const at = IO_DEVICES_BASE;
  return `device: ${accesses(world)} access(es), INDEX ${word(world, at + DEV_INDEX)}, register 0 = ${word(world, at + DEV_VALUES)}`;
}
