/** The TLB of each vCPU: its places as a picture, its entries as a table, stale ones marked. */
import { css, html, svg, type TemplateResult } from "lit";
import { shared } from "../../shell/styles.ts";
import { texts } from "../../texts/machine.ts";
import type { TlbLook, TlbRow } from "../../worker/look/tlb.ts";
import type { MachineController } from "../controller.ts";
import { hex } from "../format.ts";
import { MachineView } from "../view.ts";

const CELL = 12;
const ACROSS = 64;

class TlbView extends MachineView<TlbLook[]> {
  static override styles = [
    shared,
    css`
      svg {
        display: block;
        width: 100%;
        max-width: 50rem;
        height: auto;
        margin: var(--vx-space-1) 0 var(--vx-space-3);
      }
      section + section {
        margin-top: var(--vx-space-4);
      }
      .stale td {
        background: var(--vx-bad-soft);
      }
      .stale td:last-child {
        font-weight: 600;
        color: var(--vx-bad);
      }
    `,
  ];

  protected override look(controller: MachineController): Promise<TlbLook[] | undefined> {
    return controller.ask((s) => s.tlbs());
  }

  private why(row: TlbRow): string {
    const { staleness: s } = row;
    if (s.kind === "frame") return texts.tlb.otherFrame(hex(s.mfn));
    if (s.kind === "rights") return texts.tlb.fewerRights(s.rights);
    return s.kind === "unmapped" ? texts.tlb.unmapped : texts.tlb.fresh;
  }

  private renderTlb(tlb: TlbLook): TemplateResult {
    const rows = Math.ceil(tlb.size / ACROSS);
    const stale = tlb.entries.filter((e) => e.staleness.kind !== "fresh").length;
    const summary = texts.tlb.summary(tlb.name, tlb.entries.length, tlb.size, stale);
    return html`<section>
      <h3>${summary}</h3>
      <svg viewBox="0 0 ${ACROSS * CELL} ${rows * CELL}" role="img" aria-label=${summary} data-export>
        ${Array.from({ length: tlb.size }, (_, i) => svg`<rect x=${(i % ACROSS) * CELL} y=${Math.floor(i / ACROSS) * CELL} width=${CELL - 2} height=${CELL - 2} rx="2" style="fill:var(--vx-raised);stroke:var(--vx-line)"></rect>`)}
        ${tlb.entries.map((e) => {
          const [x, y] = [(e.index % ACROSS) * CELL, Math.floor(e.index / ACROSS) * CELL];
          const isStale = e.staleness.kind !== "fresh";
          return svg`<g><rect x=${x} y=${y} width=${CELL - 2} height=${CELL - 2} rx="2" style=${isStale ? "fill:var(--vx-bad-soft);stroke:var(--vx-bad);stroke-width:1.5" : "fill:var(--vx-c1)"}></rect>
            ${isStale ? svg`<path d="M${x + 2} ${y + 2}l${CELL - 6} ${CELL - 6}m0 ${6 - CELL}l${6 - CELL} ${CELL - 6}" fill="none" style="stroke:var(--vx-bad);stroke-width:1.5"></path>` : ""}</g>`;
        })}
      </svg>
      ${
        tlb.entries.length === 0
          ? html`<p class="soft">${texts.tlb.empty}</p>`
          : html`<table>
              <thead><tr>${texts.tlb.columns.map((c) => html`<th scope="col">${c}</th>`)}</tr></thead>
              <tbody>
                ${tlb.entries.map(
                  (e) => html`<tr class=${e.staleness.kind === "fresh" ? "" : "stale"}>
                    <td class="mono">${e.index}</td><td class="mono">${hex(e.page)}</td><td class="mono">${hex(e.mfn)}</td>
                    <td class="mono">${e.supervisor}</td><td class="mono">${e.user}</td>
                    <td>${[e.isGlobal ? texts.tlb.global : "", e.isLarge ? texts.tlb.large : "", e.isBus ? texts.tlb.bus : ""].filter(Boolean).join(", ") || "-"}</td>
                    <td>${this.why(e)}</td>
                  </tr>`,
                )}
              </tbody>
            </table>`
      }
    </section>`;
  }

  protected override renderData(tlbs: TlbLook[]): TemplateResult {
    return html`<p class="soft">${texts.tlb.help}</p>${tlbs.map((tlb) => this.renderTlb(tlb))}`;
  }
}

customElements.define("vx-tlb", TlbView);
