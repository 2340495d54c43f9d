/**
 * The steps of a film as a table: a column for each actor that takes part, time downwards, what changed beside each step. The table is the
 * picture: cards on lifelines for the eye, rows and columns for a screen reader.
 */
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { StoryStep } from "../../lib/explore/report/taken-step.ts";
import type { Frame } from "../../lib/film/frame.ts";
import { shared } from "../shell/styles.ts";
import { texts } from "../texts/race.ts";
import { lanesStyles } from "./lanes-styles.ts";

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

  static override styles = [shared, lanesStyles];

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
