/**
 * A race that starts from an ordinary run: a guest with its device models is booted in the race build, runs so many instructions with
 * nothing beside it, and from that state on its vCPUs and its device models are actors.
 */
import { KNOB_TLB_ENTRIES, KNOB_TRACE_MASK } from "../../../hv-core/abi/knobs.ts";
import { ACTOR_RACE_DEVICE, allocActor, slabOf } from "../actors.ts";
import { isEventPending } from "../dom0.ts";
import { UsageError } from "../errors.ts";
import { DOM0 } from "../ids.ts";
import type { GuestImage } from "../loader/image.ts";
import { createMachine, type Machine } from "../machine.ts";
import { type Actor, setWord, word } from "./actors.ts";
import { createContinuations } from "./continuations.ts";
import type { InstructionText } from "./vcpu-actor.ts";
import { type World, worldOf } from "./world.ts";

/** A guest and how far it has run (host/node/race-files.ts makes one from a guest's name). */
export interface GuestStart {
  readonly kind: "guest-start";
  readonly name: string;
  readonly image: GuestImage;
  readonly cmdline: string;
  readonly vcpus: number;
  readonly memoryBytes: number;
  /** Instructions of vCPU 0 before the race begins. */
  readonly at: number;
  /** Address at which a vCPU's part in the race is over. */
  readonly until: number;
  /** Tells the guest's instructions in reports. */
  readonly textOf?: InstructionText;
}

export interface StartedGuest {
  readonly world: World;
  readonly machine: Machine;
}

/** Smaller than in ordinary runs: every state of a race is hashed whole. */
const DOM0_PAGES = 32;
const TLB_ENTRIES = 16;

/** @throws UsageError when the guest ends or sleeps before it has run so far. */
export function startGuest(
  module: WebAssembly.Module,
  start: GuestStart,
  knobs: readonly (readonly [index: number, value: number])[],
): StartedGuest {
  let machine: Machine | undefined;
  const continuations = createContinuations((hooks) => {
    machine = createMachine(module, {
      memoryBytes: start.memoryBytes,
      vcpus: start.vcpus,
      dom0Pages: DOM0_PAGES,
      hooks,
      settings: [[KNOB_TRACE_MASK, 0], [KNOB_TLB_ENTRIES, TLB_ENTRIES], ...knobs],
    });
    return machine.core;
  });
  const { image, cmdline, vcpus, memoryBytes } = start;
  const { domid } = machine!.createGuest({ image, cmdline, vcpus, memoryBytes, modules: [] });
  const first = machine!.vcpus(domid)[0]!;
  for (let done = 0; done < start.at; done++) {
    const { kind } = machine!.step(first);
    if (kind !== "ran")
      throw new UsageError(
        `guest ${start.name} ${kind === "ended" ? "ends" : "sleeps"} after ${done} instructions: start the race at an earlier one`,
      );
  }
  const world = worldOf(continuations, { dom0: machine!.dom0, window: machine!.window, domid });
  return { world, machine: machine! };
}

/** Slab: events served @8. */
const SERVED = 8;

/** The guest's own device models and its toolstack: one step answers all events that are pending, as dom0 does in an ordinary run. */
export function platformActor({ world, machine }: StartedGuest, index: number): Actor {
  const slab = slabOf(allocActor(world.core, ACTOR_RACE_DEVICE, DOM0));
  return {
    name: "devices",
    index,
    role: "the guest's own device models in the control domain, as in an ordinary run",
    processor: 0,
    isReady: () => isEventPending(machine.dom0),
    hasWork: () => isEventPending(machine.dom0),
    next: () => ({ word: "serve", text: "answer what was asked of them" }),
    begin() {
      machine.serve();
      setWord(world, slab + SERVED, (word(world, slab + SERVED) + 1) & 1);
    },
    ended() {},
  };
}
