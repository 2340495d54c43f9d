/**
 * What a race is made of, for the catalogue (host/lib/races) and for your own (docs/explorer.md): a machine, actors, invariants,
 * and variants of the hypervisor with what is expected of each.
 */
import type { Actor } from "./actors.ts";
import { describedRace, type RaceDescription } from "./race-description.ts";
import { checkNames } from "./race-schema.ts";
import type { World } from "./world.ts";

/** A broken invariant: its name, and a sentence about this case. */
export interface Violation {
  readonly invariant: string;
  readonly message: string;
}

/** One invariant that belongs to a race. Both look only, and say what is wrong as a sentence. */
export interface Invariant {
  readonly name: string;
  /** What must hold, as a sentence. */
  readonly text: string;
  /** After every step. */
  always?(): string | undefined;
  /** When nobody has anything left to do. */
  atEnd?(): string | undefined;
}

export interface RaceSetup {
  readonly world: World;
  readonly actors: readonly Actor[];
  readonly invariants: readonly Invariant[];
  /** The domain may be crashed by the hypervisor without that being a violation. */
  readonly mayCrash?: boolean;
  /** Actors may be left waiting for ever (for a device model that never answers, say). */
  readonly mayWaitForEver?: boolean;
  /** State of every slot of the ioreq page, for the check of its transitions (spec 03, I-4). */
  slotStates?(): readonly number[];
  /** Invariants of the explorer that do not hold in this machine, by name ("I-7"), with the reason as a sentence. */
  readonly ignored?: Readonly<Record<string, string>>;
  /** The slots are written by a hostile party: their transitions mean nothing. */
  readonly hasHostileSlots?: boolean;
  /** What to show beside each step: "type ram_rw, server none, slot READY". */
  describeState(): string;
}

export interface RaceVariant {
  readonly text: string;
  /** Variant knobs (variants.ts) by name. */
  readonly knobs: Readonly<Record<string, number>>;
  /** Name of the invariant that exhaustive search finds broken, or "clean". */
  readonly expect: string;
}

export interface Race {
  readonly name: string;
  /** Of the catalogue, spec 09: "C-1". */
  readonly id: string;
  readonly title: string;
  /** What somebody has to know who has never seen any of it: a few sentences at the top of reports. */
  readonly background?: string;
  /** What happened in history, and what one learns: a few sentences. */
  readonly lesson: string;
  /** Who is another one in each variant, as the heading over their texts; "the hypervisor" when nothing is said. */
  readonly varies?: string;
  /** The first one is the default. */
  readonly variants: Readonly<Record<string, RaceVariant>>;
  /** Builds the machine and its actors for one variant. */
  setup(
    module: WebAssembly.Module,
    knobs: readonly (readonly [index: number, value: number])[],
    variant: string,
  ): RaceSetup;
}

/**
 * A race, checked as far as that can be done without running it: either with a `setup` that builds everything itself, as in the
 * catalogue, or as a description (race-description.ts), from which the set-up is made.
 *
 * @throws UsageError that names the field that is wrong and says what belongs there.
 */
export function defineRace(race: Race | RaceDescription): Race {
  if (typeof race === "object" && race !== null && "setup" in race) {
    checkNames(race);
    return race;
  }
  return describedRace(race);
}
