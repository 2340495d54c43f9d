/**
 * A schedule as a story: what each actor did step by step, what the hypervisor made of it, and which facts changed. The steps are taken
 * once more with the trace on, because the trace says what happened inside. After: text.ts, markdown.ts, svg.ts, perfetto.ts.
 */
import type { RaceInstance } from "../instance.ts";
import type { Violation } from "../race.ts";
import { createTeller, type StoryStep, type WindowSites } from "./taken-step.ts";

export type { StoryStep, WindowSites };

export interface Story {
  readonly race: string;
  readonly id: string;
  readonly title: string;
  readonly variant: string;
  readonly variantText: string;
  readonly background: string | undefined;
  readonly lesson: string;
  /** Who takes part, and what each is to do. */
  readonly cast: readonly { readonly name: string; readonly role: string }[];
  readonly factsAtFirst: readonly string[];
  readonly steps: readonly StoryStep[];
  /** Steps from this one on (counted from 0) are repeated for ever. */
  readonly cycleFrom: number | undefined;
  readonly violation: (Violation & { readonly rule: string | undefined }) | undefined;
  /** What everybody does where the story ends, as sentences. */
  readonly ending: readonly string[];
  /** A variant that holds, and what it does instead. */
  readonly remedy: { readonly variant: string; readonly text: string } | undefined;
  /** "vmexit race ioreq-unmap-window": what comes before --variant. */
  readonly raceCommand: string;
  readonly replayCommand: string;
}

export interface StoryOptions {
  readonly variant: string;
  /** Indices of actors, in order. */
  readonly schedule: readonly number[];
  readonly cycleFrom?: number;
  readonly violation?: Violation;
  readonly replayCommand: string;
  /** How the race is called on the command line: its name unless given, or the file of one's own. */
  readonly calledAs?: string;
  readonly sites?: WindowSites;
}

/** Rules of the explorer itself, as sentences. */
const RULES: Readonly<Record<string, string>> = {
  assert: "the hypervisor's own checks hold",
  balance: "at the end all locks are free, all pauses undone, and the books of the frames balance",
  crash: "the hypervisor does not have to crash the guest",
  deadlock: "whoever has work left can get on",
  hypercall: "a hypercall that must succeed succeeds",
  livelock: "whoever has work left gets on, if everybody who can run does run",
  "lock-order": "locks are taken in one order",
  "I-4": "the state of a slot goes round NONE, READY, INPROCESS, RESP_READY, NONE",
  "I-7": "no page has the type ioreq_server when the type has no server",
};

/** What must hold, as a sentence; undefined for an invariant that nobody knows. */
export const ruleOf = (instance: RaceInstance, invariant: string): string | undefined =>
  instance.setup.invariants.find((i) => i.name === invariant)?.text ?? RULES[invariant];

function endingOf(instance: RaceInstance): string[] {
  return instance.actors.map((actor) => {
    if (instance.isSuspended(actor.index))
      return `${actor.name} is in the middle of something; next it ${instance.describe(actor.index)}`;
    if (actor.isReady()) return `${actor.name} could go on: ${actor.next().text}`;
    return `${actor.name} ${actor.hasWork() ? "waits, with work left" : "has nothing left to do"}`;
  });
}

/** The variant that is shown as the remedy: the one called "fixed", or the first that is clean. */
export function remedyOf(instance: RaceInstance, variant: string): Story["remedy"] {
  const clean = Object.entries(instance.race.variants).filter(([name, v]) => v.expect === "clean" && name !== variant);
  const found = clean.find(([name]) => name === "fixed") ?? clean[0];
  return found && { variant: found[0], text: found[1].text };
}

/** @throws Error when a step of the schedule cannot be taken: replay it first. */
export function tellStory(instance: RaceInstance, options: StoryOptions): Story {
  const { race, actors } = instance;
  instance.restore(instance.initial);
  const teller = createTeller(instance, options.sites);
  const factsAtFirst = teller.facts();
  const steps = options.schedule.map((index, i) => {
    if (((instance.enabled() >> index) & 1) === 0) throw new Error(`step ${i + 1} of the schedule cannot be taken`);
    return teller.take(index, i + 1).step;
  });
  const { violation } = options;
  return {
    race: race.name,
    id: race.id,
    title: race.title,
    variant: options.variant,
    variantText: race.variants[options.variant]!.text,
    background: race.background,
    lesson: race.lesson,
    cast: actors.map(({ name, role }) => ({ name, role: role ?? "takes part" })),
    factsAtFirst,
    steps,
    cycleFrom: options.cycleFrom,
    violation: violation && { ...violation, rule: ruleOf(instance, violation.invariant) },
    ending: endingOf(instance),
    remedy: remedyOf(instance, options.variant),
    raceCommand: `vmexit race ${options.calledAs ?? race.name}`,
    replayCommand: options.replayCommand,
  };
}
