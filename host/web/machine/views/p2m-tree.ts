/** The p2m as its four-level tree along the walk of one address: each table with its 512 entries. */
import { css, html, type SVGTemplateResult, svg, type TemplateResult } from "lit";
import { entryType } from "../../model/epte-fields.ts";
import { LEVEL_NAMES, withIndex } from "../../model/p2m-address.ts";
import { shared } from "../../shell/styles.ts";
import { texts } from "../../texts/machine.ts";
import type { TableLook, WalkLook } from "../../worker/look/p2m.ts";
import type { MachineController } from "../controller.ts";
import { hex } from "../format.ts";
import { p2mDefs, p2mFill } from "../patterns.ts";
import { MachineView } from "../view.ts";

interface TreeData {
  readonly walk: WalkLook;
  readonly tables: readonly TableLook[];
}

const CELL = 8;
const ACROSS = 16;
const DOWN = 32;
const GAP = 62;
const TOP = 40;
const BOTTOM = 42;

class P2mTreeView extends MachineView<TreeData> {
  static override properties = { ...MachineView.properties, gpa: { type: Number } };
  declare gpa: number;
  static override styles = [
    shared,
    css`
      svg {
        display: block;
        width: 100%;
        height: clamp(19rem, 100vh - 24rem, 36rem);
      }
      text {
        fill: var(--vx-text);
        font: 12px var(--vx-font);
      }
      .soft {
        fill: var(--vx-text-soft);
      }
      .mono {
        font-family: var(--vx-mono);
        font-size: 11px;
      }
      .table {
        cursor: pointer;
      }
      .table:focus-visible {
        outline: none;
      }
      .table:focus-visible .frame {
        stroke: var(--vx-focus);
        stroke-width: 3;
      }
      .frame {
        fill: var(--vx-surface);
        stroke: var(--vx-line-strong);
      }
      .end {
        max-width: none;
        font-size: var(--vx-size-small);
        font-weight: 600;
      }
    `,
  ];

  override willUpdate(changed: Map<PropertyKey, unknown>): void {
    super.willUpdate(changed);
    if (changed.has("gpa")) void this.refresh();
  }

  protected override async look(controller: MachineController): Promise<TreeData | undefined> {
    const walk = await controller.ask((s) => s.walk(this.gpa));
    if (!walk) return undefined;
    const tables: TableLook[] = [];
    for (const { tableMfn, level } of walk.steps) {
      const table = await controller.ask((s) => s.table(tableMfn, level));
      if (table) tables.push(table);
    }
    return { walk, tables };
  }

  private choose(level: number, index: number): void {
    const gpa = withIndex(this.gpa, level, index);
    this.dispatchEvent(new CustomEvent("vx-gpa", { detail: gpa, bubbles: true, composed: true }));
  }

  /** Arrow keys go from one entry that holds something to the next. */
  private key(event: KeyboardEvent, table: TableLook, index: number): void {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const used = table.entries.map((e) => e.index);
    const next = step > 0 ? used.find((i) => i > index) : used.findLast((i) => i < index);
    if (next !== undefined) this.choose(table.level, next);
  }

