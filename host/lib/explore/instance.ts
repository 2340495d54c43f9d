/**
 * A race that can be stepped: its machine in the initial state, with every oracle checked after each step.
 *
 * Before: race.ts. After: search.ts, walk.ts, replay.ts.
 */
import {
  DOM_CONTROLLER_PAUSE,
  DOM_HYPERVISOR_PAUSE,
  DOM_P2M_IOREQ_ENTRIES,
  DOM_P2M_IOREQ_SERVER,
} from "../../../hv-core/abi/domain.ts";
import { W_ACCESS } from "../../../hv-core/abi/windows.ts";
import { explainTrap, SITE_LOCK_ORDER, trapSite } from "../assert-sites.ts";
import { crashSentence } from "../crash.ts";
import { UsageError } from "../errors.ts";
import { type Actor, describeNext, placeOf, stepActor, type Wait, waitOf, word } from "./actors.ts";
import { createTap, type Tap } from "./footprint.ts";
import { checkFrames } from "./frames.ts";
import { actorOfProcessor, heldLocks, lockName } from "./locks.ts";
import type { Race, RaceSetup, Violation } from "./race.ts";
import { variantSettings } from "./variants.ts";
import type { SavedWorld } from "./world.ts";

/** Who wants to know which part of a step does what: see dpor.ts. Each runs `work` and returns its result. */
export interface Watch {
  /** An actor moves. */
  move<T>(actor: number, work: () => T): T;
  /** The question whether an actor can move. */
  guard<T>(actor: number, work: () => T): T;
  /** An oracle looks; numbers from 0 to oracleCount - 1. */
  oracle<T>(oracle: number, work: () => T): T;
}

const UNWATCHED: Watch = { move: (_, work) => work(), guard: (_, work) => work(), oracle: (_, work) => work() };

export interface RaceInstance {
  readonly race: Race;
  readonly setup: RaceSetup;
  readonly actors: readonly Actor[];
  readonly initial: SavedWorld;
  /** Of the instrumented build. */
  readonly tap: Tap | undefined;
  watch: Watch;
  readonly oracleCount: number;
  /** @param used a copy that nobody needs any more: its memory is taken. */
  save(used?: SavedWorld): SavedWorld;
  restore(saved: SavedWorld): void;
  hash(): string;
  /** Bit n = actor n can take a step. */
  enabled(): number;
  /** Bit n = actor n has work left. */
  working(): number;
  /** Takes a step of actor `index`, which must be enabled, and looks at every invariant. */
  step(index: number): Violation | undefined;
  /** Looks at every invariant in the state as it is, which a step does anyway. */
  check(): Violation | undefined;
  /** To be asked where nobody is enabled: a deadlock, or what the invariants say about the end. */
  checkEnd(): Violation | undefined;
  /** Whether an actor stands in the middle of an operation. */
  isSuspended(index: number): boolean;
  /** The word for the next step of an actor in a schedule. */
  place(index: number): string;
  /** The next step of an actor as a sentence without a subject. */
  describe(index: number): string;
  /** What keeps an actor from taking a step now, as a sentence without a subject; undefined when it can. */
  waiting(index: number): string | undefined;
}

const SLOT_NAMES = ["NONE", "READY", "INPROCESS", "RESP_READY"];
/** Transitions of a slot that the hypervisor makes, and those of a device model (spec 03, I-4): from << 2 | to. */
const BY_HYPERVISOR = new Set([(0 << 2) | 1, (3 << 2) | 0, (3 << 2) | 1]);
const BY_DEVICE = new Set([(1 << 2) | 2, (1 << 2) | 3, (2 << 2) | 3]);

