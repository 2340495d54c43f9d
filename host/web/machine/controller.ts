/**
 * The page's side of one machine: what it is made of, where it stands, and what may be done to it. Views ask it for their part of the state
 * and listen to its "change" event. It outlives its worker: when that dies another one is started and brought to the same place.
 */
import type { GuestEnd } from "../../lib/machine.ts";
import { RecordStore } from "../model/records.ts";
import { type Asked, machineWorker, startWorker, type WorkerClient, WorkerLost } from "../worker/client.ts";
import type { MachineService, Moved } from "../worker/machine-service.ts";
import type { MachineSpec, Typed } from "../worker/protocol.ts";

export type Phase =
  | "empty" // nothing was loaded yet
  | "loading"
  | "ready"
  | "running" // run() goes on, slice after slice
  | "busy" // on the way to a position
  | "idle" // every vCPU waits for something from outside
  | "ended"
  | "lost"; // the worker died; restart() starts another

/** Guest instructions of a slice to begin with, and at most; about SLICE_MS of work each. */
const FIRST_SLICE = 20_000;
const LARGEST_SLICE = 20_000_000;
const SLICE_MS = 80;
/** How long a worker may be silent before it is taken for dead: a slice takes a hundredth of that. */
const SILENCE_MS = 10_000;
/** Views look at most so often while the machine runs. */
const LOOK_MS = 100;

export class MachineController extends EventTarget {
  spec: MachineSpec | undefined;
  phase: Phase = "empty";
  at = 0;
  /** Virtual time, and whether the number of instructions alone says where the machine stands. */
  time = 0;
  isFirst = true;
  /** The furthest position that was reached. */
  furthest = 0;
  end: GuestEnd | undefined;
  /** What went wrong, in a sentence; undefined when nothing did. */
  problem: string | undefined;
  /** Everything the guest wrote. Grows, or starts anew (consoleEpoch changes). */
  console: Uint8Array = new Uint8Array(0);
  consoleEpoch = 0;
  readonly records = new RecordStore();
  /** Records written up to the present position. */
  recordsAt = 0;
  typed: readonly Typed[] = [];
  private client: WorkerClient<MachineService> | undefined;
  private wantsPause = false;
  private isLoaded = false;
  private queue: Promise<unknown> = Promise.resolve();
  private lastLook = 0;

  /** A question about the state. Undefined when there is no machine, or the worker died over it. */
  async ask<R>(question: (service: Asked<MachineService>) => Promise<R>): Promise<R | undefined> {
    return this.isLoaded ? this.askWorker(question) : undefined;
  }

  /** A question that needs no machine. */
  async askWorker<R>(question: (service: Asked<MachineService>) => Promise<R>): Promise<R | undefined> {
    if (this.phase === "lost") return undefined;
    try {
      return await this.worker().call(question, SILENCE_MS);
    } catch (error) {
      if (!(error instanceof WorkerLost)) this.fail(error);
      return undefined;
    }
  }

  /** Another machine. @param tick virtual time to go to, instead of `at`. @returns whether it could be built; `problem` says why not, and the old one stays. */
  load(spec: MachineSpec, at = 0, typed: readonly Typed[] = [], tick?: number): Promise<boolean> {
    this.wantsPause = true;
    return this.inTurn(async () => {
      const before = this.phase;
      this.change("loading");
      const answer = await this.worker().call((s) => s.load(spec, typed), SILENCE_MS * 3);
      if (!answer.ok) {
        this.problem = answer.problem;
        this.change(before === "lost" ? "empty" : before);
        return false;
      }
      this.spec = spec;
      this.isLoaded = true;
      this.typed = typed;
      this.furthest = 0;
      this.problem = undefined;
      this.records.clear(answer.value.records); // what built the guest is no part of its run
      await this.take(answer.value);
      if (tick !== undefined) await this.goTo((s) => s.seekTime(tick));
      else if (at > 0) await this.goTo((s) => s.seek(at));
      return true;
    });
  }

  step(): Promise<void> {
    return this.move((s) => s.step());
  }

  inside(): Promise<void> {
    return this.move((s) => s.inside());
  }

  back(): Promise<void> {
    return this.move((s) => s.back());
  }

  /** To where the trace record with this index had just been written. */
  seekRecord(index: number): Promise<void> {
    const n = index - this.records.first;
    if (n < 0 || n >= this.records.length) return Promise.resolve();
    const time = Number(this.records.at(n).time);
    this.wantsPause = true;
    return this.inTurn(() => this.goTo((s) => s.seekTime(time)));
  }

  type(bytes: Uint8Array): Promise<void> {
    return this.move(async (s) => {
      const moved = await s.type(bytes);
      this.typed = await s.typed();
      return moved;
    });
  }

