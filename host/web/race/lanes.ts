/**
 * The steps of a film as a table: a column for each actor that takes part, time downwards, what changed beside each step. The table is the
 * picture: cards on lifelines for the eye, rows and columns for a screen reader.
 */
import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { StoryStep } from "../../lib/explore/report/taken-step.ts";
import type { Frame } from "../../lib/film/frame.ts";
import { shared } from "../shell/styles.ts";
import { texts } from "../texts/race.ts";

/** Colours for so many actors; beyond that they repeat, and the column tells them apart. */
const COLOURS = 6;
const DROPPED = "DROPPED";

class RaceLanes extends LitElement {
  static override properties = {
    frames: { attribute: false },
    cast: { attribute: false },
    at: { type: Number },
  };
  declare frames: readonly Frame[];
  declare cast: readonly { readonly name: string }[];
  declare at: number;

  static override styles = [
    shared,
    css`
      :host {
        display: block;
        overflow: auto;
        background: var(--vx-surface);
        border: 1px solid var(--vx-line);
        border-radius: var(--vx-radius);
        /* Sticky heads must not hide what has the focus. */
        scroll-padding: 3rem 0 2rem;
      }
      table {
        width: 100%;
        table-layout: fixed;
        border-collapse: separate;
        border-spacing: 0;
        min-width: calc(3rem + var(--actors) * 9rem + 9rem);
      }
      th,
      td {
        border: 0;
        padding: 0.1875rem 0.375rem;
      }
      thead th {
        position: sticky;
        top: 0;
        background: var(--vx-surface);
        z-index: 2;
        padding-block: var(--vx-space-2);
        border-bottom: 1px solid var(--vx-line);
      }
      .n {
        width: 3rem;
        text-align: right;
      }
      .changed {
        width: 23%;
      }
      .chip {
        display: block;
        text-align: center;
        border-radius: var(--vx-radius);
        border: 2px solid var(--colour);
        color: var(--vx-text);
        padding: 0.0625rem 0.5rem;
        overflow: hidden;
        text-overflow: ellipsis;
      }
      td.lane {
        background: linear-gradient(var(--colour), var(--colour)) center / 2px 100% no-repeat;
      }
      .card {
        position: relative;
        padding: 0.1875rem 0.5rem 0.25rem;
        border: 1px solid var(--colour);
        border-left-width: 5px;
        background: var(--vx-surface);
        font-size: var(--vx-size-small);
        line-height: 1.35;
        overflow-wrap: break-word;
      }
      .outcome {
        display: block;
        color: var(--vx-text-soft);
        font-style: italic;
      }
      .outcome::before {
        content: "→ ";
      }
      .loss {
        color: var(--vx-bad);
        font-weight: 700;
        font-style: normal;
      }
      /* Not by opacity: what is to come must be readable as well. */
      tr.future .card,
      tr.future .changed {
        color: var(--vx-text-soft);
      }
      tr.future .card {
        border-style: dashed;
        border-left-style: solid;
      }
      tr.future .loss {
        color: inherit;
        font-weight: 400;
      }
      tr.future .verdict {
        background: none;
        border-style: dashed;
      }
      tr[aria-current] > td,
      tr[aria-current] > th {
        background-color: var(--vx-accent-soft);
      }
      tr[aria-current] .card {
        box-shadow: 0 0 0 2px var(--vx-accent);
      }
      .changed {
        font-size: var(--vx-size-small);
        line-height: 1.35;
      }
      .n button {
        min-height: 1.5rem;
        padding: 0 0.375rem;
        border-color: transparent;
        background: none;
        color: var(--vx-text-soft);
        font-variant-numeric: tabular-nums;
      }
      tr[aria-current] .n button {
        color: var(--vx-text);
        font-weight: 700;
      }
      .broken td {
        padding: var(--vx-space-1) 0.375rem var(--vx-space-2);
      }
      .verdict {
        border: 2px solid var(--vx-bad);
        border-left-width: 8px;
        border-radius: var(--vx-radius);
        background: var(--vx-bad-soft);
        padding: var(--vx-space-2) var(--vx-space-3);
      }
      .verdict.good {
        border-color: var(--vx-good);
        background: var(--vx-good-soft);
      }
      .verdict strong::before {
        content: "✗ ";
      }
      .verdict.good strong::before {
        content: "✓ ";
      }
      .loop td {
        border-top: 2px dashed var(--vx-bad);
        color: var(--vx-bad);
        font-size: var(--vx-size-small);
      }
      @media (max-width: 640px) {
        table,
        tbody {
          display: block;
          min-width: 0;
        }
        thead {
          display: none;
        }
        tr {
          display: grid;
          grid-template-columns: 2.75rem 1fr;
        }
        td.lane.empty {
          display: none;
        }
        td.lane {
          background: none;
        }
        td.lane .actor {
          display: block;
          font-weight: 650;
        }
        td.changed {
          width: auto;
          grid-column: 2;
          color: var(--vx-text-soft);
        }
        .broken td,
        .loop td {
          grid-column: 1 / -1;
        }
      }
      @media (min-width: 641px) {
        .actor {
          display: none;
        }
      }
    `,
  ];

