/**
 * A session: a machine, the recording of what it does, and every way to move in it (docs/api.md).
 *
 *   using session = openSession(machine);
 *   session.run({ maxInstructions: 1e6 });
 *   session.stepBack();
 *
 * Everything works on one machine: going to a place puts the machine there. Next: recorder.ts (how), backwards.ts (hits and writes before here).
 */
import { CTR_INSTRUCTIONS } from "../../../hv-core/abi/counters.ts";
import { CPU_RETIRED } from "../../../hv-core/abi/cpu.ts";
import { MACHINE_TURN_LEFT } from "../../../hv-core/abi/domain.ts";
import { KNOB_SCHED_QUANTUM } from "../../../hv-core/abi/knobs.ts";
import { KNOBS_BASE, MACHINE_BASE, VCPU_SIZE, VCPUS_BASE } from "../../../hv-core/abi/layout.ts";
import type { Core } from "../core.ts";
import { readCounter } from "../counters.ts";
import { UsageError } from "../errors.ts";
import type { Machine } from "../machine.ts";
import { eventNumber } from "../trace/decode.ts";
import { findLastHit, findLastWrite } from "./backwards.ts";
import { diffViews, takeView } from "./diff.ts";
import { createRecorder } from "./recorder.ts";
import type { Position, Session, SessionOptions, Stop, StopReason } from "./types.ts";

/** Instructions of others that stepVcpu lets pass before it gives up: the vCPU waits for something. */
const STEP_LIMIT = 1_000_000;

const retiredBy = (core: Core, slot: number): bigint =>
  core.view.getBigUint64(VCPUS_BASE + slot * VCPU_SIZE + CPU_RETIRED, true);

/** A breakpoint stopped the first instruction of a turn: the place itself is the state before that turn. */
function hasTurnJustBegun(core: Core): boolean {
  const left = core.view.getBigUint64(MACHINE_BASE + MACHINE_TURN_LEFT, true);
  return left === BigInt(core.view.getUint32(KNOBS_BASE + KNOB_SCHED_QUANTUM * 4, true));
}

/**
 * Begins to record a machine from where it is. The machine is the session's from then on.
 * @throws UsageError for impossible options.
 */
