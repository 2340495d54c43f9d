/**
 * What a race on stage can do, without how it looks (stage.ts): it asks its worker, keeps the frames, and tells what is shown by `vx-stage`
 * events, so that the page can keep it in the address and a lesson can check it.
 */
import { proxy } from "comlink";
import { LitElement, type PropertyValues } from "lit";
import type { Progress } from "../../lib/explore/progress.ts";
import { packOrder } from "../../lib/film/order.ts";
import { WorkerLost } from "../worker/client.ts";
import type { Answer } from "../worker/protocol.ts";
import type { ExploreAnswer, Frame, Opening, Staged } from "../worker/race-protocol.ts";
import type { ExploreSettings } from "./explore-panel.ts";
import { type RaceClient, startRaceWorker } from "./worker.ts";

export type Mode = "film" | "play" | "explore";
export const MODES: readonly Mode[] = ["film", "play", "explore"];

/** What to put on stage. */
export interface StageRequest {
  readonly race: string;
  readonly variant: string;
  readonly mode: Mode;
  /** Frame to show. */
  readonly at?: number;
  /** Letters of an order (film/order.ts). */
  readonly steps?: string;
}

/** Milliseconds between two steps of a running film. */
const BEAT = 900;
/** A search may take as long as it may; its own budget ends it. */
const NO_TIMEOUT = 2 ** 31 - 1;

export abstract class StageModel extends LitElement {
  static override properties = {
    request: { attribute: false },
    isCompact: { type: Boolean, reflect: true, attribute: "compact" },
    staged: { state: true },
    at: { state: true },
    mode: { state: true },
    problem: { state: true },
    lost: { state: true },
    isRolling: { state: true },
    isExploring: { state: true },
    progress: { state: true },
    explored: { state: true },
  };
  declare request: StageRequest | undefined;
  /** Less around it: beside a lesson. */
  declare isCompact: boolean;
  declare staged: Staged | undefined;
  declare at: number;
  declare mode: Mode;
  declare problem: string | undefined;
  declare lost: string | undefined;
  declare isRolling: boolean;
  declare isExploring: boolean;
  declare progress: Progress | undefined;
  declare explored: ExploreAnswer | undefined;
  private client: RaceClient | undefined;
  private shown: StageRequest | undefined;
  private own: readonly { readonly file: string; readonly source: string }[] = [];
  private beat: ReturnType<typeof setInterval> | undefined;
  /** Calls are carried out one after the other: a second key before the answer to the first is not lost. */
  private queue: Promise<unknown> = Promise.resolve();

