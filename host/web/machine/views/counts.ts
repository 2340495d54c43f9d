/** Exact counts, and what they would cost on a real machine by the declared model. */
import { css, html, type TemplateResult } from "lit";
import { shared } from "../../shell/styles.ts";
import { texts } from "../../texts/machine.ts";
import type { Counts } from "../../worker/look/counts.ts";
import type { MachineController } from "../controller.ts";
import { count } from "../format.ts";
import { MachineView } from "../view.ts";

class CountsView extends MachineView<Counts> {
  static override properties = { ...MachineView.properties, scale: { type: Number } };
  /** Cycles that the longest bar stands for, at least: of the machine beside this one. */
  declare scale: number;
  static override styles = [
    shared,
    css`
      .columns {
        display: flex;
        flex-wrap: wrap;
        gap: var(--vx-space-4) var(--vx-space-6);
        align-items: start;
      }
      .bar {
        display: inline-block;
        height: 0.75rem;
        min-width: 2px;
        background: var(--vx-c1);
        border-radius: 2px;
        vertical-align: middle;
      }
      .bars {
        width: 8rem;
      }
    `,
  ];

  protected override async look(controller: MachineController): Promise<Counts | undefined> {
    const counts = await controller.ask((s) => s.counts());
    const most = Math.max(0, ...(counts?.cost.lines ?? []).map((l) => l.total));
    this.dispatchEvent(new CustomEvent("vx-cost", { detail: { controller, most }, bubbles: true, composed: true }));
    return counts;
  }

  private renderList(title: string, values: Readonly<Record<string, number>>): TemplateResult {
    const rows = Object.entries(values).filter(([, n]) => n > 0);
    return html`<table>
      <caption>${title}</caption>
      <thead><tr><th scope="col">${texts.counts.what}</th><th scope="col" class="number">${texts.counts.count}</th></tr></thead>
      <tbody>${rows.map(([name, n]) => html`<tr><td class="mono">${name}</td><td class="number">${count(n)}</td></tr>`)}</tbody>
    </table>`;
  }

  protected override renderData({ stats, cost, meaning, stateHash, traceHash }: Counts): TemplateResult {
    const t = texts.counts;
    const most = Math.max(1, this.scale || 0, ...cost.lines.map((l) => l.total));
    return html`<div class="columns">
      <table>
        <caption>${t.cost(count(cost.total))}</caption>
        <thead><tr>${t.costColumns.map((c, i) => html`<th scope="col" class=${i > 0 && i < 4 ? "number" : ""}>${c}</th>`)}</tr></thead>
        <tbody>
          ${cost.lines.map(
            (
              l,
            ) => html`<tr title=${meaning[l.event] ?? ""}><td class="mono">${l.event}</td><td class="number">${count(l.count)}</td>
              <td class="number">${count(l.cycles)}</td><td class="number">${count(l.total)}</td>
              <td class="bars"><span class="bar" style="width:${(l.total / most) * 100}%"></span></td></tr>`,
          )}
        </tbody>
      </table>
      ${this.renderList(t.exits, stats.exits)} ${this.renderList(t.counters, stats.counters)}
      </div>
      <p class="soft">${t.hashes} <span class="mono">${stateHash}</span>, <span class="mono">${traceHash}</span></p>`;
  }
}

customElements.define("vx-counts", CountsView);
