/** One EPT entry bit by bit. */
import { css, html, type SVGTemplateResult, svg, type TemplateResult } from "lit";
import { type EpteField, epteFields } from "../../model/epte-fields.ts";
import { LEVEL_NAMES } from "../../model/p2m-address.ts";
import { shared } from "../../shell/styles.ts";
import { texts } from "../../texts/machine.ts";
import type { WalkLook } from "../../worker/look/p2m.ts";
import type { MachineController } from "../controller.ts";
import { hex } from "../format.ts";
import { MachineView } from "../view.ts";

const BIT = 22;
const PER_ROW = 32;
const ROW = 74;

class P2mEntryView extends MachineView<WalkLook> {
  static override properties = { ...MachineView.properties, gpa: { type: Number }, level: { state: true } };
  declare gpa: number;
  /** Undefined: the last entry of the walk. */
  declare level: number | undefined;
  static override styles = [
    shared,
    css`
      svg {
        display: block;
        width: 100%;
        max-width: 54rem;
        height: auto;
        margin: var(--vx-space-2) 0;
      }
      text {
        fill: var(--vx-text);
        font: 13px var(--vx-mono);
        text-anchor: middle;
      }
      .number {
        fill: var(--vx-text-soft);
        font-size: 9px;
      }
      .name {
        font: 600 11px var(--vx-font);
      }
    `,
  ];

  override willUpdate(changed: Map<PropertyKey, unknown>): void {
    super.willUpdate(changed);
    if (changed.has("gpa")) void this.refresh();
  }

  protected override look(controller: MachineController): Promise<WalkLook | undefined> {
    return controller.ask((s) => s.walk(this.gpa));
  }

  /** The part of a field in one row of 32 bits. */
  private renderField(field: EpteField, entry: bigint, row: number): SVGTemplateResult | "" {
    const top = 63 - row * PER_ROW;
    const high = Math.min(field.high, top);
    const low = Math.max(field.low, top - PER_ROW + 1);
    if (high < low) return "";
    const x = (top - high) * BIT;
    const width = (high - low + 1) * BIT;
    const bits = Array.from({ length: high - low + 1 }, (_, i) => high - i);
    return svg`<g transform="translate(${x} ${row * ROW})">
      ${bits.map((bit, i) => {
        const isSet = ((entry >> BigInt(bit)) & 1n) === 1n;
        return svg`<g><text class="number" x=${i * BIT + BIT / 2} y="9">${bit}</text>
          <rect x=${i * BIT + 1} y="13" width=${BIT - 2} height="22" style=${isSet ? "fill:var(--vx-accent)" : "fill:var(--vx-raised)"}></rect>
          <text x=${i * BIT + BIT / 2} y="29" style=${isSet ? "fill:var(--vx-on-accent);font-weight:700" : ""}>${isSet ? 1 : 0}</text></g>`;
      })}
      <path d="M2 38V41H${width - 2}V38" fill="none" style="stroke:var(--vx-line-strong)"></path>
      <text class="name" x=${width / 2} y=${width < 3 * BIT && high % 2 === 0 ? 66 : 53}>${field.name}</text>
    </g>`;
  }

  protected override renderData(walk: WalkLook): TemplateResult {
    const step = walk.steps.find((s) => s.level === this.level) ?? walk.steps.at(-1);
    if (!step) return html`<p class="soft">${texts.nothingYet}</p>`;
    const fields = epteFields(step.entry, step.level);
    return html`<div class="row" role="group" aria-label=${texts.entry.choose}>
        ${walk.steps.map(
          (s) =>
            html`<button aria-pressed=${s === step} @click=${() => {
              this.level = s.level;
            }}>${texts.tree.level(s.level)} ${LEVEL_NAMES[s.level]}</button>`,
        )}
        <span class="mono">${hex(walk.gpa)}: ${texts.entry.place(hex(step.tableMfn), step.index)} = ${hex(step.entry)}</span>
      </div>
      <svg viewBox="0 0 ${PER_ROW * BIT} ${2 * ROW}" role="img" aria-label=${texts.entry.picture(hex(step.entry))} data-export>
        ${[0, 1].map((row) => fields.map((f) => this.renderField(f, step.entry, row)))}
      </svg>
      <table>
        <caption>${texts.entry.caption}</caption>
        <thead><tr>${texts.entry.columns.map((c) => html`<th scope="col">${c}</th>`)}</tr></thead>
        <tbody>
          ${fields.map(
            (
              f,
            ) => html`<tr><th scope="row">${f.name}</th><td class="mono">${f.high === f.low ? f.high : `${f.high}:${f.low}`}</td>
              <td class="mono">${hex(f.value)}</td><td>${f.meaning}</td></tr>`,
          )}
        </tbody>
      </table>`;
  }
}

customElements.define("vx-p2m-entry", P2mEntryView);
