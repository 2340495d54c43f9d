/** What dynamic partial-order reduction knows about the path it is on: events with vector clocks, and which of them race. */
import { conflict, type Footprint } from "./footprint.ts";
import type { SavedWorld } from "./world.ts";

/** A step that is, or would be, taken now. */
export interface Pending {
  readonly actor: number;
  /** What it touches, and what decides whether it can be taken. */
  readonly footprint: Footprint;
  /** Oracles (as bits) that look at something it changed. */
  readonly visible: number;
}

export interface Event extends Pending {
  /** How many events of each actor happen before this one, itself included. */
  readonly clock: Uint16Array;
  /** Which event of its actor it is, from 1. */
  readonly count: number;
}

export interface PathNode {
  /** Absent where only one actor can step. */
  saved: SavedWorld | undefined;
  readonly enabled: number;
  readonly working: number;
  /** For each actor: what was looked at to know whether it can step. */
  readonly guards: readonly Footprint[];
  /** For each actor: who holds the lock that it waits for; -1. */
  readonly holders: readonly number[];
  /** Actors that need not step here: what would come of it has been seen, with their next step. */
  readonly sleep: ReadonlyMap<number, Event>;
  /** Steps taken from here so far. */
  readonly explored: Map<number, Event>;
  /** Actors to try here, and those that were, as bits. Of those that sleep only who was woken. */
  backtrack: number;
  done: number;
  readonly key: string;
}

export interface Path {
  readonly nodes: PathNode[];
  /** events[i] leads from nodes[i] to nodes[i + 1]. */
  readonly events: Event[];
}

/** Actors that sleep in a state, as bits. */
export const asleep = (node: PathNode): number =>
  [...node.sleep.keys()].reduce((bits, actor) => bits | (1 << actor), 0);

/** Whether the order of two steps may matter. */
export const dependent = (a: Pending, b: Pending): boolean =>
  a.actor === b.actor || (a.visible & b.visible) !== 0 || conflict(a.footprint, b.footprint);

const NOTHING = new Uint16Array(32);

/** Clock of the last event of an actor. */
export function pastOf(path: Path, actor: number): Uint16Array {
  for (let i = path.events.length - 1; i >= 0; i--) if (path.events[i]!.actor === actor) return path.events[i]!.clock;
  return NOTHING;
}

/**
 * Indices of events that `pending` races with: dependent, not before an earlier step of the same actor, and possible in the other
 * order. Of those that follow each other only the last; the others come up once that one is reversed.
 */
export function racesOf(path: Path, pending: Pending): number[] {
  const past = pastOf(path, pending.actor);
  const found: number[] = [];
  for (let i = path.events.length - 1; i >= 0; i--) {
    const event = path.events[i]!;
    if (event.actor === pending.actor || past[event.actor]! >= event.count) continue;
    // While the other holds the lock that is waited for, the two cannot go in either order.
    if (path.nodes[i]!.holders[pending.actor] === event.actor) continue;
    if (!dependent(event, pending)) continue;
    if (found.some((later) => path.events[later]!.clock[event.actor]! >= event.count)) continue;
    found.push(i);
  }
  return found;
}

/**
 * Who can begin the order in which `pending` comes before event `at`: of the steps that do not follow from that event, and `pending`
 * itself, each actor's first one that follows from none of the others (Abdulla and others 2014, "initials"; as bits).
 */
export function initialsAfter(path: Path, at: number, pending: Pending): number {
  const reversed = path.events[at]!;
  /** Steps that do not follow from the reversed one, in their order. */
  const before: Event[] = [];
  let initials = 0;
  let seen = 0;
  for (let i = at + 1; i < path.events.length; i++) {
    const event = path.events[i]!;
    if (event.clock[reversed.actor]! >= reversed.count) continue;
    const bit = 1 << event.actor;
    if ((seen & bit) === 0 && !before.some((earlier) => event.clock[earlier.actor]! >= earlier.count)) initials |= bit;
    seen |= bit;
    before.push(event);
  }
  const isFirst = ((seen >> pending.actor) & 1) === 0 && !before.some((earlier) => dependent(earlier, pending));
  return isFirst ? initials | (1 << pending.actor) : initials;
}

const sameWords = (a: Int32Array, b: Int32Array): boolean =>
  a.length === b.length && a.every((word, i) => word === b[i]);

/** Whether a step does the same in two states, as far as anybody else can tell. */
export const sameStep = (a: Pending, b: Pending): boolean =>
  a.visible === b.visible &&
  sameWords(a.footprint.touched, b.footprint.touched) &&
  sameWords(a.footprint.changed, b.footprint.changed);