export function openSession(machine: Machine, options: SessionOptions = {}): Session {
  const { core } = machine;
  const recorder = createRecorder(machine, options);
  const { events, ladder, position, watches } = recorder;
  const count = (): number => readCounter(core, CTR_INSTRUCTIONS);

  const stop = (reason: StopReason): Stop => ({
    reason,
    position: position(),
    hits: reason === "break" ? watches.takeHits(machine.now()) : [],
  });

  /** Time of the last place that was sought by its number of instructions: nothing has happened since that instruction. */
  let exact = -1;

  function onwards(instructions: number, cancel?: () => boolean): StopReason {
    const reason = recorder.forward({ instructions, ...(cancel ? { cancel } : {}) });
    if (reason === "reached") exact = machine.now();
    return reason;
  }

  /** After instruction `n`: from a checkpoint that has fewer, because one with as many may be behind the place. */
  function seek(n: number, cancel?: () => boolean): StopReason {
    if (!Number.isSafeInteger(n) || n < 0) throw new UsageError(`${n} is not a number of instructions`);
    if (n <= recorder.start().instructions) {
      recorder.restore(0);
      return n === recorder.start().instructions ? recorder.forward({ instructions: n }) : "start";
    }
    let index = ladder.all.length - 1;
    while (index > 0 && ladder.all[index]!.position.instructions >= n) index--;
    const isBehind = count() < n && position().time >= ladder.all[index]!.position.time;
    if (!isBehind) recorder.restore(index);
    return onwards(n, cancel);
  }

  /** An exit may have happened since the last instruction: then the first step back is to before it. */
  function stepBack(steps: number): StopReason {
    const here = position();
    const first = here.time === exact ? "reached" : seek(here.instructions);
    if (first === "start") return first;
    const left = position().time < here.time ? steps - 1 : steps;
    if (left === 0) return "reached";
    const target = here.instructions - left;
    if (target >= recorder.start().instructions) return seek(target);
    recorder.restore(0);
    return "start";
  }

  function stepVcpu(slot: number): StopReason {
    const before = retiredBy(core, slot);
    for (let i = 0; i < STEP_LIMIT; i++) {
      const reason = recorder.forward({ instructions: count() + 1 });
      if (reason !== "reached" || retiredBy(core, slot) !== before) return reason;
    }
    return "idle";
  }

  /** Back in growing strides to where the vCPU had not retired its last instruction yet, then forwards to the last such place. */
  function stepBackVcpu(slot: number): StopReason {
    const wanted = retiredBy(core, slot);
    const from = count();
    for (let stride = 1; ; stride *= 4) {
      const reason = seek(Math.max(0, from - stride));
      if (retiredBy(core, slot) < wanted) break;
      if (reason === "start" || count() <= recorder.start().instructions) return "start";
    }
    let last = count();
    while (true) {
      recorder.forward({ instructions: count() + 1 });
      if (retiredBy(core, slot) >= wanted) return seek(last);
      last = count();
    }
  }

  function stepEvent(names: readonly string[], limits: { maxInstructions?: number; cancel?: () => boolean }): Stop {
    const wanted = new Set(names.map(eventNumber));
    const from = position();
    const limit = from.instructions + (limits.maxInstructions ?? Number.POSITIVE_INFINITY);
    let number = events.after(from.time);
    while (true) {
      for (; number < events.length; number++)
        if (wanted.has(events.eventOf(number))) return stop(recorder.goTo(events.timeOf(number)));
      recorder.goTo(recorder.frontier().time);
      const reason = recorder.forward({
        time: machine.now() + 50_000,
        instructions: limit,
        ...(limits.cancel ? { cancel: limits.cancel } : {}),
      });
      if (number < events.length) continue;
      if (reason !== "reached") return stop(reason);
      if (count() >= limit) return stop("budget");
    }
  }

  function stepBackEvent(names: readonly string[]): Stop {
    const wanted = new Set(names.map(eventNumber));
    for (let number = events.after(machine.now() - 1) - 1; number >= 0; number--) {
      const at = events.timeOf(number);
      if (at < machine.now() && wanted.has(events.eventOf(number))) return stop(recorder.goTo(at));
    }
    return toStart();
  }

  const toStart = (): Stop => {
    recorder.restore(0);
    return stop("start");
  };

  /** Looks elsewhere and comes back. */
  function elsewhere<T>(look: () => T): T {
    const here = machine.now();
    try {
      return look();
    } finally {
      recorder.goTo(here);
    }
  }

  return {
    machine,
    position,
    frontier: recorder.frontier,
    start: recorder.start,
    run(limits = {}) {
      watches.passCurrent();
      const goal = count() + (limits.maxInstructions ?? Number.POSITIVE_INFINITY);
      const reason = recorder.forward({
        instructions: goal,
        isWatched: true,
        ...(limits.cancel ? { cancel: limits.cancel } : {}),
      });
      const found = stop(reason === "reached" ? "budget" : reason);
      if (found.reason === "break" && hasTurnJustBegun(core)) recorder.goAgain(found.position.time);
      return found;
    },
    runBack(limits = {}) {
      const found = findLastHit(recorder, machine.now(), limits.cancel);
      if (!found) return toStart();
      recorder.goTo(found.time);
      return { reason: "break", position: position(), hits: found.hits };
    },
    step: (steps = 1) => stop(onwards(count() + steps)),
    stepBack: (steps = 1) => stop(stepBack(steps)),
    stepVcpu: (slot) => stop(stepVcpu(slot)),
    stepBackVcpu: (slot) => stop(stepBackVcpu(slot)),
    seek: (n, limits = {}) => stop(seek(n, limits.cancel)),
    seekTime: (time, limits = {}) => stop(recorder.goTo(time, limits.cancel)),
    seekExit(k) {
      const number = events.exits[k - 1];
      if (number === undefined)
        throw new UsageError(
          `exit ${k}: ${events.exits.length} exits were recorded${events.isCut ? " (the timeline is cut)" : ""}`,
        );
      return stop(recorder.goTo(events.timeOf(number)));
    },
    goTo: (place: Position) => stop(recorder.goTo(place.time)),
    stepEvent: (names, limits = {}) => stepEvent(names, limits),
    stepBackEvent,
    lastWrite: (domid, gpa, bytes = 1) => elsewhere(() => findLastWrite(recorder, domid, gpa, bytes)),
    timeline({ from = 0, count: most = Number.POSITIVE_INFINITY, names } = {}) {
      const wanted = names && new Set(names.map(eventNumber));
      const found = [];
      for (let number = from; number < events.length && found.length < most; number++)
        if (!wanted || wanted.has(events.eventOf(number))) found.push(events.get(number));
      return found;
    },
    timelineLength: () => events.length,
    get isTimelineCut() {
      return events.isCut;
    },
    type(domid, bytes) {
      const text = JSON.stringify(new TextDecoder().decode(bytes));
      recorder.act(`type ${text}`, (m) => m.type(domid, bytes));
    },
    act: (name, action) => recorder.act(name, action),
    actions: () => recorder.actions,
    watch: (spec) => watches.add(spec),
    unwatch: (id) => watches.remove(id),
    watches: () => watches.all(),
    diff: (a, b) =>
      elsewhere(() => {
        recorder.goTo(a.time);
        const before = takeView(machine);
        recorder.goTo(b.time);
        return diffViews(before, takeView(machine));
      }),
    get usage() {
      return { checkpoints: ladder.all.length, bytes: ladder.bytes() };
    },
    [Symbol.dispose]() {
      ladder.drop();
      machine[Symbol.dispose]();
    },
  };
}
