/** The page of lessons: the list, or one lesson with its text on the left and what is live on the right. */
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { formatOrder } from "../../lib/film/order.ts";
import type { Lesson } from "../../lib/lesson/lesson-file.ts";
import type { Live } from "../../lib/lesson/live.ts";
import type { CheckResult } from "../../lib/lesson/run-checks.ts";
import "../race/stage.ts";
import type { StageRequest } from "../race/stage-model.ts";
import { formatPlace, type Place } from "../shell/location.ts";
import { shared } from "../shell/styles.ts";
import { texts } from "../texts/lesson.ts";
import { WorkerLost } from "../worker/client.ts";
import type { LessonCard } from "../worker/lesson-service.ts";
import type { Answer } from "../worker/protocol.ts";
import type { Staged } from "../worker/race-protocol.ts";
import { checkStyles, renderCheck } from "./check.ts";
import type { Checked } from "./exercise.ts";
import "./exercise.ts";
import "./machine.ts";
import { pageStyles } from "./page-styles.ts";
import { keepProgress, progressOf } from "./progress.ts";
import { liveLabel, renderBlocks, type TextContext } from "./text.ts";
import { CHECK_TIMEOUT, type LessonClient, startLessonWorker } from "./worker.ts";

class LessonPage extends LitElement {
  static override properties = {
    place: { attribute: false },
    cards: { state: true },
    lesson: { state: true },
    live: { state: true },
    problem: { state: true },
    openClaim: { state: true },
    claimResult: { state: true },
    claimProblem: { state: true },
    isChecking: { state: true },
    hasNotes: { state: true },
  };
  declare place: Place;
  declare cards: readonly LessonCard[];
  declare lesson: Lesson | undefined;
  declare live: Live | undefined;
  declare problem: string | undefined;
  declare openClaim: string | undefined;
  declare claimResult: CheckResult | undefined;
  declare claimProblem: string | undefined;
  declare isChecking: boolean;
  declare hasNotes: boolean;
  private client: LessonClient | undefined;

  static override styles = [shared, pageStyles, checkStyles];

  constructor() {
    super();
    this.cards = [];
    this.isChecking = false;
    this.hasNotes = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.client?.end();
    this.client = undefined;
  }

  private call<R>(ask: Parameters<LessonClient["call"]>[0]): Promise<R> {
    if (!this.client) {
      this.problem = undefined;
      this.client = startLessonWorker((why) => {
        this.client = undefined;
        this.problem = texts.lost(why);
      });
    }
    return this.client.call(ask, CHECK_TIMEOUT) as Promise<R>;
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (!changed.has("place")) return;
    void this.load(this.place);
  }

  private async load({ name, query }: Place): Promise<void> {
    try {
      if (this.cards.length === 0) this.cards = await this.call<LessonCard[]>((s) => s.cards());
      if (name === "") {
        this.lesson = undefined;
        this.problem = undefined;
        return;
      }
      this.hasNotes = query.get("notes") === "1";
      if (this.lesson?.name === name) return;
      const answer = await this.call<Answer<Lesson>>((s) => s.lesson(name));
      this.problem = answer.ok ? undefined : answer.problem;
      this.lesson = answer.ok ? answer.value : undefined;
      this.openClaim = undefined;
      if (!answer.ok) return;
      const lives = this.lives(answer.value);
      this.live = lives[Number(query.get("live") ?? 0)] ?? lives[0];
      document.title = `${answer.value.title} - vmexit`;
      await this.updateComplete;
      this.renderRoot.querySelector(".text")?.scrollTo(0, 0);
    } catch (error) {
      if (!(error instanceof WorkerLost)) this.problem = error instanceof Error ? error.message : String(error); // lost: told already
    }
  }

  private lives(lesson: Lesson): readonly Live[] {
    return [...lesson.blocks, ...lesson.notes].flatMap((block) => (block.kind === "live" ? [block.live] : []));
  }

