/**
 * Watches an instance for partial-order reduction: the footprint of each step, what decides who can step, and what oracles look at.
 *
 * Which words an oracle looks at is learned while searching. When a word turns out to be looked at that some earlier step changed,
 * that step was not known to matter to the oracle, and the search must begin again with what is known now.
 */
import { waitOf } from "./actors.ts";
import { createRecorder, type Footprint, NO_FOOTPRINT } from "./footprint.ts";
import type { RaceInstance, Watch } from "./instance.ts";
import type { Violation } from "./race.ts";

/** What an observer has learned, as plain data. */
export interface Learned {
  /** Word, and the oracles (as bits) that look at it. */
  readonly looksAt: readonly (readonly [word: number, oracles: number])[];
  readonly everChanged: readonly number[];
}

export interface Observer {
  /** Who can step in the world's state, and why. */
  look(): { readonly enabled: number; readonly guards: readonly Footprint[]; readonly holders: readonly number[] };
  step(actor: number): {
    readonly violation: Violation | undefined;
    readonly footprint: Footprint;
    readonly visible: number;
  };
  /** Whether something was learned since the last time this was asked. */
  hasLearned(): boolean;
  learned(): Learned;
  /** Leaves the instance unwatched. */
  stop(): void;
}

/** The instance is in its initial state afterwards. @throws Error for one whose build is not instrumented. */
export function createObserver(instance: RaceInstance, learned?: Learned): Observer {
  const { tap, actors } = instance;
  if (!tap) throw new Error("partial-order reduction needs the build race-footprint");
  const { world } = instance.setup;
  const recorder = createRecorder(world.core, tap);
  const looksAt = new Map<number, number>(learned?.looksAt);
  const everChanged = new Set<number>(learned?.everChanged);
  let hasLearned = false;
  let guards: Footprint[] = [];
  let moved = NO_FOOTPRINT;

  function learn(oracle: number, touched: Int32Array): void {
    for (const word of touched) {
      const known = looksAt.get(word) ?? 0;
      if ((known >> oracle) & 1) continue;
      looksAt.set(word, known | (1 << oracle));
      if (everChanged.has(word)) hasLearned = true;
    }
  }

  const before = instance.watch;
  const watch: Watch = {
    move(_, work) {
      const { result, footprint } = recorder.record(work);
      moved = footprint;
      return result;
    },
    guard(actor, work) {
      const { result, footprint } = recorder.record(work);
      guards[actor] = footprint;
      return result;
    },
    oracle(oracle, work) {
      const { result, footprint } = recorder.record(work);
      learn(oracle, footprint.touched);
      return result;
    },
  };
  instance.watch = watch;
  // No step leads to the first state, but who changes what an oracle looks at there may change what it says.
  instance.restore(instance.initial);
  instance.check();

  return {
    look() {
      guards = [];
      const enabled = instance.enabled();
      const holders = actors.map((actor) => {
        const wait = (enabled >> actor.index) & 1 ? undefined : waitOf(world, actor);
        return wait?.kind === "lock" ? actors.findIndex((other) => other.processor === wait.owner) : -1;
      });
      return { enabled, guards, holders };
    },
    step(actor) {
      moved = NO_FOOTPRINT;
      const violation = instance.step(actor);
      let visible = 0;
      for (const word of moved.changed) {
        everChanged.add(word);
        visible |= looksAt.get(word) ?? 0;
      }
      return { violation, footprint: moved, visible };
    },
    hasLearned() {
      const was = hasLearned;
      hasLearned = false;
      return was;
    },
    learned: () => ({ looksAt: [...looksAt], everChanged: [...everChanged] }),
    stop() {
      instance.watch = before;
    },
  };
}
