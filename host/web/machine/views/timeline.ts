/** The timeline of exits: a lane for each kind of event, a scrubber for the position, the records behind it as a table. */
import { css, html, LitElement, type TemplateResult } from "lit";
import { eventName } from "../../../lib/trace/decode.ts";
import { describe } from "../../../lib/trace/describe.ts";
import { clampWindow, LANES, laneOf, nextShown, type TimeWindow, zoomWindow } from "../../model/timeline.ts";
import { shared } from "../../shell/styles.ts";
import { texts } from "../../texts/machine.ts";
import type { MachineController } from "../controller.ts";
import { count } from "../format.ts";
import {
  LABEL_WIDTH,
  PICTURE_HEIGHT,
  paintTimeline,
  type TimelineColours,
  timelineColours,
} from "../timeline-paint.ts";

const NO_LANE = 255;
const ROWS = 12;

class TimelineView extends LitElement {
  static override properties = {
    controller: { attribute: false },
    cursor: { state: true },
    window: { state: true },
    isTableOpen: { state: true },
  };
  declare controller: MachineController;
  /** Record that is looked at. */
  declare cursor: number;
  declare window: TimeWindow;
  declare isTableOpen: boolean;
  private lanes = new Uint8Array(1024).fill(NO_LANE);
  private known = 0;
  private knownFirst = 0;
  private isWhole = true;
  private colours: TimelineColours | undefined;
  private frame = 0;
  private seekTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly sizes = new ResizeObserver(() => this.paint());
  static override styles = [
    shared,
    css`
      :host {
        display: block;
      }
      canvas {
        display: block;
        width: 100%;
        height: ${PICTURE_HEIGHT}px;
        cursor: col-resize;
        touch-action: pan-y;
        border: 1px solid var(--vx-line);
        border-radius: var(--vx-radius);
      }
      .line {
        display: flex;
        flex-wrap: wrap;
        gap: var(--vx-space-1) var(--vx-space-2);
        align-items: center;
        font-size: var(--vx-size-small);
        margin-top: var(--vx-space-1);
        min-height: 1.75rem;
      }
      .line .what {
        flex: 1 1 20rem;
        min-width: 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .line button {
        min-height: 1.625rem;
        padding: 0 0.5rem;
      }
      tr[aria-current="true"] td {
        background: var(--vx-accent-soft);
      }
      td button {
        min-height: 1.25rem;
        padding: 0 0.375rem;
        font-size: 0.75rem;
      }
    `,
  ];

