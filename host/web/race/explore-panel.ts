/** Searching in the page: which strategy, a line of progress while it goes on, and what came of it in plain words. */
import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import type { Progress } from "../../lib/explore/progress.ts";
import type { Found } from "../../lib/film/exploration.ts";
import { shared } from "../shell/styles.ts";
import { texts } from "../texts/race.ts";
import type { ExploreAnswer } from "../worker/race-protocol.ts";

export interface ExploreSettings {
  readonly strategy: string;
  readonly seed: number;
  readonly bound: number;
  readonly seconds: number;
}

type Strategy = keyof typeof texts.strategies;

class ExplorePanel extends LitElement {
  static override properties = {
    progress: { attribute: false },
    answer: { attribute: false },
    isRunning: { attribute: false },
    settings: { state: true },
  };
  declare progress: Progress | undefined;
  declare answer: ExploreAnswer | undefined;
  declare isRunning: boolean;
  declare settings: ExploreSettings;

  static override styles = [
    shared,
    css`
      :host {
        display: block;
      }
      form.row {
        align-items: end;
        margin-bottom: var(--vx-space-3);
      }
      label {
        display: grid;
        font-size: var(--vx-size-small);
      }
      input {
        width: 6rem;
      }
      .progress {
        font-family: var(--vx-mono);
        font-size: var(--vx-size-small);
        min-height: 1.5em;
      }
      .verdict {
        border: 2px solid var(--vx-line-strong);
        border-left-width: 8px;
        border-radius: var(--vx-radius);
        padding: var(--vx-space-3) var(--vx-space-4);
      }
      .verdict h2 {
        margin-bottom: var(--vx-space-1);
      }
      .verdict p:last-child {
        margin: 0;
      }
      .clean {
        border-color: var(--vx-good);
        background: var(--vx-good-soft);
      }
      .violation {
        border-color: var(--vx-bad);
        background: var(--vx-bad-soft);
      }
      .budget {
        border-color: var(--vx-warn);
        background: var(--vx-warn-soft);
      }
    `,
  ];

  constructor() {
    super();
    this.progress = undefined;
    this.answer = undefined;
    this.isRunning = false;
    this.settings = { strategy: "exhaustive", seed: 1, bound: 2, seconds: 120 };
  }

  private set(change: Partial<ExploreSettings>): void {
    this.settings = { ...this.settings, ...change };
  }

  private send(name: string, detail?: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  private number(name: "seed" | "bound" | "seconds", min: number, max: number): TemplateResult {
    return html`<label
      >${texts[name]}
      <input
        type="number"
        min=${min}
        max=${max}
        .value=${String(this.settings[name])}
        @change=${(event: Event) => {
          const value = Math.round(Number((event.target as HTMLInputElement).value));
          this.set({ [name]: Math.min(max, Math.max(min, Number.isFinite(value) ? value : min)) });
        }}
      />
    </label>`;
  }

  private renderFound(found: Found): TemplateResult {
    const title = { clean: `✓ ${texts.proved}`, violation: `✗ ${texts.found}`, budget: `? ${texts.budget}` }[
      found.verdict
    ];
    return html`<div class="verdict ${found.verdict}">
      <h2>${title}: ${found.sentence}</h2>
      ${found.proves ? html`<p>${texts.proves} ${found.proves}.</p>` : nothing}
      ${
        found.violation
          ? html`<p><strong>${texts.brokenTitle(found.violation.invariant)}.</strong> ${found.violation.message}.</p>
              <p>
                <button class="primary" @click=${() => this.send("vx-watch", found.schedule)}>
                  ${texts.watchFound(found.violation.steps)}
                </button>
              </p>`
          : nothing
      }
    </div>`;
  }

  private renderAnswer(answer: ExploreAnswer): TemplateResult {
    if (answer.kind === "found") return this.renderFound(answer.found);
    return html`<p>${answer.kind === "cancelled" ? texts.cancelled : answer.problem}</p>`;
  }

  override render(): TemplateResult {
    const { settings, isRunning, progress, answer } = this;
    const { strategy } = settings;
    return html`
      <form
        class="row"
        @submit=${(event: Event) => {
          event.preventDefault();
          this.send(isRunning ? "vx-cancel" : "vx-explore", settings);
        }}
      >
        <label
          >${texts.strategy}
          <select ?disabled=${isRunning} @change=${(e: Event) => this.set({ strategy: (e.target as HTMLSelectElement).value })}>
            ${(Object.keys(texts.strategies) as Strategy[]).map(
              (name) => html`<option value=${name} ?selected=${name === strategy}>${texts.strategies[name]}</option>`,
            )}
          </select>
        </label>
        ${strategy === "bounded" || strategy === "pct" ? this.number("bound", 0, 20) : nothing}
        ${strategy === "random" || strategy === "pct" ? this.number("seed", 0, 0x7fff_ffff) : nothing}
        ${this.number("seconds", 1, 3600)}
        <button class="primary">${isRunning ? texts.cancel : texts.start}</button>
      </form>
      <p class="progress">${progress ? texts.progress(progress) : isRunning ? `${texts.exploring} ...` : ""}</p>
      <div aria-live="polite">${answer && !isRunning ? this.renderAnswer(answer) : nothing}</div>
    `;
  }
}

customElements.define("vx-explore-panel", ExplorePanel);