  /** What is shown beside the text, and whether the notes are open, stand in the address. */
  private writeAddress(): void {
    const { lesson, live } = this;
    if (!lesson) return;
    const query = new URLSearchParams();
    const at = live ? this.lives(lesson).indexOf(live) : 0;
    if (at > 0) query.set("live", String(at));
    if (this.hasNotes) query.set("notes", "1");
    history.replaceState(history.state, "", formatPlace("lesson", lesson.name, query));
  }

  private show(live: Live): void {
    this.live = live;
    this.writeAddress();
    if (matchMedia("(max-width: 860px)").matches)
      void this.updateComplete.then(() =>
        this.renderRoot.querySelector(".live-side")?.scrollIntoView({ block: "start" }),
      );
  }

  /** A race that is played beside an exercise about it answers it. */
  private onStage(event: CustomEvent<{ request: StageRequest; staged: Staged }>): void {
    const { lesson } = this;
    const { request, staged } = event.detail;
    if (!lesson || request.mode !== "play" || staged.choices.length === 0) return;
    const index = lesson.exercises.findIndex(
      (exercise, i) =>
        exercise.answer === "moves" &&
        exercise.checks[0] === `race ${staged.race.name} ${staged.variant}` &&
        !progressOf(lesson.name).solved.includes(i),
    );
    if (index < 0) return;
    this.keepAnswer(index, formatOrder(staged.choices, staged.cast));
  }

  private keepAnswer(index: number, answer: string): void {
    const { name } = this.lesson!;
    keepProgress(name, { answers: { ...progressOf(name).answers, [index]: answer } });
    this.requestUpdate();
  }

  private async check(index: number, text: string): Promise<Checked> {
    const exercise = this.lesson!.exercises[index]!;
    try {
      const answer = await this.call<Answer<CheckResult>>((s) => s.exercise(exercise, text));
      return answer.ok ? { ok: answer.value.ok, result: answer.value } : { ok: false, problem: answer.problem };
    } catch (error) {
      return { ok: false, problem: error instanceof Error ? error.message : String(error) };
    }
  }

  private solved(index: number): void {
    const { name } = this.lesson!;
    const { solved } = progressOf(name);
    if (!solved.includes(index)) keepProgress(name, { solved: [...solved, index] });
    this.requestUpdate();
  }

  private async runClaim(checks: readonly string[]): Promise<void> {
    this.isChecking = true;
    this.claimResult = undefined;
    this.claimProblem = undefined;
    try {
      const answer = await this.call<Answer<CheckResult>>((s) => s.claim(checks));
      if (answer.ok) this.claimResult = answer.value;
      else this.claimProblem = answer.problem;
    } catch (error) {
      this.claimProblem = error instanceof Error ? error.message : String(error);
    }
    this.isChecking = false;
  }

  private toggleClaim(name: string | undefined): void {
    this.openClaim = this.openClaim === name ? undefined : name;
    this.claimResult = undefined;
    this.claimProblem = undefined;
  }

  private context(lesson: Lesson): TextContext {
    const progress = progressOf(lesson.name);
    return {
      openClaim: this.openClaim,
      toggleClaim: (name) => this.toggleClaim(name),
      live: this.live,
      show: (live) => this.show(live),
      renderCheck: (name) => {
        const checks = lesson.claims.find((claim) => claim.name === name)?.checks ?? [];
        return renderCheck({
          name,
          checks,
          isRunning: this.isChecking,
          result: this.claimResult,
          problem: this.claimProblem,
          run: () => void this.runClaim(checks),
          close: () => this.toggleClaim(undefined),
        });
      },
      renderExercise: (index) =>
        html`<vx-exercise
          .exercise=${lesson.exercises[index]!}
          .number=${index}
          .answer=${progress.answers[index] ?? ""}
          .isSolved=${progress.solved.includes(index)}
          .check=${(text: string) => this.check(index, text)}
          @vx-answer=${(event: CustomEvent<string>) => this.keepAnswer(index, event.detail)}
          @vx-solved=${() => this.solved(index)}
        ></vx-exercise>`,
    };
  }