  constructor() {
    super();
    this.frames = [];
    this.cast = [];
    this.at = 0;
  }

  protected override updated(changed: PropertyValues): void {
    if (!changed.has("at") && !changed.has("frames")) return;
    const isEnd = this.at === this.frames.length - 1;
    const row = this.renderRoot.querySelector(isEnd && this.at > 0 ? "tbody tr:last-child" : "tr[aria-current]");
    // Only this box moves, never the page around it.
    if (!row) return;
    const box = this.getBoundingClientRect();
    const { top, bottom } = row.getBoundingClientRect();
    const head = 56;
    if (bottom > box.bottom) this.scrollTop += bottom - box.bottom + 8;
    else if (top < box.top + head) this.scrollTop -= box.top + head - top;
  }

  /** Actors that take a step, in the order of the race; all while nobody has. */
  private get lanes(): readonly { readonly name: string; readonly colour: string }[] {
    const all = this.cast.map(({ name }, i) => ({ name, colour: `var(--vx-c${(i % COLOURS) + 1})` }));
    const moving = all.filter(({ name }) => this.frames.some((frame) => frame.step?.actor === name));
    return moving.length > 0 && this.frames.length > 8 ? moving : all;
  }

  private go(frame: number): void {
    this.dispatchEvent(new CustomEvent<number>("vx-go", { detail: frame, bubbles: true, composed: true }));
  }

  private renderCard(step: StoryStep): TemplateResult {
    return html`<div class="card" title=${[step.place, ...step.sites].join(" ")}>
      <span class="actor">${step.actor}</span>${step.text}
      ${step.outcome.map((text) => html`<span class="outcome ${text.includes(DROPPED) ? "loss" : ""}">${text}</span>`)}
    </div>`;
  }

  private renderRow(frame: Frame): TemplateResult {
    const { number, step } = frame;
    const isHere = number === this.at;
    const first = number === 0 ? frame.state.map(({ name, value }) => `${name} ${value}`) : (step?.changes ?? []);
    return html`<tr class=${number > this.at ? "future" : ""} aria-current=${isHere ? "step" : nothing}>
      <td class="n">
        <button tabindex="-1" aria-label=${texts.goTo(number)} @click=${() => this.go(number)}>${number}</button>
      </td>
      ${this.lanes.map(
        ({ name, colour }) =>
          html`<td class="lane ${step?.actor === name ? "" : "empty"}" style="--colour:${colour}">
            ${step?.actor === name ? this.renderCard(step) : nothing}
          </td>`,
      )}
      <td class="changed">${first.map((text) => html`<div>${text}</div>`)}</td>
    </tr>`;
  }

  private renderVerdict(frame: Frame): TemplateResult | typeof nothing {
    const { verdict, sameAs } = frame;
    const span = this.lanes.length + 2;
    const box = (style: string, title: string, text: string): TemplateResult =>
      html`<tr class=${`broken ${this.at < frame.number ? "future" : ""}`}>
        <td colspan=${span}><div class="verdict ${style}"><strong>${title}</strong> ${text}</div></td>
      </tr>`;
    if (verdict.kind === "violation")
      return box(
        "",
        `${texts.brokenTitle(verdict.invariant)}.`,
        `${verdict.message.charAt(0).toUpperCase()}${verdict.message.slice(1)}.`,
      );
    if (verdict.kind === "clean") return box("good", texts.clean, "");
    return sameAs === undefined
      ? nothing
      : html`<tr class="loop">
          <td colspan=${span}>↻ ${texts.round(sameAs)}</td>
        </tr>`;
  }

  override render(): TemplateResult {
    const { lanes } = this;
    const last = this.frames.at(-1);
    const loopFrom =
      last?.verdict.kind === "violation" && last.verdict.invariant === "livelock" ? last.sameAs : undefined;
    return html`<table style="--actors:${lanes.length}">
      <caption class="only-read">
        ${texts.modeHelp.film}
      </caption>
      <thead>
        <tr>
          <th class="n" scope="col"><span class="only-read">${texts.step}</span></th>
          ${lanes.map(
            ({ name, colour }) =>
              html`<th scope="col" style="--colour:${colour}"><span class="chip">${name}</span></th>`,
          )}
          <th class="changed" scope="col">${texts.changed}</th>
        </tr>
      </thead>
      <tbody>
        ${this.frames.map(
          (frame) =>
            html`${this.renderRow(frame)}${
              frame.number === loopFrom
                ? html`<tr class="loop">
                    <td colspan=${lanes.length + 2}>↻ ${texts.loop}</td>
                  </tr>`
                : nothing
            }`,
        )}
        ${last ? this.renderVerdict(last) : nothing}
      </tbody>
    </table>`;
  }
}

customElements.define("vx-race-lanes", RaceLanes);
