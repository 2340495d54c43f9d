/** The p2m as a map of the whole guest: every range of guest-physical memory, holes included. */
import { css, html, type SVGTemplateResult, svg, type TemplateResult } from "lit";
import { type MapRow, mapRows } from "../../model/p2m-rows.ts";
import { p2mStyle } from "../../model/p2m-style.ts";
import { shared } from "../../shell/styles.ts";
import { texts } from "../../texts/machine.ts";
import type { P2mLook } from "../../worker/look/p2m.ts";
import type { MachineController } from "../controller.ts";
import { hex, sizeText } from "../format.ts";
import { p2mDefs, p2mFill } from "../patterns.ts";
import { MachineView } from "../view.ts";

const WIDTH = 760;
const LABEL = 112;
const BAR = 26;
const ROW = 36;
/** A click in a table of this many rows still finds its line. */
const MOST_ROWS = 400;

class P2mMapView extends MachineView<P2mLook> {
  static override styles = [
    shared,
    css`
      svg {
        display: block;
        width: 100%;
        height: auto;
        max-width: 64rem;
      }
      .segment {
        cursor: pointer;
      }
      .segment:focus-visible {
        outline: none;
      }
      .segment:focus-visible rect {
        stroke: var(--vx-focus);
        stroke-width: 3;
      }
      text {
        fill: var(--vx-text);
        font: 12px var(--vx-font);
      }
      .address {
        font-family: var(--vx-mono);
      }
      .note {
        fill: var(--vx-text-soft);
      }
      .legend {
        display: flex;
        flex-wrap: wrap;
        gap: var(--vx-space-1) var(--vx-space-4);
        margin: var(--vx-space-2) 0;
        padding: 0;
        list-style: none;
        font-size: var(--vx-size-small);
      }
      .legend li {
        display: flex;
        align-items: center;
        gap: var(--vx-space-1);
      }
      .legend svg {
        width: 20px;
        height: 16px;
      }
    `,
  ];

  protected override look(controller: MachineController): Promise<P2mLook | undefined> {
    return controller.ask((s) => s.p2m());
  }

  private choose(gfn: number): void {
    this.dispatchEvent(new CustomEvent("vx-gpa", { detail: gfn * 4096, bubbles: true, composed: true }));
  }

  private key(event: KeyboardEvent, gfn: number): void {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    this.choose(gfn);
  }

  private renderRow(row: MapRow, i: number): SVGTemplateResult {
    const y = i * ROW;
    if (row.kind === "hole")
      return svg`<g transform="translate(0 ${y})">
        <text class="note" x=${LABEL} y=${BAR / 2 + 4}>${texts.map.hole(sizeText(row.pages * 4096))}</text>
        <line x1=${LABEL - 12} x2=${LABEL - 12} y1="2" y2=${BAR - 2} style="stroke:var(--vx-line-strong);stroke-width:2;stroke-dasharray:2 4"></line>
      </g>`;
    const room = WIDTH - LABEL - 90;
    return svg`<g transform="translate(0 ${y})">
      <text class="address" x=${LABEL - 12} y=${BAR / 2 + 4} text-anchor="end">${hex(row.gfn * 4096)}</text>
      ${row.segments.map((s) => {
        const [x, width] = [LABEL + s.from * room, Math.max(2, (s.to - s.from) * room - 1)];
        const name = texts.map.range(
          hex(s.range.gfn),
          hex(s.range.gfn + s.range.pages - 1),
          s.range.type,
          s.range.rights,
          s.range.pageSize,
        );
        return svg`<g class="segment" tabindex="0" role="button" aria-label=${name}
            @click=${() => this.choose(s.range.gfn)}
            @keydown=${(e: KeyboardEvent) => this.key(e, s.range.gfn)}>
          <title>${name}</title>
          <rect x=${x} y="0" width=${width} height=${BAR} rx="2" fill=${p2mFill(s.range.type)}
            style=${s.range.isPending ? "stroke:var(--vx-warn);stroke-width:3;stroke-dasharray:5 3" : "stroke:var(--vx-surface);stroke-width:1"}></rect>
          ${width > 16 ? svg`<g><rect x=${x + 3} y="5" width="14" height="16" rx="2" style="fill:var(--vx-surface)"></rect><text x=${x + 10} y="17" text-anchor="middle" style="font-weight:700">${p2mStyle(s.range.type).letter}</text></g>` : ""}
        </g>`;
      })}
      <text class="note" x=${LABEL + row.width * room + 8} y=${BAR / 2 + 4}>${sizeText(row.pages * 4096)}</text>
    </g>`;
  }

  protected override renderData({ map }: P2mLook): TemplateResult {
    const rows = mapRows(map.ranges);
    const types = Object.keys(map.pages).sort();
    return html`
      <p>${texts.map.summary(map.entries, map.tables, map.pendingPages)}</p>
      <ul class="legend" aria-label=${texts.map.legend}>
        ${types.map(
          (
            type,
          ) => html`<li><svg viewBox="0 0 20 16" aria-hidden="true">${p2mDefs([type])}<rect width="20" height="16" rx="2" fill=${p2mFill(type)}></rect></svg>
            <b class="mono">${p2mStyle(type).letter}</b> ${type}: ${texts.map.pages(map.pages[type]!)}</li>`,
        )}
      </ul>
      <svg viewBox="0 0 ${WIDTH} ${rows.length * ROW}" role="group" aria-label=${texts.views.map.title} data-export>
        ${p2mDefs(types)}${rows.map((row, i) => this.renderRow(row, i))}
      </svg>
      <details>
        <summary>${texts.asTable}</summary>
        <div class="scroll" tabindex="0" role="region" aria-label=${texts.views.map.title}>
          <table>
            <thead><tr>${texts.map.columns.map((c) => html`<th scope="col">${c}</th>`)}</tr></thead>
            <tbody>
              ${map.ranges.slice(0, MOST_ROWS).map(
                (r) => html`<tr class="mono">
                  <td>${hex(r.gfn)}-${hex(r.gfn + r.pages - 1)}</td><td>${sizeText(r.pages * 4096)}</td><td>${r.pageSize}</td>
                  <td>${p2mStyle(r.type).letter} ${r.type}</td><td>${r.access}</td><td>${r.rights}</td><td>${r.memoryType}</td>
                  <td>${r.mfn < 0 ? "-" : hex(r.mfn)}</td><td>${r.isPending ? texts.map.pending : ""}</td>
                </tr>`,
              )}
            </tbody>
          </table>
        </div>
      </details>`;
  }
}

customElements.define("vx-p2m-map", P2mMapView);