  private renderTable(table: TableLook, i: number, { walk }: TreeData): SVGTemplateResult {
    const step = walk.steps[i]!;
    const x = i * (ACROSS * CELL + GAP);
    const place = (index: number) => ({ cx: (index % ACROSS) * CELL, cy: TOP + Math.floor(index / ACROSS) * CELL });
    const here = place(step.index);
    const name = texts.tree.table(
      LEVEL_NAMES[table.level] ?? "",
      table.level,
      hex(table.mfn),
      table.entries.length,
      step.index,
    );
    const isLast = i === walk.steps.length - 1;
    return svg`<g transform="translate(${x} 0)" class="table" tabindex="0" role="group" aria-label=${`${name}. ${texts.tree.keys}`}
        @keydown=${(e: KeyboardEvent) => this.key(e, table, step.index)}
        @click=${(e: MouseEvent) => this.pick(e, table)}>
      <text x="0" y="13" style="font-weight:700">${texts.tree.level(table.level)} ${LEVEL_NAMES[table.level]}</text>
      <text x="0" y="29" class="mono soft">mfn ${hex(table.mfn)}</text>
      <rect class="frame" x="-3" y=${TOP - 3} width=${ACROSS * CELL + 6} height=${DOWN * CELL + 6} rx="3"></rect>
      ${table.entries.map(({ index, decoded }) => {
        const { cx, cy } = place(index);
        const isLeaf = decoded.leaf || table.level === 1;
        return svg`<rect x=${cx} y=${cy} width=${CELL - 1} height=${CELL - 1} fill=${isLeaf || !decoded.isPresent ? p2mFill(decoded.type) : "none"}
          style=${isLeaf ? "" : "stroke:var(--vx-text);stroke-width:1.5"}></rect>`;
      })}
      <rect x=${here.cx - 2} y=${here.cy - 2} width=${CELL + 3} height=${CELL + 3} fill="none" style="stroke:var(--vx-bad);stroke-width:2.5"></rect>
      ${
        isLast
          ? ""
          : svg`<path d="M${here.cx + CELL + 2} ${here.cy + CELL / 2} C${ACROSS * CELL + GAP * 0.6} ${here.cy + CELL / 2} ${ACROSS * CELL + GAP * 0.4} ${TOP} ${ACROSS * CELL + GAP - 6} ${TOP + 4}"
            fill="none" marker-end="url(#tip)" style="stroke:var(--vx-bad);stroke-width:2"></path>`
      }
      <text class="mono" x="0" y=${TOP + DOWN * CELL + 20}>[${step.index}] ${step.decoded.isPresent ? step.decoded.rights : texts.tree.absent}</text>
      <text class="mono soft" x="0" y=${TOP + DOWN * CELL + 36}>${step.decoded.isPresent ? `mfn ${hex(step.decoded.mfn)}` : entryType(step.entry)}</text>
    </g>`;
  }

  private pick(event: MouseEvent, table: TableLook): void {
    const box = (event.currentTarget as SVGGElement).querySelector(".frame")!.getBoundingClientRect();
    const scale = box.width / (ACROSS * CELL + 6);
    const column = Math.floor(((event.clientX - box.left) / scale - 3) / CELL);
    const row = Math.floor(((event.clientY - box.top) / scale - 3) / CELL);
    if (column >= 0 && column < ACROSS && row >= 0 && row < DOWN) this.choose(table.level, row * ACROSS + column);
  }

  protected override renderData(data: TreeData): TemplateResult {
    const { walk, tables } = data;
    const types = [...new Set(tables.flatMap((t) => t.entries.map((e) => e.decoded.type)))];
    const width = 4 * ACROSS * CELL + 3 * GAP;
    return html`<p class="end">${texts.tree.end(hex(walk.gpa), walk.end)}</p>
      <svg preserveAspectRatio="xMinYMin" viewBox="-6 0 ${width + 12} ${TOP + DOWN * CELL + BOTTOM}" role="group" aria-label=${texts.views.tree.title} data-export>
        ${p2mDefs(types)}
        <defs><marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" style="fill:var(--vx-bad)"></path></marker></defs>
        ${tables.map((table, i) => this.renderTable(table, i, data))}
      </svg>
      <p class="soft">${texts.tree.help}</p>
      <details>
        <summary>${texts.asTable}</summary>
        <table>
          <thead><tr>${texts.tree.columns.map((c) => html`<th scope="col">${c}</th>`)}</tr></thead>
          <tbody>
            ${walk.steps.map(
              (
                s,
              ) => html`<tr class="mono"><td>${s.level} ${LEVEL_NAMES[s.level]}</td><td>${hex(s.tableMfn)}</td><td>${s.index}</td>
                <td>${hex(s.entry)}</td><td>${s.decoded.rights}</td><td>${entryType(s.entry)}</td><td>${s.decoded.isPresent ? hex(s.decoded.mfn) : "-"}</td></tr>`,
            )}
          </tbody>
        </table>
      </details>`;
  }
}

customElements.define("vx-p2m-tree", P2mTreeView);
