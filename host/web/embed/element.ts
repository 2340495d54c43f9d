/**
 * <vmexit-machine>: a live machine in any page, a lecture's or a slide's.
 *
 *   <script type="module" src="https://.../vmexit-machine.js"></script>
 *   <vmexit-machine guest="mmio" view="walk" at="500"></vmexit-machine>
 *
 * Attributes: guest (a name), view (path, map, walk or tree, entry, tlb, ioreq, memory, domains, counts, cpu, console, timeline), at
 * (instructions), gpa, knob (name=value, several with spaces), era, theme (light, dark), controls ("none" hides the buttons).
 * Many on one page are many machines, each in its own worker; it starts when it is scrolled into view.
 */
import { css, html, LitElement, type TemplateResult, unsafeCSS } from "lit";
import { MachineController } from "../machine/controller.ts";
import { renderView } from "../machine/view-panel.ts";
import { type Experiment, formatExperiment, parseExperiment, VIEWS, type ViewName } from "../model/url-state.ts";
import { formatPlace } from "../shell/location.ts";
import { shared } from "../shell/styles.ts";
import tokens from "../shell/tokens.css?inline";
import { texts as en } from "../texts/embed.ts";
import { texts } from "../texts/machine.ts";

/** Views that only the element has: on the page they stand beside the others. */
const OWN_VIEWS = {
  cpu: {
    load: () => import("../machine/views/cpu.ts"),
    render: (c: MachineController) => html`<vx-cpu .controller=${c}></vx-cpu>`,
  },
  console: {
    load: () => import("../machine/views/console.ts"),
    render: (c: MachineController) => html`<vx-console class="console" .controller=${c}></vx-console>`,
  },
  timeline: {
    load: () => import("../machine/views/timeline.ts"),
    render: (c: MachineController) => html`<vx-timeline .controller=${c}></vx-timeline>`,
  },
} as const;
type OwnView = keyof typeof OWN_VIEWS;

const isOwn = (view: string): view is OwnView => Object.hasOwn(OWN_VIEWS, view);
const ATTRIBUTES = ["guest", "at", "gpa", "era", "memory", "vcpus", "cmdline"] as const;

class VmexitMachine extends LitElement {
  static override properties = {
    guest: { type: String },
    view: { type: String },
    at: { type: String },
    gpa: { type: String },
    knob: { type: String },
    era: { type: String },
    memory: { type: String },
    vcpus: { type: String },
    cmdline: { type: String },
    controls: { type: String },
    theme: { type: String, reflect: true },
    problems: { state: true },
    experiment: { state: true },
  };
  declare guest: string | undefined;
  declare view: string | undefined;
  declare at: string | undefined;
  declare gpa: string | undefined;
  declare knob: string | undefined;
  declare era: string | undefined;
  declare memory: string | undefined;
  declare vcpus: string | undefined;
  declare cmdline: string | undefined;
  declare controls: string | undefined;
  declare theme: string | undefined;
  declare problems: readonly string[];
  declare experiment: Experiment | undefined;
  /** For scripts of the page: load, step, seek, ask (machine/controller.ts). */
  readonly machine = new MachineController();
  private isSeen = false;
  private readonly sight = new IntersectionObserver((entries) => {
    if (!entries.some((e) => e.isIntersecting)) return;
    this.sight.disconnect();
    this.isSeen = true;
    void this.start();
  });

  static override styles = [
    unsafeCSS(
      tokens.replaceAll(":root[data-theme=", ":host([theme=").replaceAll('"] {', '"]) {').replaceAll(":root", ":host"),
    ),
    shared,
    css`
      :host {
        display: block;
        background: var(--vx-surface);
        border: 1px solid var(--vx-line);
        border-radius: var(--vx-radius);
        overflow: hidden;
      }
      .bar {
        padding: var(--vx-space-1) var(--vx-space-2);
        border-bottom: 1px solid var(--vx-line);
        background: var(--vx-page);
        font-size: var(--vx-size-small);
      }
      .bar button {
        font-size: var(--vx-size-small);
        padding: 0 0.5rem;
        min-height: 1.75rem;
      }
      .where {
        flex: 1;
      }
      .panel {
        padding: var(--vx-space-3);
        max-height: var(--vmexit-height, 34rem);
        overflow: auto;
      }
      .console {
        height: 14rem;
      }
      .problem {
        background: var(--vx-bad-soft);
        margin: 0;
        padding: var(--vx-space-2) var(--vx-space-3);
      }
    `,
  ];