  constructor() {
    super();
    this.cursor = 0;
    this.window = { from: 0, count: 100 };
    this.isTableOpen = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("vx-theme", this.recolour);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.recolour);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.controller?.removeEventListener("change", this.changed);
    window.removeEventListener("vx-theme", this.recolour);
    matchMedia("(prefers-color-scheme: dark)").removeEventListener("change", this.recolour);
    this.sizes.disconnect();
  }

  override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has("controller")) return;
    (changed.get("controller") as MachineController | undefined)?.removeEventListener("change", this.changed);
    this.controller.addEventListener("change", this.changed);
  }

  override firstUpdated(): void {
    this.sizes.observe(this.renderRoot.querySelector("canvas")!);
    this.changed();
  }

  override updated(): void {
    this.paint();
  }

  private readonly recolour = (): void => {
    this.colours = undefined;
    this.paint();
  };

  private get total(): number {
    return this.controller?.records.length ?? 0;
  }

  /** Takes over the lanes of new records, and follows the position while all of them are seen. */
  private readonly changed = (): void => {
    const { records, recordsAt } = this.controller;
    if (records.first !== this.knownFirst || records.length < this.known) this.known = 0;
    this.knownFirst = records.first;
    if (records.length > this.lanes.length) {
      const grown = new Uint8Array(Math.max(records.length, this.lanes.length * 2)).fill(NO_LANE);
      grown.set(this.lanes);
      this.lanes = grown;
    }
    for (let i = this.known; i < records.length; i++) {
      const lane = laneOf(records.eventAt(i));
      this.lanes[i] = lane < 0 ? NO_LANE : lane;
    }
    this.known = records.length;
    this.window = clampWindow(this.isWhole ? { from: 0, count: this.total } : this.window, this.total);
    this.cursor = Math.max(0, Math.min(this.total, recordsAt - records.first) - 1);
    if (!this.isWhole) this.follow();
    this.requestUpdate();
  };

  /** Keeps the record that is looked at inside the window. */
  private follow(): void {
    const { from, count: size } = this.window;
    if (this.cursor < from || this.cursor >= from + size)
      this.window = clampWindow({ from: this.cursor - size / 2, count: size }, this.total);
  }

  private laneAt = (i: number): number => (this.lanes[i] === NO_LANE ? -1 : this.lanes[i]!);

  private paint(): void {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      const canvas = this.renderRoot.querySelector("canvas");
      if (!canvas || canvas.clientWidth === 0) return;
      const scale = window.devicePixelRatio || 1;
      const [width, height] = [canvas.clientWidth, PICTURE_HEIGHT];
      if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
      if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
      const context = canvas.getContext("2d")!;
      context.setTransform(scale, 0, 0, scale, 0, 0);
      this.colours ??= timelineColours(this);
      const labels = LANES.map((lane) => texts.timeline.lanes[lane]);
      paintTimeline(
        context,
        this.lanes,
        { width, window: this.window, total: this.total, now: this.cursor + 1, labels },
        this.colours,
      );
    });
  }

  /** Looks at a record, and brings the machine there once the pointer or the key rests. */
  private goTo(index: number): void {
    this.cursor = Math.max(0, Math.min(this.total - 1, index));
    if (!this.isWhole) this.follow();
    clearTimeout(this.seekTimer);
    this.seekTimer = setTimeout(
      () => void this.controller.seekRecord(this.controller.records.first + this.cursor),
      120,
    );
  }

  private indexAt(event: PointerEvent | WheelEvent): number {
    const canvas = event.currentTarget as HTMLCanvasElement;
    const place = (event.offsetX - LABEL_WIDTH) / Math.max(1, canvas.clientWidth - LABEL_WIDTH);
    return Math.floor(this.window.from + Math.min(1, Math.max(0, place)) * this.window.count);
  }

  private pointer(event: PointerEvent): void {
    if (this.total === 0) return;
    if (event.type === "pointerdown") (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    else if ((event.buttons & 1) === 0) return;
    this.goTo(this.indexAt(event));
  }

  private zoom(factor: number, place = 0.5): void {
    this.window = zoomWindow(this.window, factor, place, this.total);
    this.isWhole = this.window.count >= this.total;
    if (!this.isWhole) this.follow();
  }

  private wheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.shiftKey) return; // the page scrolls
    event.preventDefault();
    const place = (this.indexAt(event) - this.window.from) / this.window.count;
    this.zoom(event.deltaY > 0 ? 1.25 : 0.8, place);
  }

  private key(event: KeyboardEvent): void {
    const lane = event.shiftKey ? 0 : undefined;
    const page = Math.max(1, Math.round(this.window.count / 10));
    const move: Record<string, () => void> = {
      ArrowRight: () => this.goTo(nextShown(this.laneAt, this.total, this.cursor, 1, lane)),
      ArrowLeft: () => this.goTo(nextShown(this.laneAt, this.total, this.cursor, -1, lane)),
      PageDown: () => this.goTo(this.cursor + page),
      PageUp: () => this.goTo(this.cursor - page),
      Home: () => this.goTo(0),
      End: () => this.goTo(this.total - 1),
      "+": () => this.zoom(0.5),
      "-": () => this.zoom(2),
    };
    const action = move[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  private sentence(i: number): string {
    if (this.total === 0) return texts.timeline.empty;
    const r = this.controller.records.at(i);
    return `${eventName(r.event)} ${describe(r)}`;
  }

  private renderTable(): TemplateResult {
    const first = Math.max(0, Math.min(this.cursor - Math.floor(ROWS / 2), this.total - ROWS));
    const rows = Array.from({ length: Math.min(ROWS, this.total) }, (_, i) => first + i);
    return html`<div class="scroll"><table>
      <thead><tr>${texts.timeline.columns.map((c) => html`<th scope="col">${c}</th>`)}</tr></thead>
      <tbody>
        ${rows.map((i) => {
          const r = this.controller.records.at(i);
          return html`<tr aria-current=${i === this.cursor ? "true" : "false"}>
            <td><button @click=${() => this.goTo(i)} aria-label=${texts.timeline.goTo(i + 1)}>${count(i + 1)}</button></td>
            <td class="mono">${r.time}</td><td class="mono">${eventName(r.event)}</td><td class="mono">${describe(r)}</td></tr>`;
        })}
      </tbody>
    </table></div>`;
  }

  override render(): TemplateResult {
    const now = this.sentence(this.cursor);
    return html`<canvas
        tabindex="0"
        role="slider"
        aria-label=${texts.timeline.label}
        aria-valuemin="1"
        aria-valuemax=${Math.max(1, this.total)}
        aria-valuenow=${Math.min(Math.max(1, this.total), this.cursor + 1)}
        aria-valuetext=${now}
        @pointerdown=${this.pointer}
        @pointermove=${this.pointer}
        @wheel=${this.wheel}
        @keydown=${this.key}
      ></canvas>
      <div class="line">
        <span class="what mono" title=${now}>${texts.timeline.place(this.total === 0 ? 0 : this.cursor + 1, this.total)} ${now}</span>
        <button @click=${() => this.zoom(0.5)} aria-label=${texts.timeline.zoomIn}>+</button>
        <button @click=${() => this.zoom(2)} aria-label=${texts.timeline.zoomOut}>-</button>
        <button aria-expanded=${this.isTableOpen} @click=${() => {
          this.isTableOpen = !this.isTableOpen;
        }}>${texts.asTable}</button>
      </div>
      ${this.isTableOpen && this.total > 0 ? this.renderTable() : ""}`;
  }
}

customElements.define("vx-timeline", TimelineView);
