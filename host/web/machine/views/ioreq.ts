/** ioreq servers: what each claims, its slot for every vCPU as a circle of states, and its buffered ring. */
import { css, html, type SVGTemplateResult, svg, type TemplateResult } from "lit";
import type { IoreqServerView, IoreqSlotView } from "../../../lib/ioreq-view.ts";
import { shared } from "../../shell/styles.ts";
import { texts } from "../../texts/machine.ts";
import type { IoreqLook } from "../../worker/look/ioreq.ts";
import type { MachineController } from "../controller.ts";
import { hex } from "../format.ts";
import { MachineView } from "../view.ts";

const STATES = ["NONE", "READY", "INPROCESS", "RESP_READY"] as const;
const BOX = 112;
const STEP = 150;
const RING_SLOTS = 511;

class IoreqView extends MachineView<IoreqLook> {
  static override styles = [
    shared,
    css`
      svg {
        display: block;
        width: 100%;
        max-width: 42rem;
        height: auto;
      }
      text {
        fill: var(--vx-text);
        font: 600 12px var(--vx-mono);
        text-anchor: middle;
      }
      .who {
        font: 11px var(--vx-font);
        fill: var(--vx-text-soft);
      }
      section {
        margin-bottom: var(--vx-space-4);
      }
      h3 {
        margin: var(--vx-space-2) 0 var(--vx-space-1);
      }
    `,
  ];

  protected override look(controller: MachineController): Promise<IoreqLook | undefined> {
    return controller.ask((s) => s.ioreq());
  }

  private renderStates(current: string): SVGTemplateResult {
    return svg`${STATES.map((state, i) => {
      const isHere = state === current;
      const x = i * STEP;
      return svg`<g transform="translate(${x} 0)">
        <rect x="1.5" y="18" width=${BOX} height="30" rx="6" style=${isHere ? "fill:var(--vx-accent);stroke:var(--vx-accent)" : "fill:var(--vx-surface);stroke:var(--vx-line-strong)"}></rect>
        <text x=${BOX / 2 + 1} y="38" style=${isHere ? "fill:var(--vx-on-accent)" : ""}>${state}</text>
        ${
          i < STATES.length - 1
            ? svg`<g><path d="M${BOX + 6} 33H${STEP - 6}m-6 -4l6 4l-6 4" fill="none" style="stroke:var(--vx-line-strong);stroke-width:1.5"></path>
              <text class="who" x=${(BOX + STEP) / 2} y="12">${texts.ioreq.moves[i]}</text></g>`
            : svg`<g><path d="M${BOX / 2} 52V66H${-(STATES.length - 1) * STEP + BOX / 2}V54m-4 6l4 -6l4 6" fill="none" style="stroke:var(--vx-line-strong);stroke-width:1.5"></path>
              <text class="who" x=${-STEP} y="80">${texts.ioreq.moves[3]}</text></g>`
        }
      </g>`;
    })}`;
  }

  private renderSlot(slot: IoreqSlotView): TemplateResult {
    const request =
      slot.state === "NONE"
        ? texts.ioreq.last(slot.type, slot.dir, hex(slot.addr), slot.size, slot.count, hex(slot.data))
        : texts.ioreq.now(slot.type, slot.dir, hex(slot.addr), slot.size, slot.count, hex(slot.data));
    return html`<h3>${texts.ioreq.slot(slot.vcpu)}</h3>
      <svg viewBox="0 0 ${STEP * 3 + BOX + 4} 86" role="img" aria-label=${texts.ioreq.slotState(slot.vcpu, slot.state)} data-export>${this.renderStates(slot.state)}</svg>
      <p class="mono">${request}</p>`;
  }

  private renderRing(ring: { readonly read: number; readonly write: number }): TemplateResult {
    const waiting = (ring.write - ring.read) >>> 0;
    const at = (pointer: number): number => (pointer % RING_SLOTS) / RING_SLOTS;
    return html`<h3>${texts.ioreq.ring}</h3>
      <svg viewBox="0 0 560 34" role="img" aria-label=${texts.ioreq.ringState(ring.read, ring.write, waiting)}>
        <rect x="1" y="8" width="558" height="14" rx="3" style="fill:var(--vx-raised);stroke:var(--vx-line-strong)"></rect>
        ${waiting > 0 ? svg`<rect x=${1 + at(ring.read) * 558} y="8" width=${Math.max(3, (waiting / RING_SLOTS) * 558)} height="14" style="fill:var(--vx-c2)"></rect>` : ""}
        <path d="M${1 + at(ring.read) * 558} 2v26" style="stroke:var(--vx-c3);stroke-width:3"></path>
        <path d="M${1 + at(ring.write) * 558} 8v26" style="stroke:var(--vx-c2);stroke-width:3"></path>
      </svg>
      <p>${texts.ioreq.ringState(ring.read, ring.write, waiting)}</p>`;
  }

  private renderServer(server: IoreqServerView): TemplateResult {
    return html`<section class="card">
      <h2>${texts.ioreq.server(server.id, server.emulator, server.isEnabled)}</h2>
      ${server.typeFlags ? html`<p>${texts.ioreq.typeServer(server.typeFlags)}</p>` : ""}
      ${server.slots.map((slot) => this.renderSlot(slot))}
      <h3>${texts.ioreq.ranges}</h3>
      <table>
        <thead><tr>${texts.ioreq.columns.map((c) => html`<th scope="col">${c}</th>`)}</tr></thead>
        <tbody>
          ${server.ranges.map((r) => html`<tr><td>${r.space}</td><td class="mono">${hex(r.start)}-${hex(r.end)}</td></tr>`)}
        </tbody>
      </table>
      ${server.buffered ? this.renderRing(server.buffered) : ""}
    </section>`;
  }

  protected override renderData({ servers, isInCore }: IoreqLook): TemplateResult {
    if (servers.length === 0) return html`<p>${isInCore ? texts.ioreq.inCore : texts.ioreq.none}</p>`;
    return html`${servers.map((server) => this.renderServer(server))}`;
  }
}

customElements.define("vx-ioreq", IoreqView);
