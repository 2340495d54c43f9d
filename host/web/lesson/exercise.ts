/** An exercise: the task, a field for the answer, hints one by one, and what the check on a real machine said. */
import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import type { Exercise } from "../../lib/lesson/exercise.ts";
import type { CheckResult } from "../../lib/lesson/run-checks.ts";
import { shared } from "../shell/styles.ts";
import { texts } from "../texts/lesson.ts";

export type Checked = { readonly ok: boolean; readonly result?: CheckResult; readonly problem?: string };

class ExerciseView extends LitElement {
  static override properties = {
    exercise: { attribute: false },
    number: { type: Number },
    answer: { attribute: false },
    isSolved: { attribute: false },
    check: { attribute: false },
    checked: { state: true },
    isChecking: { state: true },
    hints: { state: true },
  };
  declare exercise: Exercise;
  declare number: number;
  declare answer: string;
  declare isSolved: boolean;
  /** Tries an answer on a machine. */
  declare check: (answer: string) => Promise<Checked>;
  declare checked: Checked | undefined;
  declare isChecking: boolean;
  /** How many hints are shown. */
  declare hints: number;

  static override styles = [
    shared,
    css`
      :host {
        display: block;
        border: 1px solid var(--vx-line-strong);
        border-left: 8px solid var(--vx-accent);
        border-radius: var(--vx-radius);
        background: var(--vx-surface);
        padding: var(--vx-space-3) var(--vx-space-4);
        margin: 0 0 var(--vx-space-4);
      }
      :host([solved]) {
        border-left-color: var(--vx-good);
      }
      label {
        display: block;
        font-size: var(--vx-size-small);
      }
      input {
        flex: 1 1 12rem;
        font-family: var(--vx-mono);
        min-width: 0;
      }
      .result {
        margin: var(--vx-space-2) 0 0;
        padding: var(--vx-space-2) var(--vx-space-3);
        border-radius: var(--vx-radius);
        background: var(--vx-warn-soft);
      }
      .result.ok {
        background: var(--vx-good-soft);
      }
      ul {
        margin: var(--vx-space-2) 0 0;
        padding-left: 1.2rem;
      }
    `,
  ];

  constructor() {
    super();
    this.answer = "";
    this.isSolved = false;
    this.isChecking = false;
    this.hints = 0;
  }

  protected override updated(): void {
    this.toggleAttribute("solved", this.isSolved);
  }

  private type(event: Event): void {
    this.answer = (event.target as HTMLInputElement).value;
    this.checked = undefined;
    this.dispatchEvent(new CustomEvent<string>("vx-answer", { detail: this.answer }));
  }

  private async submit(event: Event): Promise<void> {
    event.preventDefault();
    if (this.isChecking) return;
    this.isChecking = true;
    this.checked = await this.check(this.answer);
    this.isChecking = false;
    if (this.checked.ok) this.dispatchEvent(new CustomEvent("vx-solved"));
  }

  private renderChecked(checked: Checked): TemplateResult {
    if (checked.ok) return html`<p class="result ok"><strong>✓ ${texts.right}</strong> ${this.exercise.why}</p>`;
    const wrong = checked.result?.lines.find((line) => !line.ok);
    const why = checked.problem ?? wrong?.problem;
    return html`<div class="result">
      <strong>✗ ${texts.wrong}</strong>
      ${why ?? (wrong ? html`<code>${wrong.text}</code>: ${texts.it(wrong.is ?? "")}.` : nothing)}
    </div>`;
  }

  override render(): TemplateResult {
    const { exercise, hints } = this;
    const { answer: kind } = exercise;
    return html`<form @submit=${this.submit}>
      <p><strong>${this.isSolved ? "✓ " : ""}${texts.exercise} ${this.number + 1}.</strong> ${exercise.task}</p>
      <label for="answer">${texts.answers[kind]}${kind === "moves" ? html` <span class="soft">${texts.fromStage}</span>` : nothing}</label>
      <div class="row">
        <input
          id="answer"
          autocomplete="off"
          spellcheck="false"
          placeholder=${texts.placeholders[kind]}
          .value=${this.answer}
          @input=${this.type}
        />
        <button class="primary" ?disabled=${this.isChecking}>${this.isChecking ? texts.running : texts.check}</button>
        ${
          hints < exercise.hints.length
            ? html`<button
                type="button"
                @click=${() => {
                  this.hints++;
                }}
              >
                ${hints === 0 ? texts.hint : texts.moreHints}
              </button>`
            : nothing
        }
      </div>
      ${hints > 0 ? html`<ul>${exercise.hints.slice(0, hints).map((hint) => html`<li>${texts.hintLabel}: ${hint}</li>`)}</ul>` : nothing}
      <div aria-live="polite">${this.checked ? this.renderChecked(this.checked) : nothing}</div>
    </form>`;
  }
}

customElements.define("vx-exercise", ExerciseView);
