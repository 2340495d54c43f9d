/**
 * Dynamic partial-order reduction with sleep sets (Flanagan and Godefroid 2005; Godefroid 1996): schedules that differ only in the
 * order of steps that do not see each other are run once. No state is remembered beyond the path under way.
 *
 * Two steps are dependent when one changed a word that the other touched, where a step touches what it loads and stores and whatever
 * decides whether it can be taken (locks, runstates, pending events); or when both change something that the same oracle looks at:
 * then the state between them matters. Footprints are those of the steps as they were really taken.
 *
 * Retry loops: when a state comes again on the path under way, the path ends there and every actor is tried in every state of the
 * round. A round in which everybody steps who can, and somebody with work left, is a livelock. A fair loop that is no such round is
 * not seen, so where rounds were cut the result says that livelocks are not excluded (`rounds`); without any, no run goes on for ever.
 *
 * A sleeping actor is trusted only as long as its step would be the same one (addBacktracks): what a step touches depends on data.
 *
 * Before: footprint.ts, happens-before.ts, observer.ts; budget and checkpoints: dpor-run.ts.
 */
import { UsageError } from "../errors.ts";
import { CrashedStep } from "./crashed-step.ts";
import { type DporOptions, DporRun } from "./dpor-run.ts";
import { union } from "./footprint.ts";
import {
  asleep,
  dependent,
  type Event,
  initialsAfter,
  type PathNode,
  type Pending,
  pastOf,
  racesOf,
  sameStep,
} from "./happens-before.ts";
import type { RaceInstance } from "./instance.ts";
import type { Observer } from "./observer.ts";
import type { Violation } from "./race.ts";
import type { SearchResult } from "./search.ts";

export type { DporCheckpoint, DporOptions } from "./dpor-run.ts";

class Search extends DporRun {
  /** The world has come to a new state of the path. */
  pushNode(sleep: Map<number, Event>): PathNode {
    const { enabled, guards, holders } = this.observer.look();
    this.states++;
    const node: PathNode = {
      saved: undefined,
      enabled,
      guards,
      holders,
      sleep,
      explored: new Map(),
      backtrack: 0,
      done: 0,
      key: this.instance.hash(),
      working: this.instance.working(),
    };
    if ((enabled & (enabled - 1)) !== 0) node.saved = this.instance.save();
    this.path.nodes.push(node);
    this.depth = Math.max(this.depth, this.path.nodes.length);
    return node;
  }

  /**
   * A step that `pending` describes meets steps before it: somebody who can begin the other order gets a turn there. An actor that
   * sleeps there will do, because what begins with it has been seen elsewhere.
   *
   * Unless its step is another one there than behind the event that it meets: a store through a stale TLB entry reaches the device, the
   * same store after the flush does not. Then the step as it is there may meet steps that this one does not, and they are found only
   * when it is taken there: it is woken.
   */
  addBacktracks(pending: Pending): void {
    const own = 1 << pending.actor;
    for (const at of racesOf(this.path, pending)) {
      const node = this.path.nodes[at]!;
      const first = initialsAfter(this.path, at, pending) & node.enabled;
      const sleeping = node.sleep.get(pending.actor);
      if (first === 0) node.backtrack |= node.enabled & ~asleep(node);
      else if ((first & (node.backtrack | (asleep(node) & ~own))) !== 0) continue;
      else if ((first & own) === 0) node.backtrack |= first & -first;
      else if (sleeping === undefined || !sameStep(sleeping, pending)) node.backtrack |= own;
    }
  }

  /** Actors that wait here: who made them wait might have gone later. */
  considerBlocked(node: PathNode): void {
    for (const { index } of this.instance.actors) {
      if ((node.enabled >> index) & 1) continue;
      this.addBacktracks({ actor: index, footprint: node.guards[index]!, visible: 0 });
    }
  }

  /** The path has come round to a state of its own. */
  closeRound(from: number): void {
    this.rounds++;
    const { nodes, events } = this.path;
    let stepping = 0;
    let able = 0;
    let working = 0;
    for (let i = from; i < events.length; i++) {
      stepping |= 1 << events[i]!.actor;
      able |= nodes[i]!.enabled;
      working |= nodes[i]!.working;
      nodes[i]!.backtrack |= nodes[i]!.enabled & ~asleep(nodes[i]!);
    }
    if ((able & ~stepping) !== 0 || (stepping & working) === 0) return;
    const names = this.instance.actors.filter((a) => ((stepping & working) >> a.index) & 1).map((a) => a.name);
    this.livelock ??= {
      invariant: "livelock",
      message: `${names.join(" and ")} can go round the last ${events.length - from} step(s) for ever without getting on`,
      schedule: events.map((event) => event.actor),
      cycleFrom: from,
    };
  }

  observe(actor: number): ReturnType<Observer["step"]> {
    try {
      return this.observer.step(actor);
    } catch (error) {
      throw new CrashedStep([...this.path.events.map((event) => event.actor), actor], error);
    }
  }

  /** Takes a step of `actor` from the last node, without going on from there. */
  eventOf(node: PathNode, actor: number, isNew: boolean): { event: Event; violation: Violation | undefined } {
    const { path, options } = this;
    const { violation, footprint, visible } = this.observe(actor);
    const pending: Pending = { actor, footprint: union(node.guards[actor]!, footprint), visible };
    if (isNew && !options.withoutReduction) this.addBacktracks(pending);
    const past = pastOf(path, actor);
    const clock = Uint16Array.from(past);
    for (const event of path.events)
      if (clock[event.actor]! < event.count && dependent(event, pending))
        event.clock.forEach((count, other) => {
          clock[other] = Math.max(clock[other]!, count);
        });
    clock[actor] = past[actor]! + 1;
    return { event: { ...pending, clock, count: clock[actor]! }, violation };
  }

