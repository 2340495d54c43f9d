/**
 * A race as one piece of data: machine, guests, actors, knobs, invariants, variants (docs/explorer.md has an example). From it the set-up
 * is made that the explorer runs. What is wrong in it is found before anything runs: race-schema.ts.
 */
import { UsageError } from "../errors.ts";
import type { Actor } from "./actors.ts";
import { type Instruction, type Program, program } from "./code.ts";
import { createServer, type DeviceActor, deviceActor, type IoreqEnd, slotState } from "./device-actor.ts";
import { type GuestStart, platformActor, type StartedGuest, startGuest } from "./guest-start.ts";
import type { Invariant, Race, RaceSetup, RaceVariant } from "./race.ts";
import { checkDescription, Field } from "./race-schema.ts";
import { pageTypeOf } from "./state-text.ts";
import { type HypercallStep, type ToolstackActor, toolstackActor } from "./toolstack-actor.ts";
import { variantSettings } from "./variants.ts";
import { vcpuActor } from "./vcpu-actor.ts";
import { createWorld, type World } from "./world.ts";
import { type WriteStep, writerActor } from "./writer-actor.ts";

type Knobs = Readonly<Record<string, number>>;
type Settings = Parameters<Race["setup"]>[1];

export interface VcpuDescription {
  /** Guest-physical address of its first instruction; default 0x1000 for the first, a page further for each. */
  readonly at?: number;
  readonly code: readonly Instruction[];
}

/** Who takes part beside the vCPUs: a list of hypercalls, a device model, or somebody who writes to shared memory. */
export type ActorDescription =
  | { readonly toolstack: string; readonly does: readonly HypercallStep[] }
  | { readonly device: string; readonly server: IoreqEnd }
  | { readonly writer: string; readonly does: readonly WriteStep[]; readonly loops?: boolean };

/** What actors and invariants of a description are made from. */
export interface RaceMachine {
  readonly world: World;
  /** The ioreq servers of `machine.servers`, in order. */
  readonly servers: readonly IoreqEnd[];
  /** The vCPUs' programs; empty when the race starts from an ordinary guest. */
  readonly programs: readonly Program[];
  /** The device models among the actors by name, and the toolstack programs. For invariants. */
  device(name: string): DeviceActor;
  toolstack(name: string): ToolstackActor;
  /** p2m type of the page at a guest-physical address: "ram_rw". */
  pageType(gpa: number): string;
}

export interface RaceDescription {
  readonly name: string;
  readonly id?: string;
  readonly title?: string;
  readonly lesson?: string;
  readonly background?: string;
  readonly machine?: {
    /** Pages of RAM, default 4 and one for each further vCPU. */
    readonly pages?: number;
    readonly servers?: readonly { readonly mmio?: readonly [first: number, last: number] }[];
    readonly isHvm?: boolean;
  };
  readonly guests: readonly VcpuDescription[] | GuestStart;
  /** Makes the actors beside the vCPUs. May prepare the machine with hypercalls first. */
  actors(machine: RaceMachine): readonly ActorDescription[];
  /** For all variants. */
  readonly knobs?: Knobs;
  invariants(machine: RaceMachine): readonly Invariant[];
  readonly variants: Readonly<Record<string, Omit<RaceVariant, "knobs"> & { readonly knobs?: Knobs }>>;
  /** Facts to show beside each step, separated by commas: "page ram_rw, slot READY". Default: the slots. */
  state?(machine: RaceMachine): string;
  readonly mayCrash?: boolean;
  readonly mayWaitForEver?: boolean;
}

const FIRST_CODE = 0x1000;
const CODE_STEP = 0x3000;
const DEFAULT_PAGES = 4;
const SLOTS = ["NONE", "READY", "INPROCESS", "RESP_READY"];

interface Start {
  readonly world: World;
  readonly programs: readonly Program[];
  readonly vcpus: readonly Actor[];
  readonly started?: StartedGuest;
}

