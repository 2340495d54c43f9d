/**
 * One run of one guest in this worker: time travel (host/lib/travel) and, for the path of a store, what the last instruction did.
 * The position that people see and links carry is the number of guest instructions retired.
 */
import type { DomId } from "../../lib/ids.ts";
import type { Machine } from "../../lib/machine.ts";
import { openSession } from "../../lib/travel/session.ts";
import type { StopReason, Session as Travel } from "../../lib/travel/types.ts";
import { isStepOver, type Mark, readEvidence, takeMark } from "./evidence.ts";
import type { PathEvidence, Typed } from "./protocol.ts";

/** Checkpoints may take so many bytes: a phone has to hold them. */
const MEMORY = 256 * 2 ** 20;
/** Ticks between two checkpoints: about 100 ms of replay at worst, and little time lost to them while the guest runs. */
const INTERVAL = 10_000_000;

/** After so many milliseconds the page wants an answer: the way is continued when it asks again. The first piece is always done. */
const within = (ms: number): (() => boolean) => {
  const end = performance.now() + ms;
  let looks = 0;
  return () => looks++ > 0 && performance.now() > end;
};
const SLICE_MS = 120;
/** What was typed is typed again before the page shows anything: a long way may take so long. */
const REPLAY_MS = 8000;
/** Ticks after which a step gives up: nothing moves. */
const LONGEST_STEP = 20_000;

export class Session {
  readonly machine: Machine;
  readonly domid: DomId;
  private readonly travel: Travel;
  private typed: Typed[] = [];
  /** The state before the last instruction, when it is known; and whether the machine stands in the middle of it. */
  private mark: Mark | undefined;
  private isInside = false;
  /** The machine stands at the first place with so many instructions: the number alone says where it is. */
  isFirst = true;

  /** @param machine just built, nothing has run yet. */
  constructor(machine: Machine, domid: DomId) {
    this.machine = machine;
    this.domid = domid;
    this.travel = openSession(machine, { memoryBytes: MEMORY, interval: INTERVAL });
  }

  get at(): number {
    return this.travel.position().instructions;
  }

  get allTyped(): readonly Typed[] {
    return this.typed;
  }

  /** Does again what somebody typed. @returns whether all of it could be done. */
  replay(typed: readonly Typed[]): boolean {
    const cancel = within(REPLAY_MS);
    for (const { time, bytes } of typed) {
      this.travel.seekTime(time, { cancel });
      if (this.machine.now() !== time) break;
      this.type(bytes);
    }
    const isDone = this.typed.length === typed.length;
    this.forget();
    this.travel.seek(0);
    return isDone;
  }

  /** Runs for at most so many instructions. */
  run(instructions: number): StopReason {
    this.forget();
    return this.travel.run({ maxInstructions: instructions, cancel: within(SLICE_MS) }).reason;
  }

  /**
   * One instruction, or the rest of the one that is half done. An instruction that the hypervisor carries out (CPUID, WRMSR) is one too,
   * though the processor does not retire it. When an answer is taken on the way back into the guest (OUT), the instruction after it has
   * run as well: there is no place between the two.
   */
  step(): StopReason {
    if (!this.isInside) this.mark = takeMark(this.machine, this.domid, this.at);
    const mark = this.mark!;
    for (let i = 0; i < LONGEST_STEP; i++) {
      const { reason } = this.travel.seekTime(this.machine.now() + 1);
      const isOver = isStepOver(this.machine, this.domid, mark, this.at);
      this.isInside = !isOver;
      if (isOver || reason === "ended" || reason === "idle") break;
    }
    this.isFirst = this.at !== mark.at;
    return this.machine.ended(this.domid) ? "ended" : this.isInside ? "idle" : "reached";
  }

  /** To before the last instruction: the last place before here at which a step could begin. */
  back(): StopReason {
    const { travel } = this;
    const here = this.machine.now();
    const start = travel.start();
    if (here <= start.time) return "start";
    this.seekFully(this.at);
    if (this.machine.now() >= here) this.seekFully(Math.max(start.instructions, this.at - 1));
    for (let i = 0; i < LONGEST_STEP; i++) {
      const [place, isFirst] = [travel.position(), this.isFirst];
      this.step();
      if (this.machine.now() < here && travel.position().time > place.time) continue;
      this.forget();
      travel.goTo(place);
      this.isFirst = isFirst;
      break;
    }
    return "reached";
  }

  /** Towards the first place at which so many instructions have retired, for one slice. */
  seek(at: number): StopReason {
    this.forget();
    const { reason } = this.travel.seek(at, { cancel: within(SLICE_MS) });
    this.isFirst = this.at === at;
    return reason;
  }

  /** To where trace records of this virtual time had just been written, for one slice. */
  seekTime(time: number): StopReason {
    this.forget();
    return this.travel.seekTime(time, { cancel: within(SLICE_MS) }).reason;
  }

  /**
   * One piece of an instruction: what dom0 does for it, or the guest and the hypervisor for one tick. It is what a step does as a whole,
   * so the recording stays true.
   */
  inside(): StopReason {
    const { at, machine } = this;
    if (!this.isInside) this.mark = takeMark(machine, this.domid, at);
    this.isInside = true;
    this.isFirst = false;
    if (machine.serve()) return "reached";
    const next = machine.now() + 1;
    machine.core.exports.runTo(1, (next % 2 ** 32) | 0, Math.floor(next / 2 ** 32) | 0);
    if (isStepOver(machine, this.domid, this.mark!, this.at)) {
      this.isInside = false;
      this.isFirst = this.at !== at;
    }
    return machine.ended(this.domid) ? "ended" : "reached";
  }

  /** To where the next exit has just been handled, for one slice: often in the middle of an instruction. */
  nextExit(): StopReason {
    this.forget();
    return this.travel.stepEvent(["exit"], { cancel: within(SLICE_MS) }).reason;
  }

  /** To where the exit before here had just been handled, or to the start. */
  lastExit(): StopReason {
    this.forget();
    return this.travel.stepBackEvent(["exit"]).reason;
  }

  /** Types on the guest's consoles, now: what was typed later is forgotten, since it belonged to another run. */
  type(bytes: Uint8Array): void {
    const time = this.machine.now();
    this.typed = [...this.typed.filter((t) => t.time <= time), { time, bytes }];
    this.isFirst = false;
    this.travel.type(this.domid, bytes);
  }

  /** What the last instruction did, or the one that is in the middle of its way. When that is not known it is run once more. */
  evidence(): PathEvidence {
    if (!this.mark) this.findMark();
    return readEvidence(this.machine, this.domid, this.mark, this.at, !this.isInside);
  }

  /** Back by one instruction, and forward to here again. */
  private findMark(): void {
    const { travel } = this;
    const here = travel.position();
    const isFirst = this.isFirst;
    if (here.time <= travel.start().time) return;
    this.back();
    this.mark = takeMark(this.machine, this.domid, this.at);
    travel.goTo(here);
    this.isInside = !isStepOver(this.machine, this.domid, this.mark, this.at);
    this.isFirst = isFirst;
  }

  private seekFully(at: number): void {
    this.forget();
    this.travel.seek(at);
    this.isFirst = true;
  }

  private forget(): void {
    this.mark = undefined;
    this.isInside = false;
    this.isFirst = false;
  }
}
