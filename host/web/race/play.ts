/** Playing the scheduler: one button for each actor, what it would do next or why it cannot, and what has come of it so far. */
import { css, html, nothing, type TemplateResult } from "lit";
import type { Frame, Lane } from "../../lib/film/frame.ts";
import { texts } from "../texts/race.ts";

export const playStyles = css`
  .moves {
    display: grid;
    gap: var(--vx-space-1);
    margin: var(--vx-space-1) 0 var(--vx-space-2);
  }
  .moves button {
    display: grid;
    grid-template-columns: 1.75rem 1fr;
    text-align: left;
    white-space: normal;
    align-items: start;
    border: 1px solid var(--colour);
    border-left-width: 6px;
    padding: 0.25rem 0.5rem;
    line-height: 1.3;
  }
  /* Not :disabled, which loses the focus and says nothing: it is told why. */
  .moves button[aria-disabled="true"] {
    cursor: default;
    border-style: dashed;
    background: none;
    color: var(--vx-text-soft);
  }
  .moves kbd {
    border: 1px solid var(--vx-line-strong);
    border-radius: 4px;
    padding: 0 0.3em;
    text-align: center;
    height: 1.5em;
    width: 1.5em;
  }
  .moves small {
    display: block;
    font-size: var(--vx-size-small);
  }
  .end {
    border: 2px solid var(--vx-bad);
    border-left-width: 8px;
    background: var(--vx-bad-soft);
    border-radius: var(--vx-radius);
    padding: var(--vx-space-2) var(--vx-space-3);
    margin-bottom: var(--vx-space-2);
  }
  .end.clean {
    border-color: var(--vx-good);
    background: var(--vx-good-soft);
  }
  .end p {
    margin-bottom: var(--vx-space-2);
  }
`;

export interface Play {
  readonly frame: Frame;
  /** The variant on stage is one that holds. */
  readonly isFixed: boolean;
  /** There is another variant that holds. */
  readonly hasFix: boolean;
  choose(actor: number): void;
  undo(): void;
  restart(): void;
  runOn(): void;
  tryFix(isSameOrder: boolean): void;
  prove(): void;
}

const COLOURS = 6;

function renderMove(lane: Lane, play: Play): TemplateResult {
  const canMove = lane.status === "runnable" && play.frame.verdict.kind === "open";
  return html`<button
    style="--colour:var(--vx-c${(lane.actor % COLOURS) + 1})"
    aria-disabled=${!canMove}
    aria-keyshortcuts=${lane.actor < 9 ? String(lane.actor + 1) : nothing}
    data-actor=${lane.name}
    @click=${() => (canMove ? play.choose(lane.actor) : undefined)}
  >
    <kbd aria-hidden="true">${lane.actor < 9 ? lane.actor + 1 : ""}</kbd>
    <span>
      <strong>${lane.name}</strong>
      <small>${lane.text}</small>
    </span>
  </button>`;
}

/** Messages of the explorer are pieces of sentences. */
const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

function renderEnd(play: Play): TemplateResult | typeof nothing {
  const { verdict, number, sameAs } = play.frame;
  if (verdict.kind === "open")
    return sameAs === undefined ? nothing : html`<p class="notice">↻ ${texts.round(sameAs)}</p>`;
  if (verdict.kind === "clean")
    return html`<div class="end clean">
      <p><strong>✓ ${texts.clean}</strong></p>
      ${play.isFixed ? html`<button class="primary" @click=${play.prove}>${texts.proveFix}</button>` : html`<p>${texts.cleanPlay}</p>`}
    </div>`;
  return html`<div class="end">
    <p><strong>✗ ${texts.youBroke(number)}</strong></p>
    <p>${sentence(verdict.message)}</p>
    ${verdict.rule === undefined ? nothing : html`<p><small>${texts.rule} (${verdict.invariant}): ${verdict.rule}.</small></p>`}
    ${
      play.hasFix
        ? html`<div class="row">
            <button class="primary" @click=${() => play.tryFix(true)}>${texts.tryFix}</button>
            <button @click=${() => play.tryFix(false)}>${texts.playFix}</button>
            <button @click=${play.prove}>${texts.proveFix}</button>
          </div>`
        : nothing
    }
  </div>`;
}

export function renderPlay(play: Play): TemplateResult {
  const { frame } = play;
  return html`<section aria-label=${texts.modes.play}>
    <div aria-live="assertive">${renderEnd(play)}</div>
    ${
      frame.verdict.kind === "open"
        ? html`<h3>${texts.choose}</h3>
            <div class="moves">${frame.lanes.map((lane) => renderMove(lane, play))}</div>`
        : nothing
    }
    <div class="row">
      <button ?disabled=${frame.number === 0} title=${texts.undoKey} @click=${play.undo}>${texts.undo}</button>
      <button ?disabled=${frame.number === 0} @click=${play.restart}>${texts.restart}</button>
      <button ?disabled=${frame.verdict.kind !== "open"} @click=${play.runOn}>${texts.runOn}</button>
    </div>
  </section>`;
}
