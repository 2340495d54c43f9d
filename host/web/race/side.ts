/** Beside the lanes: the state after the step as a table, and who could go on or why not. */
import { css, html, nothing, type TemplateResult } from "lit";
import type { Frame, Lane } from "../../lib/film/frame.ts";
import { texts } from "../texts/race.ts";

export const sideStyles = css`
  .side table {
    width: 100%;
  }
  .side td {
    overflow-wrap: anywhere;
  }
  .side tr.changed > * {
    background: var(--vx-warn-soft);
    font-weight: 600;
  }
  .side .was {
    color: var(--vx-text-soft);
    font-weight: 400;
    text-decoration: line-through;
  }
  .source {
    font-size: var(--vx-size-small);
    overflow-wrap: anywhere;
    margin: var(--vx-space-2) 0 0;
  }
  .who {
    list-style: none;
    margin: 0;
    padding: 0;
    font-size: var(--vx-size-small);
    display: grid;
    gap: var(--vx-space-1);
  }
  .who li {
    display: grid;
    grid-template-columns: 1.25rem 1fr;
  }
  .mark {
    font-weight: 700;
  }
  .runnable .mark {
    color: var(--vx-good);
  }
  .blocked .mark {
    color: var(--vx-bad);
  }
`;

const MARKS: Readonly<Record<Lane["status"], string>> = { runnable: "▶", blocked: "■", idle: "·" };

export function renderState(frame: Frame): TemplateResult {
  return html`<table>
    <caption>
      ${texts.stateAfter(frame.number)}
    </caption>
    <thead class="only-read">
      <tr>
        <th scope="col">${texts.fact}</th>
        <th scope="col">${texts.value}</th>
      </tr>
    </thead>
    <tbody>
      ${frame.state.map(
        (row) =>
          html`<tr class=${row.was === undefined ? "" : "changed"}>
            <th scope="row">${row.name}</th>
            <td>
              ${row.value}
              ${row.was === undefined ? nothing : html`<span class="was"><span class="only-read">${texts.was} </span>${row.was}</span>`}
            </td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** Where the window of the step is in the source. */
export function renderSource(frame: Frame): TemplateResult | typeof nothing {
  const { step } = frame;
  if (!step) return nothing;
  return html`<p class="source">
    <code>${step.actor}:${step.place}</code>${step.sites.map((site) => html`<br /><span>${texts.sources}: <code>${site}</code></span>`)}
  </p>`;
}

/** In film mode: nobody chooses, so it is only told. */
export function renderWho(frame: Frame): TemplateResult {
  return html`<h3>${texts.who}</h3>
    <ul class="who">
      ${frame.lanes.map(
        (lane) =>
          html`<li class=${lane.status}>
            <span class="mark" aria-hidden="true">${MARKS[lane.status]}</span>
            <span><strong>${lane.name}</strong> <span class="only-read">${texts[lane.status]}: </span>${lane.text}</span>
          </li>`,
      )}
    </ul>`;
}
