/**
 * Recording and replay: the part of a session that moves the machine. What the machine does follows from its memory alone, so a place is reached
 * again by putting back a checkpoint and running to the same virtual time, and doing on the way what the outside had done.
 *
 * Before: session.ts. After: checkpoints.ts, image.ts, event-store.ts.
 */
import { CTR_EXITS, CTR_INSTRUCTIONS } from "../../../hv-core/abi/counters.ts";
import type { Core } from "../core.ts";
import { readCounter } from "../counters.ts";
import { UsageError } from "../errors.ts";
import type { Machine } from "../machine.ts";
import { createLadder, type Ladder } from "./checkpoints.ts";
import { createEventStore, type EventStore } from "./event-store.ts";
import { restoreImage, takeImage } from "./image.ts";
import type { OutsideAction, Position, SessionOptions, StopReason } from "./types.ts";
import { createWatchList, type WatchList } from "./watch-list.ts";

/** Ticks between two looks at the trace ring: fewer records than it holds. */
const CHUNK = 50_000;
const EXIT_COUNTERS = 128;

interface RecordedAction extends OutsideAction {
  readonly run: (machine: Machine) => unknown;
  /** Nothing could run when it was done: replay asks the core once more, as was done then. */
  readonly wasIdle: boolean;
}

export interface Goal {
  readonly time?: number;
  readonly instructions?: number;
  /** Breakpoints and watches stop it. */
  readonly isWatched?: boolean;
  readonly cancel?: (() => boolean) | undefined;
}

export interface Recorder {
  readonly machine: Machine;
  readonly events: EventStore;
  readonly ladder: Ladder;
  readonly watches: WatchList;
  readonly actions: readonly OutsideAction[];
  position(): Position;
  frontier(): Position;
  start(): Position;
  /** Forwards from here, recording what is new. */
  forward(goal: Goal): StopReason;
  /** To a place that was recorded, by its time; the nearest checkpoint is put back unless the machine is on the way already. */
  goTo(time: number, cancel?: () => boolean): StopReason;
  /** As goTo, and from a checkpoint in any case. */
  goAgain(time: number): void;
  /** Puts a checkpoint back. */
  restore(index: number): void;
  act<T>(name: string, action: (machine: Machine) => T): T;
}

export function positionOf(core: Core, now: number): Position {
  let exits = 0;
  for (let i = 0; i < EXIT_COUNTERS; i++) exits += readCounter(core, CTR_EXITS + i);
  return { time: now, instructions: readCounter(core, CTR_INSTRUCTIONS), exits };
}

export function createRecorder(machine: Machine, options: SessionOptions): Recorder {
  const { core } = machine;
  const limits = {
    memoryBytes: options.memoryBytes ?? 512 * 2 ** 20,
    interval: options.interval ?? 500_000,
    checkpoints: options.checkpoints ?? 64,
  };
  if (!(limits.interval >= 1000 && limits.checkpoints >= 2))
    throw new UsageError("a session needs checkpoints at least 1,000 ticks apart, and two of them");
  machine.serve();
  const watches = createWatchList(core);
  const position = (): Position => positionOf(core, machine.now());
  const start = position();
  const ladder = createLadder({ position: start, applied: 0, image: takeImage(core) }, limits);
  const events = createEventStore(core, options.events ?? 1_000_000);
  let actions: RecordedAction[] = [];
  let applied = 0;
  let frontier = start;
  let isIdle = false;

  /** Whether the machine is where the recording ends. */
  const isAtFrontier = (): boolean => applied === actions.length && machine.now() >= frontier.time;

  function checkpoint(): void {
    const last = ladder.all.at(-1)!;
    ladder.add({ position: position(), applied, image: takeImage(core, last.image) });
  }

  /** What the machine did beyond the recording is part of it now. */
  function record(): void {
    events.drain(core);
    frontier = position();
    if (frontier.time >= ladder.all.at(-1)!.position.time + ladder.interval) checkpoint();
  }

  function perform(action: RecordedAction): void {
    if (action.wasIdle) machine.advance({ maxTicks: 1 });
    action.run(machine);
    machine.serve();
    applied++;
  }

  function applyDue(): void {
    for (let next = actions[applied]; next && next.time <= machine.now(); next = actions[applied]) perform(next);
  }

  function forward(goal: Goal): StopReason {
    const { time = Number.POSITIVE_INFINITY, instructions = Number.POSITIVE_INFINITY, cancel } = goal;
    watches.setOn(goal.isWatched ?? false);
    while (true) {
      applyDue();
      if (machine.now() >= time || readCounter(core, CTR_INSTRUCTIONS) >= instructions) return "reached";
      if (cancel?.()) return "cancelled";
      const isNew = isAtFrontier();
      const next = actions[applied]?.time ?? Number.POSITIVE_INFINITY;
      const until = Math.min(
        time,
        next,
        isNew ? machine.now() + ladder.interval : Math.max(frontier.time, machine.now() + 1),
      );
      const end = machine.advance({ time: until, instructions, maxTicks: CHUNK });
      isIdle = end === "idle" || end === "ended";
      if (isNew || (isAtFrontier() && machine.now() > frontier.time)) record();
      if (end === "break") return "break";
      if (isIdle && !(actions[applied] && actions[applied]!.time <= machine.now()))
        return end === "ended" ? "ended" : "idle";
    }
  }

  function restore(index: number): void {
    const checkpoint = ladder.all[index]!;
    machine.restoreWith(() => restoreImage(core, checkpoint.image));
    applied = checkpoint.applied;
    isIdle = false;
    watches.forgetHits();
  }

  function goTo(time: number, cancel?: () => boolean): StopReason {
    const index = ladder.indexBefore(time);
    const here = machine.now();
    if (here > time || ladder.all[index]!.position.time > here) restore(index);
    return forward({ time, cancel });
  }

  function goAgain(time: number): void {
    restore(ladder.indexBefore(time));
    forward({ time });
  }

  function act<T>(name: string, action: (machine: Machine) => T): T {
    const time = machine.now();
    const wasIdle = isIdle;
    actions = actions.slice(0, applied);
    ladder.cut(time, applied);
    events.rewind(core);
    let result: T | undefined;
    const recorded: RecordedAction = { time, name, wasIdle, run: action };
    actions.push(recorded);
    perform({
      ...recorded,
      wasIdle: false,
      run: (m) => {
        result = action(m);
      },
    });
    isIdle = false;
    events.drain(core);
    frontier = position();
    return result as T;
  }

  return {
    machine,
    events,
    ladder,
    watches,
    get actions() {
      return actions;
    },
    position,
    frontier: () => frontier,
    start: () => start,
    forward,
    goTo,
    goAgain,
    restore,
    act,
  };
}
