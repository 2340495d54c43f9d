/** Knobs and eras: what may be chosen, what is chosen, and a second machine beside this one that differs in one knob. */
import { css, html, LitElement, type TemplateResult } from "lit";
import {
  BUILT_ERAS,
  type EraName,
  eraKnobs,
  formatKnob,
  KNOBS,
  type Knob,
  type KnobValues,
} from "../../../lib/knobs.ts";
import { shared } from "../../shell/styles.ts";
import { texts } from "../../texts/machine.ts";

/** What "apply" and "beside" tell the page. */
export interface KnobChoice {
  readonly era: EraName;
  readonly knobs: KnobValues;
}

class KnobsView extends LitElement {
  static override properties = {
    era: { attribute: false },
    knobs: { attribute: false },
    versus: { attribute: false },
    draft: { state: true },
    filter: { state: true },
  };
  declare era: EraName;
  declare knobs: KnobValues;
  declare versus: { readonly knob: string; readonly value: number } | undefined;
  declare draft: Record<string, number>;
  declare filter: string;
  static override styles = [
    shared,
    css`
      .bar {
        position: sticky;
        top: 0;
        background: var(--vx-surface);
        padding-bottom: var(--vx-space-2);
        z-index: 1;
      }
      table {
        width: 100%;
      }
      td select,
      td input {
        min-height: 1.625rem;
        padding: 0 0.25rem;
        width: 9rem;
      }
      td button {
        min-height: 1.625rem;
        padding: 0 0.5rem;
      }
      .changed th {
        color: var(--vx-accent);
      }
      .changed th::after {
        content: " *";
      }
      .text {
        font-size: var(--vx-size-small);
        line-height: 1.35;
      }
    `,
  ];

  constructor() {
    super();
    this.era = "4.17";
    this.knobs = {};
    this.draft = {};
    this.filter = "";
  }

  override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (changed.has("knobs") || changed.has("era")) this.draft = { ...this.knobs };
  }

  private currentOf(knob: Knob): number {
    return this.draft[knob.name] ?? eraKnobs(this.era)[knob.name]!;
  }

  private choose(knob: Knob, value: number): void {
    const rest = Object.fromEntries(Object.entries(this.draft).filter(([name]) => name !== knob.name));
    this.draft = eraKnobs(this.era)[knob.name] === value ? rest : { ...rest, [knob.name]: value };
  }

  private announce(name: "vx-knobs" | "vx-versus", detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  private renderControl(knob: Knob): TemplateResult {
    const value = this.currentOf(knob);
    if (knob.values)
      return html`<select aria-label=${knob.name} @change=${(e: Event) => this.choose(knob, Number((e.target as HTMLSelectElement).value))}>
        ${Object.entries(knob.values).map(([word, n]) => html`<option value=${n} ?selected=${n === value}>${word}</option>`)}
      </select>`;
    return html`<input type="number" aria-label=${knob.name} min=${knob.min ?? 0} max=${knob.max ?? 0x7fff_ffff} .value=${String(value)}
      @change=${(e: Event) => this.choose(knob, Number((e.target as HTMLInputElement).value))} />`;
  }

  private renderKnob(knob: Knob): TemplateResult {
    const isChanged = this.draft[knob.name] !== undefined;
    const applied = this.knobs[knob.name] ?? eraKnobs(this.era)[knob.name]!;
    const isDraft = this.currentOf(knob) !== applied;
    return html`<tr class=${isChanged ? "changed" : ""}>
      <th scope="row" class="mono">${knob.name}</th>
      <td>${this.renderControl(knob)}</td>
      <td class="text">${knob.text}</td>
      <td><button ?disabled=${!isDraft} aria-label=${texts.knobs.besideLabel(knob.name)} @click=${() =>
        this.announce("vx-versus", {
          knob: knob.name,
          value: this.currentOf(knob),
        })}>${texts.knobs.beside}</button></td>
    </tr>`;
  }

  override render(): TemplateResult {
    const t = texts.knobs;
    const word = this.filter.toLowerCase();
    const shown = KNOBS.filter((k) => `${k.name} ${k.text}`.toLowerCase().includes(word));
    return html`<div class="row bar">
        <label>${t.era} <select @change=${(e: Event) => {
          this.era = (e.target as HTMLSelectElement).value as EraName;
        }}>${BUILT_ERAS.map((era) => html`<option ?selected=${era === this.era}>${era}</option>`)}</select></label>
        <label>${t.filter} <input type="search" .value=${this.filter} @input=${(e: Event) => {
          this.filter = (e.target as HTMLInputElement).value;
        }} /></label>
        <button class="primary" @click=${() => this.announce("vx-knobs", { era: this.era, knobs: this.draft } satisfies KnobChoice)}>${t.apply}</button>
        <button @click=${() => {
          this.draft = {};
        }}>${t.reset}</button>
        ${this.versus ? html`<button @click=${() => this.announce("vx-versus", undefined)}>${t.alone}</button>` : ""}
      </div>
      <p class="soft">${t.help}</p>
      ${this.versus ? html`<p><b>${t.besideNow(this.versus.knob, formatKnob(KNOBS.find((k) => k.name === this.versus!.knob)!, this.versus.value))}</b></p>` : ""}
      <table>
        <thead><tr>${t.columns.map((c) => html`<th scope="col">${c}</th>`)}</tr></thead>
        <tbody>${shown.map((k) => this.renderKnob(k))}</tbody>
      </table>
      ${shown.length === 0 ? html`<p>${t.nothing}</p>` : ""}`;
  }
}

customElements.define("vx-knobs", KnobsView);