  private renderList(): TemplateResult {
    return html`<div class="list">
      <h1>${texts.title}</h1>
      <p class="soft">${texts.intro}</p>
      <ol>
        ${this.cards.map((card) => {
          const { solved } = progressOf(card.name);
          return html`<li>
            <a href=${formatPlace("lesson", card.name)}>
              <span class="title">${card.title}</span>
              <span class="soft">${texts.minutes(card.minutes)}${solved.length > 0 ? html` · <b class="done">✓ ${texts.solved(solved.length, card.exercises)}</b>` : nothing}</span>
              <span class="goal">${card.goal}</span>
            </a>
          </li>`;
        })}
      </ol>
    </div>`;
  }

  private renderSteps(lesson: Lesson): TemplateResult {
    const at = this.cards.findIndex((card) => card.name === lesson.name);
    const link = (card: LessonCard | undefined, text: string, isNext: boolean): unknown =>
      card
        ? html`<a href=${formatPlace("lesson", card.name)}>${isNext ? "" : "‹ "}${text}: ${card.title}${isNext ? " ›" : ""}</a>`
        : html`<span></span>`;
    return html`<nav class="steps" aria-label=${texts.title}>
      ${link(this.cards[at - 1], texts.previous, false)} ${link(this.cards[at + 1], texts.next, true)}
    </nav>`;
  }

  private renderLive(live: Live): TemplateResult {
    if (live.kind === "machine")
      return html`<vx-lesson-machine
        .live=${live}
        .positionOf=${(guest: string, exit: string) => this.call<number>((s) => s.positionOf(guest, exit))}
      ></vx-lesson-machine>`;
    return html`<vx-race-stage compact .request=${this.requestFor(live)} @vx-stage=${this.onStage}></vx-race-stage>`;
  }

  private requests = new WeakMap<Live, StageRequest>();

  /** The same object as long as the same thing is shown: the stage would begin anew otherwise. */
  private requestFor(live: Extract<Live, { kind: "race" }>): StageRequest {
    const known = this.requests.get(live);
    if (known) return known;
    const { race, variant, mode, at } = live;
    const request: StageRequest = { race, variant, mode, ...(at === undefined ? {} : { at }) };
    this.requests.set(live, request);
    return request;
  }

  private renderLesson(lesson: Lesson): TemplateResult {
    const context = this.context(lesson);
    const at = this.cards.findIndex((card) => card.name === lesson.name);
    const { live } = this;
    return html`<div class="lesson">
      <article class="text" tabindex="0" aria-label=${texts.textLabel}>
        <p class="crumbs"><a href="#/lesson">‹ ${texts.back}</a> <span class="soft">${texts.number(at + 1, this.cards.length)} · ${texts.minutes(lesson.minutes)}</span></p>
        <h1>${lesson.title}</h1>
        <p class="goal"><strong>${texts.goal}</strong> ${lesson.goal}</p>
        ${renderBlocks(lesson.blocks, context)}
        <p>
          <button
            aria-expanded=${this.hasNotes}
            @click=${() => {
              this.hasNotes = !this.hasNotes;
              this.writeAddress();
            }}
          >
            ${this.hasNotes ? texts.hideNotes : texts.showNotes}
          </button>
        </p>
        ${this.hasNotes ? html`<section class="notes"><h2>${texts.notes}</h2>${renderBlocks(lesson.notes, context)}</section>` : nothing}
        ${this.renderSteps(lesson)}
      </article>
      <section class="live-side" aria-label=${texts.liveLabel}>
        ${live ? html`<h2>${liveLabel(live)}</h2>${this.renderLive(live)}` : nothing}
      </section>
    </div>`;
  }

  override render(): TemplateResult {
    const { lesson, problem } = this;
    const isWaiting = !problem && this.cards.length === 0;
    return html`
      ${
        problem === undefined
          ? nothing
          : html`<div class="problem" role="alert">${lesson ? problem : html`<strong>${texts.failed}.</strong> ${problem}`}
              ${this.cards.length === 0 ? html`<button @click=${() => void this.load(this.place)}>${texts.tryAgain}</button>` : nothing}</div>`
      }
      ${isWaiting ? html`<p class="list" role="status">${texts.loading} ...</p>` : lesson && this.place.name !== "" ? this.renderLesson(lesson) : this.renderList()}
    `;
  }
}

customElements.define("vx-lesson-page", LessonPage);
