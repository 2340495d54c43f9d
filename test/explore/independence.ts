/**
 * What partial-order reduction stands on: two steps that their footprints call independent can be swapped. Tried out in a real state,
 * both orders, byte by byte (by the hash of the state): neither may take the other's turn away, none may see the other, and the end is
 * the same. A step that touches something its footprint does not tell, or is possible because of something that its guard does not
 * tell, is found here.
 */
import { conflict, type Footprint, intersect, union } from "../../host/lib/explore/footprint.ts";
import type { RaceInstance } from "../../host/lib/explore/instance.ts";
import { createObserver } from "../../host/lib/explore/observer.ts";
import type { SavedWorld } from "../../host/lib/explore/world.ts";

const text = (instance: RaceInstance, actor: number): string =>
  `${instance.actors[actor]!.name}:${instance.place(actor)}`;
const sameFootprint = (a: Footprint, b: Footprint): boolean =>
  a.touched.join() === b.touched.join() && a.changed.join() === b.changed.join();

export interface Commuting {
  readonly pairs: number;
  readonly independent: number;
  readonly states: number;
}

/**
 * `tryState` tries all pairs of actors in the state that the instance is in, and throws an Error that names the two steps when they are called independent and are not.
 */
export function commuting(instance: RaceInstance): { tryState(): void; totals(): Commuting; stop(): void } {
  const observer = createObserver(instance);
  let pairs = 0;
  let independent = 0;
  let states = 0;

  interface Taken {
    readonly after: SavedWorld;
    readonly footprint: Footprint;
    readonly enabled: number;
    readonly isOver: boolean;
  }
  function take(actor: number, guards: readonly Footprint[]): Taken {
    const { footprint, violation } = observer.step(actor);
    instance.hash();
    const enabled = violation ? 0 : observer.look().enabled;
    return {
      after: instance.save(),
      footprint: union(guards[actor]!, footprint),
      enabled,
      isOver: violation !== undefined,
    };
  }

  /** Step `second` behind step `first`: the state it leads to, and what it touched. */
  function behind(first: Taken, second: number): { hash: string; footprint: Footprint; isOver: boolean } {
    instance.restore(first.after);
    const { guards } = observer.look();
    const { footprint, violation } = observer.step(second);
    return {
      hash: instance.hash(),
      footprint: union(guards[second]!, footprint),
      isOver: violation !== undefined,
    };
  }

  function tryPair(here: SavedWorld, steps: ReadonlyMap<number, Taken>, a: number, b: number): void {
    const [first, second] = [steps.get(a)!, steps.get(b)!];
    if (first.isOver || second.isOver) return;
    pairs++;
    if (conflict(first.footprint, second.footprint)) return;
    independent++;
    const fail = (what: string): never => {
      instance.restore(here);
      throw new Error(`${text(instance, a)} and ${text(instance, b)} are called independent, ${what}`);
    };
    if (((first.enabled >> b) & 1) === 0 || ((second.enabled >> a) & 1) === 0)
      fail("and one takes the other's turn away");
    const ab = behind(first, b);
    const ba = behind(second, a);
    if (ab.isOver || ba.isOver) return;
    if (ab.hash !== ba.hash) fail("and lead to different states in their two orders");
    if (!sameFootprint(ab.footprint, second.footprint) || !sameFootprint(ba.footprint, first.footprint))
      fail("and one does something else behind the other");
  }

  return {
    tryState() {
      states++;
      instance.hash();
      const { enabled, guards } = observer.look();
      const here = instance.save();
      const steps = new Map<number, Taken>();
      for (const { index } of instance.actors) {
        if (((enabled >> index) & 1) === 0) continue;
        instance.restore(here);
        instance.step(index); // decodes what was not decoded yet: that reads the code, and later steps do not
        instance.restore(here);
        steps.set(index, take(index, guards));
      }
      instance.restore(here);
      for (const a of steps.keys()) for (const b of steps.keys()) if (a < b) tryPair(here, steps, a, b);
      instance.restore(here);
      for (const [actor, { enabled: then, footprint, isOver }] of steps) {
        if (isOver) continue;
        // Who can step now and could not before, or the other way round, was told so by a word that changed.
        for (const { index } of instance.actors)
          if (
            index !== actor &&
            ((then ^ enabled) >> index) & 1 &&
            !intersect(footprint.changed, guards[index]!.touched)
          )
            throw new Error(
              `${text(instance, actor)} changes whether ${text(instance, index)} can step, and its guard does not tell`,
            );
      }
    },
    totals: () => ({ pairs, independent, states }),
    stop: () => observer.stop(),
  };
}

/** Tries every state of an instance. @returns undefined when it has more than `most`. */
export function commutingEverywhere(instance: RaceInstance, most: number): Commuting | undefined {
  const pairs = commuting(instance);
  const known = new Set<string>([instance.hash()]);
  const open: SavedWorld[] = [instance.save()];
  try {
    for (let state = open.pop(); state !== undefined; state = open.pop()) {
      instance.restore(state);
      pairs.tryState();
      for (let left = instance.enabled(); left !== 0; left &= left - 1) {
        instance.restore(state);
        if (instance.step(31 - Math.clz32(left & -left))) continue;
        const key = instance.hash();
        if (known.has(key)) continue;
        if (known.size >= most) return undefined;
        known.add(key);
        open.push(instance.save());
      }
      instance.restore(state);
    }
    return pairs.totals();
  } finally {
    pairs.stop();
  }
}