  constructor() {
    super();
    this.at = 0;
    this.mode = "film";
    this.isCompact = false;
    this.isRolling = false;
    this.isExploring = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("keydown", this.onKey);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("keydown", this.onKey);
    this.stopRolling();
    this.client?.end();
    this.client = undefined;
    this.shown = undefined;
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("request") && this.request && JSON.stringify(this.request) !== JSON.stringify(this.shown))
      void this.open(this.request);
  }

  /** Calls the worker, starting it when there is none. After one was lost that needs startAgain(): a new one knows nothing of the stage. */
  call<T>(ask: Parameters<RaceClient["call"]>[0], timeoutMs?: number): Promise<T> {
    if (this.lost !== undefined) return Promise.reject(new WorkerLost(this.lost));
    this.client ??= startRaceWorker((problem) => {
      this.lost = problem;
      this.client = undefined;
    });
    return this.client.call(ask, timeoutMs) as Promise<T>;
  }

  /** One call after the other; a problem is shown, and undefined is answered. */
  private ask<T>(ask: Parameters<RaceClient["call"]>[0]): Promise<T | undefined> {
    const next = this.queue.then(async () => {
      try {
        const answer = await this.call<Answer<T>>(ask);
        this.problem = answer.ok ? undefined : answer.problem;
        return answer.ok ? answer.value : undefined;
      } catch (error) {
        if (!(error instanceof WorkerLost)) this.problem = error instanceof Error ? error.message : String(error); // lost: told already
        return undefined;
      }
    });
    this.queue = next;
    return next;
  }

  async open(request: StageRequest): Promise<void> {
    this.shown = request;
    this.stopRolling();
    const { race, variant, mode, steps } = request;
    this.mode = mode;
    const opening: Opening =
      steps !== undefined
        ? { kind: "steps", steps }
        : mode === "play"
          ? { kind: "steps", steps: "" }
          : { kind: "film" };
    await this.put(
      await this.ask<Staged>((s) => s.open(race, variant, opening)),
      request.at ?? (mode === "play" ? undefined : 0),
    );
  }

  /** @param at frame to show; the last one when it is left out. */
  private async put(staged: Staged | undefined, at?: number): Promise<void> {
    if (!staged) return;
    this.staged = staged;
    this.explored = undefined;
    this.progress = undefined;
    this.at = Math.min(at ?? staged.frames.length - 1, staged.frames.length - 1);
    this.tell();
    await this.updateComplete;
  }

  /** What is on stage, for the address and for lessons. */
  private tell(): void {
    const { staged } = this;
    if (!staged) return;
    const steps = packOrder(staged.choices);
    const request: StageRequest = {
      race: staged.race.name,
      variant: staged.variant,
      mode: this.mode,
      at: this.at,
      ...(this.mode === "play" || this.isChanged ? { steps } : {}),
    };
    this.shown = request;
    this.dispatchEvent(
      new CustomEvent("vx-stage", { detail: { request, staged, frame: this.frame }, bubbles: true, composed: true }),
    );
  }

  /** True when what is shown is not what `film` opens: the address must hold the steps. */
  private isChanged = false;

  protected get frame(): Frame | undefined {
    return this.staged?.frames[this.at];
  }

  go(frame: number): void {
    const last = (this.staged?.frames.length ?? 1) - 1;
    this.at = Math.max(0, Math.min(frame, last));
    if (this.at === last) this.stopRolling();
    this.tell();
  }

  setMode(mode: Mode): void {
    if (mode === this.mode || !this.staged) return;
    this.stopRolling();
    const { race, variant } = this.staged;
    if (mode === "explore") {
      this.mode = mode;
      this.tell();
    } else {
      this.isChanged = false;
      void this.open({ race: race.name, variant, mode });
    }
  }

  protected async choose(actor: number): Promise<void> {
    const { staged } = this;
    const lane = this.frame?.lanes[actor];
    if (!staged || lane?.status !== "runnable" || this.frame?.verdict.kind !== "open") return;
    if (!(await this.cutTo(this.at))) return;
    const frame = await this.ask<Frame>((s) => s.choose(actor));
    if (!frame) return;
    this.extend([frame], [actor]);
  }

  private extend(frames: readonly Frame[], choices: readonly number[]): void {
    const staged = this.staged!;
    this.staged = { ...staged, frames: [...staged.frames, ...frames], choices: [...staged.choices, ...choices] };
    this.at = this.staged.frames.length - 1;
    this.isChanged = true;
    this.tell();
  }

  /** @returns false when nothing was cut that had to be. */
  private async cutTo(frame: number): Promise<boolean> {
    const staged = this.staged!;
    if (frame === staged.frames.length - 1) return true;
    if (!(await this.ask<Frame>((s) => s.cut(frame)))) return false;
    const { leftOut: _, notice: __, ...rest } = staged;
    this.staged = { ...rest, frames: staged.frames.slice(0, frame + 1), choices: staged.choices.slice(0, frame) };
    this.at = frame;
    return true;
  }

  protected async undo(frames = 1): Promise<void> {
    if (!this.staged || !(await this.cutTo(Math.max(0, this.at - frames)))) return;
    this.isChanged = true;
    this.tell();
  }

  protected async runOn(): Promise<void> {
    if (!(await this.cutTo(this.at))) return;
    const frames = await this.ask<readonly Frame[]>((s) => s.runOn());
    if (!frames) return;
    const { cast } = this.staged!;
    this.extend(
      frames,
      frames.map((frame) => cast.findIndex(({ name }) => name === frame.step?.actor)),
    );
  }

  protected async takeOver(): Promise<void> {
    this.stopRolling();
    if (!(await this.cutTo(this.at))) return;
    this.mode = "play";
    this.isChanged = true;
    this.tell();
  }

  protected get fixed(): string | undefined {
    const variants = this.staged?.race.variants ?? [];
    return (
      variants.find((v) => v.name === "fixed" && v.expect === "clean") ?? variants.find((v) => v.expect === "clean")
    )?.name;
  }

  protected async tryFix(isSameOrder: boolean): Promise<void> {
    const { staged, fixed } = this;
    if (!staged || fixed === undefined) return;
    const steps = packOrder(staged.choices);
    const opening: Opening = isSameOrder ? { kind: "try", steps } : { kind: "steps", steps: "" };
    this.isChanged = true;
    this.mode = "play";
    await this.put(await this.ask<Staged>((s) => s.open(staged.race.name, fixed, opening)));
  }

  protected async proveFix(): Promise<void> {
    const { staged, fixed } = this;
    if (!staged || fixed === undefined) return;
    this.isChanged = false;
    this.mode = "explore";
    await this.put(await this.ask<Staged>((s) => s.open(staged.race.name, fixed, { kind: "film" })), 0);
    await this.explore({ strategy: "exhaustive", seed: 1, bound: 2, seconds: 120 });
  }

  protected async explore(settings: ExploreSettings): Promise<void> {
    const { staged } = this;
    if (!staged) return;
    this.isExploring = true;
    this.explored = undefined;
    this.progress = undefined;
    const onProgress = proxy((progress: Progress) => {
      this.progress = progress;
    });
    try {
      const answer = await this.call<ExploreAnswer>(
        (s) => s.explore({ race: staged.race.name, variant: staged.variant, ...settings }, onProgress),
        NO_TIMEOUT,
      );
      this.explored = answer;
      if (answer.kind === "found") this.progress = answer.found.counts;
      this.dispatchEvent(new CustomEvent("vx-explored", { detail: answer, bubbles: true, composed: true }));
    } catch (error) {
      this.explored = { kind: "problem", problem: error instanceof Error ? error.message : String(error) };
    }
    this.isExploring = false;
  }

  protected stopExploring(): void {
    void this.call((s) => s.cancel());
  }

  /** After the worker was lost: another one, with what was shown. */
  protected async startAgain(): Promise<void> {
    this.lost = undefined;
    this.isExploring = false;
    for (const { file, source } of this.own) await this.ask<unknown>((s) => s.loadRace(file, source));
    if (this.shown) await this.open(this.shown);
  }

  /** A race of the reader's own. Each worker has its own catalogue, so it is kept for the next one. */
  async takeRace(file: string, source: string): Promise<void> {
    this.own = [...this.own.filter((race) => race.file !== file), { file, source }];
    await this.ask<unknown>((s) => s.loadRace(file, source));
  }

  /** A schedule file comes on stage. */
  async load(text: string): Promise<void> {
    const staged = await this.ask<Staged>((s) => s.load(text));
    if (!staged) return;
    this.mode = "film";
    this.isChanged = true;
    await this.put(staged, 0);
  }

  protected roll(): void {
    if (this.isRolling) {
      this.stopRolling();
      return;
    }
    if (this.at >= this.staged!.frames.length - 1) this.at = 0;
    this.isRolling = true;
    this.beat = setInterval(() => this.go(this.at + 1), BEAT);
  }

  private stopRolling(): void {
    clearInterval(this.beat);
    this.isRolling = false;
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    const target = event.composedPath()[0] as HTMLElement;
    const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName ?? "");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !this.staged || this.mode === "explore") return;
    const last = this.staged.frames.length - 1;
    const keys: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => this.go(this.at - 1),
      ArrowRight: () => this.go(this.at + 1),
      Home: () => this.go(0),
      End: () => this.go(last),
      ...(this.mode === "play" ? { Backspace: () => void this.undo() } : {}),
    };
    const digit = /^[1-9]$/.test(event.key) && this.mode === "play" ? Number(event.key) - 1 : undefined;
    if (digit !== undefined) void this.choose(digit);
    else if (Object.hasOwn(keys, event.key)) keys[event.key]!();
    else return;
    event.preventDefault();
  };
}
