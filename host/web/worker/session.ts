/**
 * One run of one guest that can be moved through: the position is the number of guest instructions the machine has retired, and every
 * position is reached by playing the same run again from a copy of the machine. What was typed is part of the run.
 */
import { CTR_INSTRUCTIONS } from "../../../hv-core/abi/counters.ts";
import { readCounter } from "../../lib/counters.ts";
import type { DomId } from "../../lib/ids.ts";
import type { Machine, RunEnd } from "../../lib/machine.ts";
import type { Snapshot } from "../../lib/snapshot.ts";
import { traceEnd } from "../model/records.ts";
import { type Mark, readEvidence, takeMark } from "./evidence.ts";
import type { PathEvidence, Typed } from "./protocol.ts";

interface Checkpoint {
  readonly at: number;
  readonly snapshot: Snapshot;
}

type Kind = RunEnd["kind"];

/** Instructions between two copies, and how many copies there are beside the first: a copy is as large as the guest. */
const EVERY = 20_000_000;
const MOST = 3;
/** Turns without an instruction (exits, hypercalls) after which a step gives up: nothing moves. */
const STUCK = 20_000;

export class Session {
  readonly machine: Machine;
  readonly domid: DomId;
  private readonly start: Checkpoint;
  private checkpoints: Checkpoint[] = [];
  private typed: readonly Typed[];
  /** The state before the last instruction, when it is known; and how far inside the next one the machine is. */
  private mark: Mark | undefined;
  private isInside = false;

  /** @param machine just built, nothing has run yet. @param typed what is typed during the run, in order. */
  constructor(machine: Machine, domid: DomId, typed: readonly Typed[] = []) {
    this.machine = machine;
    this.domid = domid;
    this.typed = typed;
    this.start = { at: this.at, snapshot: machine.snapshot() };
    this.typeDue();
  }

  /** Instructions retired. */
  get at(): number {
    return readCounter(this.machine.core, CTR_INSTRUCTIONS);
  }

  get allTyped(): readonly Typed[] {
    return this.typed;
  }

  /**
   * Runs for at most so many instructions. It may take several calls to get there: exits use the budget up too.
   * @returns why it stopped.
   */
  run(instructions: number): RunEnd {
    this.mark = undefined;
    this.isInside = false;
    return this.move(instructions);
  }

  /** One instruction, or the rest of the one that is half done. */
  step(): RunEnd {
    if (!this.isInside) this.mark = takeMark(this.machine, this.domid, this.at);
    this.isInside = false;
    return this.forward(this.at + 1);
  }

  /** One piece of an instruction: the guest and the hypervisor until somebody else has to do something, or what dom0 does. */
  inside(): Kind {
    const { at, machine } = this;
    if (!this.isInside) this.mark = takeMark(machine, this.domid, at);
    this.isInside = true;
    if (machine.serve()) return "budget";
    machine.core.exports.run(1);
    if (this.at !== at) this.isInside = false;
    return machine.ended(this.domid) ? "ended" : "budget";
  }

  /** Runs until exactly `at` instructions have retired, or the run ends, or nothing moves any more, or `most` are done. */
  forward(at: number, most = Number.POSITIVE_INFINITY): RunEnd {
    let end: RunEnd = { kind: "budget" };
    const last = Math.min(at, this.at + most);
    for (let still = 0; this.at < last && still < STUCK; ) {
      const before = this.at;
      end = this.move(Math.min(last - before, EVERY));
      if (end.kind !== "budget") return end;
      still = this.at === before ? still + 1 : 0;
    }
    return end;
  }

  /** As forward(), and the last instruction leaves its evidence. */
  forwardWithMark(at: number, most: number): RunEnd {
    if (this.at < at) {
      const end = this.run(0);
      const way = this.forward(at - 1, most);
      if (this.at !== at - 1 || way.kind === "ended") return way.kind === "budget" ? end : way;
      return this.step();
    }
    return { kind: "budget" };
  }

  /** To the copy before `at`: forward() does the rest. */
  rewind(at: number): void {
    const best = this.checkpoints.findLast((c) => c.at <= at) ?? this.start;
    this.machine.restore(best.snapshot);
    this.mark = undefined;
    this.isInside = false;
    if (best === this.start) this.typeDue();
  }

  /** To an earlier position, at once: no further from a copy than two of them are apart. */
  goBack(at: number): void {
    this.rewind(at);
    this.forwardWithMark(at, Number.POSITIVE_INFINITY);
  }

  /**
   * To the position right after the instruction that made trace record `index` (or the last before it): found by halving, since records
   * do not say how many instructions had retired.
   */
  seekRecord(index: number): void {
    const written = (): number => traceEnd(this.machine.core.view);
    let low = 0;
    let high = this.at;
    if (written() <= index) {
      // Not there yet: on until it is.
      while (written() <= index) {
        low = this.at;
        if (this.move(SEEK_STEP).kind !== "budget") break;
      }
      high = this.at;
    }
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (middle < this.at) this.rewind(middle);
      this.forward(middle);
      if (written() > index) high = middle;
      else low = middle + 1;
    }
    this.goBack(low);
  }

  /** Types on the guest's consoles, now: what was typed later is forgotten, since it belonged to another run. */
  type(bytes: Uint8Array): void {
    const { at } = this;
    this.typed = [...this.typed.filter((t) => t.at <= at), { at, bytes }];
    this.checkpoints = this.checkpoints.filter((c) => c.at < at);
    this.machine.type(this.domid, bytes);
  }

  /** What the last instruction did. When only the position is known, the instruction is run once more. */
  evidence(): PathEvidence {
    if (!this.mark && this.at > this.start.at) this.goBack(this.at);
    return readEvidence(this.machine, this.domid, this.mark, this.at, !this.isInside);
  }

  private move(instructions: number): RunEnd {
    const { at } = this;
    const next = this.typed.find((t) => t.at > at);
    const budget = next ? Math.min(instructions, next.at - at) : instructions;
    const end = this.machine.run({ maxInstructions: budget });
    if (this.at !== at) this.typeDue();
    this.keep();
    return next && end.kind === "idle" ? { kind: "budget" } : end;
  }

  /** Types what was typed at this position. */
  private typeDue(): void {
    const { at } = this;
    for (const t of this.typed) if (t.at === at) this.machine.type(this.domid, t.bytes);
  }

  private keep(): void {
    const last = this.checkpoints.at(-1)?.at ?? this.start.at;
    if (this.at - last < EVERY) return;
    this.checkpoints = [...this.checkpoints.slice(1 - MOST), { at: this.at, snapshot: this.machine.snapshot() }];
  }
}

/** Instructions between two looks for a record that lies ahead. */
const SEEK_STEP = 1_000_000;
