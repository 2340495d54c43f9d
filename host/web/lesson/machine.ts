/** A live machine beside a lesson: the lab's own controller and views, with a short bar. */
import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { Live } from "../../lib/lesson/live.ts";
import { MachineController } from "../machine/controller.ts";
import { renderView } from "../machine/view-panel.ts";
import "../machine/views/console.ts";
import "../machine/views/cpu.ts";
import { FIRST_EXPERIMENT, type ViewName } from "../model/url-state.ts";
import { shared } from "../shell/styles.ts";
import { texts } from "../texts/lesson.ts";
import { texts as machineTexts } from "../texts/machine.ts";

export type MachineLive = Extract<Live, { readonly kind: "machine" }>;
type Shown = keyof typeof texts.views;
const SHOWN = Object.keys(texts.views) as Shown[];

class LessonMachine extends LitElement {
  static override properties = {
    live: { attribute: false },
    positionOf: { attribute: false },
    view: { state: true },
    problem: { state: true },
  };
  declare live: MachineLive | undefined;
  /** Where a guest leaves for a reason: the lesson's worker knows. */
  declare positionOf: (guest: string, exit: string) => Promise<number>;
  declare view: Shown;
  /** Why what the text asks for cannot be shown. */
  declare problem: string | undefined;
  private readonly controller = new MachineController();

  static override styles = [
    shared,
    css`
      :host {
        display: flex;
        flex-direction: column;
        gap: var(--vx-space-2);
        min-height: 0;
      }
      .phase {
        flex: 1 1 10rem;
        font-size: var(--vx-size-small);
      }
      .tabs {
        display: flex;
        flex-wrap: wrap;
        gap: 2px;
      }
      .tabs button {
        padding: 0 0.5rem;
        font-size: var(--vx-size-small);
      }
      .panel {
        flex: 1;
        min-height: 16rem;
        background: var(--vx-surface);
        border: 1px solid var(--vx-line);
        border-radius: var(--vx-radius);
        padding: var(--vx-space-2) var(--vx-space-3);
      }
      .problem {
        background: var(--vx-bad-soft);
        border-radius: var(--vx-radius);
        padding: var(--vx-space-2) var(--vx-space-3);
      }
      .problem p {
        margin: 0 0 var(--vx-space-2);
      }
      .console {
        height: 9rem;
        flex: none;
        border: 1px solid var(--vx-line);
        border-radius: var(--vx-radius);
        overflow: hidden;
      }
    `,
  ];

  constructor() {
    super();
    this.view = "path";
    this.controller.addEventListener("change", () => this.requestUpdate());
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.controller.close();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("live") && this.live) void this.load(this.live);
  }

  private async load(live: MachineLive): Promise<void> {
    const { guest, knobs, exit } = live;
    this.problem = undefined;
    try {
      const at = live.at ?? (exit === undefined ? 0 : await this.positionOf(guest, exit));
      await this.controller.load({ guest: { kind: "bundled", name: guest }, knobs }, at);
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
    this.requestUpdate();
  }

  private get phaseText(): string {
    const { phase, end, at } = this.controller;
    if (phase === "ended" && end) return texts.ended(end.outcome, end.reason);
    if (phase === "lost") return machineTexts.phases.lost;
    return phase === "idle" ? texts.idle : texts.position(at);
  }

  private renderPanel(): TemplateResult {
    const { view, controller } = this;
    if (view === "cpu") return html`<vx-cpu .controller=${controller}></vx-cpu>`;
    if (view === "console") return html`<vx-console .controller=${controller}></vx-console>`;
    return renderView(view satisfies ViewName, controller, { ...FIRST_EXPERIMENT, knobs: this.live?.knobs ?? {} });
  }

  /** A worker that is gone is said, with the way back to where the machine was; so is a place that could not be found. */
  private renderProblem(): TemplateResult | typeof nothing {
    const { controller: c, problem, live } = this;
    const isLost = c.phase === "lost";
    if (!isLost && problem === undefined) return nothing;
    const again = (): void => {
      if (isLost) void c.restart();
      else if (live) void this.load(live);
    };
    return html`<div class="problem" role="alert">
      <p>${isLost ? machineTexts.notes.lost(c.problem ?? "") : problem}</p>
      <button @click=${again}>${isLost ? machineTexts.notes.restart : texts.tryAgain}</button>
    </div>`;
  }

  private tabKey(event: KeyboardEvent): void {
    const at = SHOWN.indexOf(this.view);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.view = SHOWN[(next + SHOWN.length) % SHOWN.length]!;
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>('[aria-selected="true"]')?.focus());
  }

  override render(): TemplateResult {
    const { controller: c, view } = this;
    const isMoving = c.phase === "running" || c.phase === "busy";
    const isNone = c.phase === "empty" || c.phase === "lost" || c.phase === "loading";
    const isOver = c.phase === "ended";
    return html`
      <div class="row" role="group" aria-label=${texts.liveLabel}>
        <button ?disabled=${isNone || c.at === 0} @click=${() => c.seek(0)}>${texts.restart}</button>
        <button ?disabled=${isNone || isMoving || c.at === 0} @click=${() => c.back()}>${texts.back1}</button>
        <button class="primary" ?disabled=${isNone || isMoving || isOver} @click=${() => c.step()}>${texts.step}</button>
        ${
          isMoving
            ? html`<button @click=${() => c.pause()}>${texts.pause}</button>`
            : html`<button ?disabled=${isNone || isOver} @click=${() => c.run()}>${texts.run}</button>`
        }
        <span class="phase" role="status">${this.phaseText}</span>
      </div>
      ${this.renderProblem()}
      <div class="tabs" role="tablist" aria-label=${texts.viewsLabel} @keydown=${this.tabKey}>
        ${SHOWN.map(
          (name) =>
            html`<button role="tab" id="tab-${name}" aria-controls="panel" aria-selected=${name === view} tabindex=${name === view ? 0 : -1}
              @click=${() => {
                this.view = name;
              }}>${texts.views[name]}</button>`,
        )}
      </div>
      <div class="panel scroll" id="panel" role="tabpanel" tabindex="0" aria-labelledby="tab-${view}">${this.renderPanel()}</div>
    `;
  }
}

customElements.define("vx-lesson-machine", LessonMachine);