/** @param knobs variant knobs beside those of the variant. @param settings any knobs, by index (for tests). @throws UsageError for an unknown variant or knob; HvError when the set-up fails. */
export function openRace(
  module: WebAssembly.Module,
  race: Race,
  variant: string,
  knobs: Readonly<Record<string, number>> = {},
  settings: readonly (readonly [index: number, value: number])[] = [],
): RaceInstance {
  const chosen = Object.hasOwn(race.variants, variant) ? race.variants[variant] : undefined;
  if (!chosen)
    throw new UsageError(
      `race ${race.name} has no variant "${variant}": use one of ${Object.keys(race.variants).join(", ")}`,
    );
  const setup = race.setup(module, [...variantSettings({ ...chosen.knobs, ...knobs }), ...settings], variant);
  const { world, actors } = setup;
  world.actorCount = actors.length;
  world.exports.exploreLeave();
  world.continuations.clearRegisters();
  world.hash(); // drops what is derived, so that the first state is like any other
  const initial = world.save();
  // What was decoded once stays decoded: without this the very first step of each actor would take more virtual time than later ones.
  for (const actor of actors) {
    if (waitOf(world, actor) !== undefined) continue;
    try {
      stepActor(world, actor);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error; // found again by whoever explores
    }
    world.restore(initial);
    world.hash();
  }

  const nameOf = (processor: number): string => {
    const actor = actorOfProcessor(processor);
    return (
      (actor >= 0 ? actors[actor]?.name : actors.find((a) => a.processor === processor)?.name) ??
      `processor ${processor}`
    );
  };

  /** What keeps an actor from going on, as a sentence without a subject. */
  function waitText(actor: Actor, wait: Wait): string {
    if (wait.kind === "lock")
      return `waits for the ${lockName(world.core, wait.address)}, which ${nameOf(wait.owner)} holds`;
    if (wait.kind === "pause") return "waits until the domain's vCPUs have stopped";
    return actor.hasWork() ? `waits for an event, with work left (${actor.next().text})` : "has nothing to do now";
  }

  function checkSlots(before: readonly number[], after: readonly number[], actor: Actor): Violation | undefined {
    const isGuest = actorOfProcessor(actor.processor) < 0 && actor.processor !== 0;
    for (let i = 0; i < after.length; i++) {
      if (before[i] === after[i]) continue;
      const edge = (before[i]! << 2) | after[i]!;
      if ((isGuest ? BY_HYPERVISOR : BY_DEVICE).has(edge)) continue;
      return {
        invariant: "I-4",
        message: `slot ${i} went from ${SLOT_NAMES[before[i]!]} to ${SLOT_NAMES[after[i]!]} in a step of ${actor.name}`,
      };
    }
    return undefined;
  }

  /**
   * Whether somebody stands at an automatic window: registers may be half way through an emulated instruction then, which the
   * invariants of a race do not know about. They are looked at when everybody stands at named places again.
   */
  const isInTheMiddle = (): boolean =>
    actors.some((actor) => world.continuations.suspension(actor.index)?.window === W_ACCESS);

  /** What holds after every step, each look for itself. Oracle 0 is the one of the slots. */
  const oracles: readonly (() => Violation | undefined)[] = [
    () =>
      setup.mayCrash || world.crashReason() === 0
        ? undefined
        : { invariant: "crash", message: `the hypervisor crashed the guest: ${crashSentence(world.crashReason())}` },
    ...actors.flatMap((actor) => {
      if (!("failure" in actor)) return [];
      const failureOf = actor.failure as () => string | undefined;
      return () => {
        const failure = failureOf();
        return failure ? { invariant: "hypercall", message: `${actor.name}: ${failure}` } : undefined;
      };
    }),
    ...setup.invariants.map((invariant) => () => {
      const message = isInTheMiddle() ? undefined : invariant.always?.();
      return message === undefined ? undefined : { invariant: invariant.name, message };
    }),
  ];

  function checkAlways(): Violation | undefined {
    for (let i = 0; i < oracles.length; i++) {
      const violation = instance.watch.oracle(i + 1, oracles[i]!);
      if (violation) return violation;
    }
    return undefined;
  }
  const slotStates = (): readonly number[] =>
    setup.hasHostileSlots || !setup.slotStates ? [] : instance.watch.oracle(0, () => setup.slotStates!());

  const working = (): number =>
    world.crashReason() !== 0 ? 0 : actors.reduce((bits, actor) => bits | (actor.hasWork() ? 1 << actor.index : 0), 0);

  function checkEnd(): Violation | undefined {
    if (working() !== 0 && !setup.mayWaitForEver) {
      const texts = actors.flatMap((actor) => {
        const wait = actor.hasWork() ? waitOf(world, actor) : undefined;
        return wait ? [`${actor.name} ${waitText(actor, wait)}`] : [];
      });
      return { invariant: "deadlock", message: texts.join("; ") };
    }
    if (working() !== 0 || world.crashReason() !== 0) return undefined;
    const held = heldLocks(world.core, world.domainAt);
    if (held.length > 0)
      return {
        invariant: "balance",
        message: `at the end the ${lockName(world.core, held[0]!)} is still held by ${nameOf(word(world, held[0]!) & 0xffff)}`,
      };
    if (word(world, world.domainAt + DOM_HYPERVISOR_PAUSE) + word(world, world.domainAt + DOM_CONTROLLER_PAUSE) !== 0)
      return { invariant: "balance", message: "at the end the domain is still paused" };
    const frames = checkFrames(world);
    if (frames !== undefined) return { invariant: "balance", message: `at the end ${frames}` };
    const entries = word(world, world.domainAt + DOM_P2M_IOREQ_ENTRIES);
    const isTyped = entries !== 0 && setup.ignored?.["I-7"] === undefined;
    if (isTyped && word(world, world.domainAt + DOM_P2M_IOREQ_SERVER) === 0)
      return {
        invariant: "I-7",
        message: `at the end ${entries} page(s) have the type ioreq_server and the type has no server: writes to them retry for ever`,
      };
    for (const invariant of setup.invariants) {
      const message = invariant.atEnd?.();
      if (message !== undefined) return { invariant: invariant.name, message };
    }
    return undefined;
  }

  const canStep = (actor: Actor): boolean =>
    instance.watch.guard(actor.index, () => waitOf(world, actor) === undefined);

  const instance: RaceInstance = {
    race,
    setup,
    actors,
    initial,
    tap: createTap(world.continuations),
    watch: UNWATCHED,
    oracleCount: oracles.length + 1,
    save: (used) => world.save(used),
    restore: (saved) => world.restore(saved),
    hash: () => world.hash(),
    enabled: () => actors.reduce((bits, actor) => bits | (canStep(actor) ? 1 << actor.index : 0), 0),
    working,
    step(index) {
      const actor = actors[index]!;
      const before = slotStates();
      try {
        instance.watch.move(index, () => stepActor(world, actor));
      } catch (error) {
        if (!(error instanceof WebAssembly.RuntimeError)) throw error;
        const message = explainTrap(world.core, error);
        return { invariant: trapSite(world.core, error) === SITE_LOCK_ORDER ? "lock-order" : "assert", message };
      }
      return checkSlots(before, slotStates(), actor) ?? checkAlways();
    },
    check: checkAlways,
    checkEnd,
    isSuspended: (index) => world.continuations.suspension(index) !== undefined,
    place: (index) => placeOf(world, actors[index]!),
    describe: (index) => describeNext(world, actors[index]!),
    waiting(index) {
      const wait = waitOf(world, actors[index]!);
      return wait && waitText(actors[index]!, wait);
    },
  };
  checkStart(instance);
  return instance;
}

/** Before anybody has taken a step nothing is broken, and somebody can go on. @throws UsageError: a set-up that failed is never "no violation". */
function checkStart(instance: RaceInstance): void {
  const broken = instance.check() ?? (instance.enabled() === 0 ? instance.checkEnd() : undefined);
  if (!broken) return;
  const { race, initial } = instance;
  instance.restore(initial);
  throw new UsageError(
    `race ${race.name}: the set-up failed: ${broken.invariant} is broken before anybody has taken a step: ${broken.message}`,
  );
}