  nextExit(): Promise<void> {
    this.wantsPause = true;
    return this.inTurn(() => this.goTo((s) => s.nextExit()));
  }

  lastExit(): Promise<void> {
    return this.move((s) => s.lastExit());
  }

  seek(at: number): Promise<void> {
    this.wantsPause = true;
    return this.inTurn(() => this.goTo((s) => s.seek(at)));
  }

  /** Runs until pause(), the end, or until nothing can run. */
  run(): Promise<void> {
    return this.inTurn(async () => {
      this.wantsPause = false;
      this.change("running");
      let slice = FIRST_SLICE;
      while (!this.wantsPause) {
        const began = performance.now();
        const moved = await this.worker().call((s) => s.run(slice), SILENCE_MS);
        const took = performance.now() - began;
        if (took < SLICE_MS / 2) slice = Math.min(slice * 2, LARGEST_SLICE);
        else if (took > SLICE_MS) slice = Math.max(Math.floor(slice / 2), FIRST_SLICE);
        if (moved.state !== "ready") this.wantsPause = true;
        await this.take(moved, !this.wantsPause);
        await new Promise((resolve) => setTimeout(resolve));
      }
      if (this.phase === "running") this.change("ready");
    });
  }

  pause(): void {
    this.wantsPause = true;
  }

  /** A new worker at the same place, with everything that was typed. */
  async restart(): Promise<void> {
    const { spec, at, typed, time, isFirst } = this;
    this.client?.end();
    this.client = undefined;
    this.isLoaded = false;
    this.phase = "empty";
    if (spec) await this.load(spec, at, typed, isFirst ? undefined : time);
  }

  /** What a test does that wants to see restart(): the worker is gone from one moment to the next. */
  loseWorker(): void {
    this.client?.end();
    this.lost("it was ended");
  }

  close(): void {
    this.wantsPause = true;
    this.client?.end();
    this.client = undefined;
    this.phase = "empty";
  }

  private move(action: (service: Asked<MachineService>) => Promise<Moved>): Promise<void> {
    this.wantsPause = true;
    return this.inTurn(async () => {
      if (this.phase === "empty" || this.phase === "lost") return;
      await this.take(await this.worker().call(action, SILENCE_MS));
    });
  }

  /** In slices, so that the way to a far position can be given up. */
  private async goTo(ask: (service: Asked<MachineService>) => Promise<Moved>): Promise<void> {
    this.wantsPause = false;
    if (this.phase === "empty" || this.phase === "lost") return;
    this.change("busy");
    for (;;) {
      const moved = await this.worker().call(ask, SILENCE_MS);
      const isThere = moved.isThere || this.wantsPause;
      await this.take(moved, !isThere);
      if (isThere) return;
    }
  }

  /** Takes what the worker answered. @param isOnTheWay more follows at once: the views need not look at every step. */
  private async take(moved: Moved, isOnTheWay = false): Promise<void> {
    this.at = moved.at;
    this.time = moved.time;
    this.isFirst = moved.isFirst;
    this.end = moved.end;
    if (moved.isFresh) {
      this.console = moved.console;
      this.consoleEpoch++;
    } else if (moved.console.length > 0) {
      const grown = new Uint8Array(this.console.length + moved.console.length);
      grown.set(this.console);
      grown.set(moved.console, this.console.length);
      this.console = grown;
    }
    if (moved.records > this.records.end || moved.at > this.furthest) {
      const { first, bytes } = await this.worker().call((s) => s.records(this.records.end), SILENCE_MS);
      this.records.put(first, bytes);
    }
    this.recordsAt = moved.records;
    this.furthest = Math.max(this.furthest, moved.at);
    if (isOnTheWay) {
      const now = performance.now();
      if (now - this.lastLook < LOOK_MS) return;
      this.lastLook = now;
      this.change(this.phase);
      return;
    }
    this.change(moved.state);
  }

  /** One thing after the other: the machine is in one place at a time. */
  private inTurn<R>(work: () => Promise<R>): Promise<R> {
    const result = this.queue.then(work, work);
    this.queue = result.catch((error: unknown) => this.fail(error));
    return result.catch((error: unknown) => {
      if (error instanceof WorkerLost) return undefined as R;
      throw error;
    });
  }

  private fail(error: unknown): void {
    if (error instanceof WorkerLost) return; // told already
    this.problem = error instanceof Error ? error.message : String(error);
    this.change("lost");
  }

  private lost(problem: string): void {
    this.isLoaded = false;
    this.client = undefined;
    this.problem = problem;
    this.wantsPause = true;
    this.change("lost");
  }

  private worker(): WorkerClient<MachineService> {
    this.client ??= startWorker<MachineService>(machineWorker, (problem) => this.lost(problem));
    return this.client;
  }

  private change(phase: Phase): void {
    this.phase = phase;
    this.dispatchEvent(new Event("change"));
  }
}