  constructor() {
    super();
    this.problems = [];
    this.machine.addEventListener("change", () => this.requestUpdate());
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.sight.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.sight.disconnect();
    this.machine.close();
    this.isSeen = false;
  }

  override updated(changed: Map<PropertyKey, unknown>): void {
    const isNew = [...ATTRIBUTES, "knob", "view"].some((name) => changed.has(name));
    if (isNew && this.isSeen && this.experiment) void this.start();
  }

  /** The attributes are checked as a link is. */
  private read(): Experiment {
    const query = new URLSearchParams();
    for (const name of ATTRIBUTES) if (this[name] !== undefined && this[name] !== null) query.set(name, this[name]);
    for (const knob of (this.knob ?? "").split(/\s+/)) if (knob !== "") query.append("knob", knob);
    const view = this.view === "walk" ? "tree" : (this.view ?? "path");
    if (!isOwn(view)) query.set("view", view);
    const { experiment, problems } = parseExperiment(query);
    this.problems = problems;
    return experiment;
  }

  private async start(): Promise<void> {
    const experiment = this.read();
    this.experiment = experiment;
    const { guest, era, knobs, memoryMiB, vcpus, cmdline, at } = experiment;
    if (guest.kind !== "bundled") return;
    const isBuilt = await this.machine.load(
      {
        guest,
        knobs,
        ...(era === undefined ? {} : { era }),
        ...(memoryMiB === undefined ? {} : { memoryMiB }),
        ...(vcpus === undefined ? {} : { vcpus }),
        ...(cmdline === undefined ? {} : { cmdline }),
      },
      at,
    );
    if (!isBuilt && this.machine.problem) this.problems = [...this.problems, this.machine.problem];
  }

  private renderView(experiment: Experiment): TemplateResult {
    const view = this.view ?? "path";
    if (isOwn(view)) {
      void OWN_VIEWS[view].load();
      return OWN_VIEWS[view].render(this.machine);
    }
    const shown: ViewName = VIEWS.find((v) => v === experiment.view && v !== "knobs") ?? "path";
    return renderView(shown, this.machine, experiment);
  }

  private renderBar(experiment: Experiment): TemplateResult {
    const { machine } = this;
    const t = texts.bar;
    const isMoving = machine.phase === "running" || machine.phase === "busy" || machine.phase === "loading";
    const link = new URL("index.html", import.meta.url);
    link.hash = formatPlace("machine", "", formatExperiment({ ...experiment, at: machine.at }));
    return html`<div class="bar row" role="group" aria-label=${t.label}>
      <button ?disabled=${isMoving || machine.at === 0} @click=${() => machine.back()}>${t.back}</button>
      <button ?disabled=${isMoving || machine.phase === "ended"} @click=${() => machine.step()}>${t.step}</button>
      <button ?disabled=${isMoving || machine.phase === "ended"} @click=${() => machine.inside()}>${t.inside}</button>
      ${
        isMoving
          ? html`<button @click=${() => machine.pause()}>${t.pause}</button>`
          : html`<button ?disabled=${machine.phase === "ended"} @click=${() => machine.run()}>${t.run}</button>`
      }
      <span class="where" role="status">${en.where(experiment.guest.kind === "bundled" ? experiment.guest.name : "", machine.at, texts.phases[machine.phase])}</span>
      <a href=${link.href} target="_blank" rel="noopener">${en.open}</a>
    </div>`;
  }

  private renderLost(): TemplateResult {
    const { machine } = this;
    return html`<p class="problem" role="alert">${texts.notes.lost(machine.problem ?? "")}
      <button @click=${() => void machine.restart()}>${texts.notes.restart}</button></p>`;
  }

  override render(): TemplateResult {
    const { experiment, machine } = this;
    const { problems } = this;
    return html`${experiment && this.controls !== "none" ? this.renderBar(experiment) : ""}
      ${problems.map((p) => html`<p class="problem" role="alert">${p}</p>`)}
      ${machine.phase === "lost" ? this.renderLost() : ""}
      <div class="panel" tabindex="0" role="region" aria-label=${en.panel}
        @vx-gpa=${(event: CustomEvent<number>) => {
          if (experiment) this.experiment = { ...experiment, gpa: event.detail };
        }}>${experiment ? this.renderView(experiment) : en.waiting}</div>`;
  }
}

customElements.define("vmexit-machine", VmexitMachine);