function startOf(module: WebAssembly.Module, description: RaceDescription, knobs: Settings): Start {
  const { guests, machine = {} } = description;
  if ("kind" in guests) {
    const started = startGuest(module, guests, knobs);
    const { world } = started;
    const vcpus = world.vcpus.map((_, vcpu) =>
      vcpuActor(world, {
        name: `guest${vcpu}`,
        index: vcpu,
        vcpu,
        end: guests.until,
        instructions: [],
        ...(guests.textOf ? { textOf: guests.textOf } : {}),
      }),
    );
    return { world, programs: [], vcpus, started };
  }
  const programs = guests.map(({ at, code }, i) => program(at ?? FIRST_CODE + i * CODE_STEP, code));
  const last = Math.max(...programs.map((p) => Math.ceil((p.gpa + p.code.length) / 4096)));
  const pages = machine.pages ?? Math.max(DEFAULT_PAGES, last);
  if (last > pages)
    new Field(description.name, "machine.pages", pages).fail(
      `a number of pages that holds the guests' code (${last} at least)`,
    );
  const world = createWorld(module, { pages, programs, knobs, ...(machine.isHvm ? { isHvm: true } : {}) });
  const vcpus = programs.map((p, vcpu) => vcpuActor(world, { name: `guest${vcpu}`, index: vcpu, vcpu, ...p }));
  return { world, programs, vcpus };
}

function actorOf(world: World, description: ActorDescription, index: number, race: string): Actor {
  const field = new Field(race, `actors[${index}]`, description);
  if (typeof description === "object" && description !== null) {
    if ("toolstack" in description) {
      field.fields(["toolstack", "does"]);
      field.at("does").list(1, 16, "a list of hypercalls (steps.unmapType(...), ...)");
      return toolstackActor(world, { name: field.at("toolstack").text("a name"), index, program: description.does });
    }
    if ("device" in description) {
      field.fields(["device", "server"]);
      if (description.server?.slotsAt === undefined) field.at("server").fail("one of machine.servers");
      return deviceActor(world, { name: field.at("device").text("a name"), index, end: description.server });
    }
    if ("writer" in description) {
      field.fields(["writer", "does", "loops"]);
      field.at("does").list(1, 16, "a list of writes, { text, run }");
      return writerActor(world, {
        name: field.at("writer").text("a name"),
        index,
        program: description.does,
        loops: description.loops ?? false,
      });
    }
  }
  return field.fail("{ toolstack, does }, { device, server } or { writer, does }");
}

/** Checks a description and makes the race of it. @throws UsageError for the first field that is wrong. */
export function describedRace(value: unknown): Race {
  checkDescription(value);
  const description = value;
  const { name, knobs = {} } = description;
  const variants = Object.fromEntries(
    Object.entries(description.variants).map(([key, v]) => [key, { ...v, knobs: { ...knobs, ...v.knobs } }]),
  );
  return {
    name,
    id: description.id ?? name,
    title: description.title ?? name,
    lesson: description.lesson ?? "",
    ...(description.background === undefined ? {} : { background: description.background }),
    variants,
    setup(module, settings) {
      return setupOf(module, description, settings);
    },
  };
}

function setupOf(module: WebAssembly.Module, description: RaceDescription, settings: Settings): RaceSetup {
  const { world, programs, vcpus, started } = startOf(module, description, [
    ...variantSettings(description.knobs ?? {}),
    ...settings,
  ]);
  const servers = (description.machine?.servers ?? []).map(({ mmio }) =>
    createServer(world, mmio ? { range: mmio } : {}),
  );
  const all: Actor[] = [...vcpus];
  const named = <T extends Actor>(actor: string, has: string): T => {
    const found = all.find((a) => a.name === actor && has in a);
    if (!found) throw new UsageError(`race ${description.name}: no actor of that kind is called "${actor}"`);
    return found as T;
  };
  const machine: RaceMachine = {
    world,
    servers,
    programs,
    device: (actor) => named<DeviceActor>(actor, "log"),
    toolstack: (actor) => named<ToolstackActor>(actor, "done"),
    pageType: (gpa) => pageTypeOf(world, gpa),
  };
  for (const actor of description.actors(machine)) all.push(actorOf(world, actor, all.length, description.name));
  if (started) all.push(platformActor(started, all.length));
  const slots = (): number[] => servers.flatMap((end) => world.vcpus.map((_, vcpu) => slotState(world, end, vcpu)));
  return {
    world,
    actors: all,
    invariants: description.invariants(machine),
    ...(description.mayCrash ? { mayCrash: true } : {}),
    ...(description.mayWaitForEver ? { mayWaitForEver: true } : {}),
    slotStates: slots,
    describeState: () =>
      description.state?.(machine) ??
      (servers.length === 0
        ? `rip 0x${world.rip(0).toString(16)}`
        : `slot ${slots()
            .map((s) => SLOTS[s] ?? "?")
            .join(" ")}`),
  };
}