  /** The world goes on with `event` from the last node. */
  descend(node: PathNode, event: Event, violation: Violation | undefined): SearchResult | undefined {
    const sleep = new Map<number, Event>();
    if (!this.options.withoutReduction)
      for (const [other, sleeping] of [...node.sleep, ...node.explored])
        if (!dependent(sleeping, event)) sleep.set(other, sleeping);
    node.explored.set(event.actor, event);
    this.path.events.push(event);
    return violation ? this.found(violation) : this.arrive(sleep);
  }

  /** Takes a step of `actor` from the last node. */
  take(node: PathNode, actor: number): SearchResult | undefined {
    node.done |= 1 << actor;
    const { event, violation } = this.eventOf(node, actor, true);
    this.steps++;
    return this.descend(node, event, violation);
  }

  /** Makes sure that an actor's step from the last node is known, and goes back there. */
  learnEvent(node: PathNode, actor: number): void {
    node.explored.set(actor, this.eventOf(node, actor, false).event);
    this.instance.restore(node.saved!);
  }

  /** The world is in the state after the last event. */
  arrive(sleep: Map<number, Event>): SearchResult | undefined {
    const node = this.pushNode(sleep);
    const at = this.path.nodes.length - 1;
    const earlier = this.depthOf.get(node.key);
    if (earlier !== undefined) {
      this.schedules++;
      this.closeRound(earlier);
      return undefined;
    }
    this.depthOf.set(node.key, at);
    if (!this.options.withoutReduction) this.considerBlocked(node);
    if (node.enabled === 0) {
      this.schedules++;
      this.options.onEnd?.();
      const violation = this.instance.checkEnd();
      return violation && this.found(violation);
    }
    const choice = node.enabled & ~asleep(node);
    if (choice === 0) {
      this.redundant++;
      return undefined;
    }
    const last = this.path.events.at(-1)?.actor ?? 0;
    node.backtrack = this.options.withoutReduction ? choice : (choice >> last) & 1 ? 1 << last : choice & -choice;
    return undefined;
  }

  pop(): void {
    const node = this.path.nodes.pop()!;
    this.path.events.pop();
    if (this.depthOf.get(node.key) === this.path.nodes.length) this.depthOf.delete(node.key);
  }

  /** Takes the first steps, which are this search's part of the whole: the other choices there are somebody else's. */
  goPrefix(): SearchResult | undefined {
    for (const actor of this.options.prefix ?? []) {
      const node = this.path.nodes.at(-1)!;
      if (((node.enabled >> actor) & 1) === 0)
        throw new Error(`the prefix goes on with actor ${actor}, which cannot step`);
      for (let other = 0; other < actor; other++)
        if ((node.enabled >> other) & 1 && !node.sleep.has(other)) this.learnEvent(node, other);
      node.backtrack = node.enabled;
      const result = this.take(node, actor);
      node.done = node.enabled;
      if (result) return result;
    }
    return undefined;
  }

  /** Goes the way of a checkpoint again. */
  goBack(): SearchResult | undefined {
    const { resume } = this.options;
    if (!resume || this.hasResumed) return undefined;
    this.hasResumed = true;
    for (let at = 0; at < resume.nodes.length; at++) {
      const { backtrack, done, explored } = resume.nodes[at]!;
      const node = this.path.nodes[at];
      if (!node || ((backtrack | done) & ~node.enabled) !== 0)
        throw new UsageError(
          "the checkpoint does not lead to its own states: it belongs to another core or was edited",
        );
      const isLast = at === resume.nodes.length - 1;
      for (const actor of isLast ? explored : explored.slice(0, -1)) this.learnEvent(node, actor);
      if (!isLast) {
        const { event, violation } = this.eventOf(node, explored.at(-1)!, false);
        const result = this.descend(node, event, violation);
        if (result) return result;
      }
      node.backtrack = backtrack;
      node.done = done;
    }
    this.schedules = resume.schedules;
    this.rounds = resume.rounds;
    this.states = resume.states;
    this.depth = resume.depth;
    return undefined;
  }

  /** From the first state until everything is seen, something is found, or the observer has learned something new. */
  once(): SearchResult | "again" {
    this.path = { nodes: [], events: [] };
    this.depthOf = new Map();
    this.instance.restore(this.instance.initial);
    const first = this.arrive(new Map()) ?? this.goPrefix() ?? this.goBack();
    if (first) return first;
    let worldAt = this.path.nodes.length - 1;
    while (this.path.nodes.length > 0) {
      const at = this.path.nodes.length - 1;
      const node = this.path.nodes[at]!;
      const open = node.backtrack & node.enabled & ~node.done;
      const actor = [...Array(31).keys()].find((a) => (open >> a) & 1);
      if (actor === undefined) {
        this.pop();
        continue;
      }
      if (this.observer.hasLearned()) return "again";
      if (this.isBudgetSpent()) return this.result("budget");
      if (worldAt !== at) this.instance.restore(node.saved!);
      const result = this.take(node, actor);
      if (result) return result;
      worldAt = this.path.nodes.length - 1;
    }
    if (this.observer.hasLearned()) return "again";
    return this.livelock ? this.result("violation", this.livelock) : this.result("clean");
  }
}

/** @throws Error for an instance whose build is not instrumented. */
export function dpor(instance: RaceInstance, options: DporOptions): SearchResult {
  const search = new Search(instance, options);
  try {
    for (;;) {
      const result = search.once();
      if (result !== "again") return result;
      search.schedules = 0;
      search.rounds = 0;
      search.states = 0;
      search.livelock = undefined;
    }
  } finally {
    search.observer.stop();
  }
}
