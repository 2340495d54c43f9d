/**
 * The page of one machine, or of two that differ in one knob. The address says all of it (model/url-state.ts): the page writes it when it
 * stands still and follows it when it changes from outside.
 */
import { html, LitElement, nothing, type TemplateResult } from "lit";
import { eraKnobs, formatKnob, KNOBS } from "../../lib/knobs.ts";
import {
  type Experiment,
  FIRST_EXPERIMENT,
  formatExperiment,
  parseExperiment,
  VIEWS,
  type ViewName,
} from "../model/url-state.ts";
import { saveElement } from "../shell/export.ts";
import { formatPlace, type Place } from "../shell/location.ts";
import { shared } from "../shell/styles.ts";
import { texts } from "../texts/machine.ts";
import type { GuestTitle, MachineSpec } from "../worker/protocol.ts";
import { MachineController } from "./controller.ts";
import { type OpenedFile, openGuestFile } from "./guest-file.ts";
import type { Notice } from "./notices.ts";
import "./notices.ts";
import { pageStyles } from "./page-styles.ts";
import type { Commands } from "./toolbar.ts";
import "./toolbar.ts";
import { renderView } from "./view-panel.ts";
import "./views/console.ts";
import "./views/cpu.ts";
import type { KnobChoice } from "./views/knobs.ts";
import "./views/timeline.ts";

/** Where a new machine stands. */
const START = { at: 0, tick: undefined, typed: [] } as const;

class MachinePage extends LitElement {
  static override properties = {
    place: { attribute: false },
    guests: { state: true },
    experiment: { state: true },
    notice: { state: true },
    isDropping: { state: true },
  };
  declare place: Place;
  declare guests: readonly GuestTitle[];
  declare experiment: Experiment;
  declare notice: Notice | undefined;
  declare isDropping: boolean;
  static override styles = [shared, pageStyles];
  private readonly controller = new MachineController();
  /** The second machine, while there is one. */
  private other: MachineController | undefined;
  private file: OpenedFile | undefined;
  /** Largest cost of a line in each machine: bars beside each other have one scale. */
  private readonly costs = new Map<MachineController, number>();
  /** The hash that this page wrote itself. */
  private ownHash: string | undefined;

  constructor() {
    super();
    this.guests = [];
    this.experiment = FIRST_EXPERIMENT;
    this.isDropping = false;
    this.controller.addEventListener("change", this.changed);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("keydown", this.key);
    this.addEventListener("dragover", this.drag);
    this.addEventListener("dragleave", this.dragEnd);
    this.addEventListener("drop", this.drop);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("keydown", this.key);
    this.controller.close();
    this.other?.close();
    this.other = undefined;
    this.ownHash = undefined;
  }

  override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (changed.has("place") && this.place && location.hash !== this.ownHash) void this.follow(this.place);
  }

  /** The address changed, not by us: another experiment. */
  private async follow(place: Place): Promise<void> {
    const { experiment, problems } = parseExperiment(place.query);
    this.ownHash = location.hash;
    this.experiment = experiment;
    this.notice =
      problems.length > 0 ? { kind: "problem", text: texts.notes.linkProblems, details: problems } : undefined;
    const { guest } = experiment;
    if (guest.kind === "file" && (this.file?.sha !== guest.file.sha || this.file?.name !== guest.file.name)) {
      this.say(texts.notes.wantsFile(guest.file.name));
      return;
    }
    await this.build();
  }

  private spec(): MachineSpec {
    const { guest, era, knobs, memoryMiB, vcpus, cmdline } = this.experiment;
    return {
      guest: guest.kind === "bundled" ? guest : { kind: "file", name: guest.file.name, bytes: this.file!.bytes },
      knobs,
      ...(era === undefined ? {} : { era }),
      ...(memoryMiB === undefined ? {} : { memoryMiB }),
      ...(vcpus === undefined ? {} : { vcpus }),
      ...(cmdline === undefined ? {} : { cmdline }),
    };
  }

  /** Makes the machines that the experiment names and brings them to its position. */
  private async build(): Promise<void> {
    const { at, tick, typed, versus } = this.experiment;
    const spec = this.spec();
    const isBuilt = await this.controller.load(spec, at, typed, tick);
    if (!isBuilt && this.controller.problem) this.say(this.controller.problem);
    if (isBuilt && this.controller.at < at) this.say(texts.notes.notReached(this.controller.at));
    if (versus) {
      if (!this.other) {
        this.other = new MachineController();
        this.other.addEventListener("change", () => this.requestUpdate());
      }
      const knobs = { ...spec.knobs, [versus.knob]: versus.value };
      await this.other.load({ ...spec, knobs }, at, typed); // its virtual time is another
      if (this.other.problem) this.say(this.other.problem);
    } else {
      this.other?.close();
      this.other = undefined;
    }
    this.requestUpdate();
    this.guests = (await this.controller.askWorker((s) => s.guests())) ?? this.guests;
  }

  private readonly changed = (): void => {
    const { controller } = this;
    if (controller.phase === "lost")
      this.notice = {
        kind: "problem",
        text: texts.notes.lost(controller.problem ?? ""),
        actions: [
          { label: texts.notes.restart, run: () => void this.restart() },
          { label: texts.notes.startOver, run: () => void this.change(START, true) },
        ],
      };
    else if (
      controller.phase !== "running" &&
      controller.phase !== "busy" &&
      controller.phase !== "loading" &&
      controller.spec
    ) {
      const { tick: _old, ...rest } = this.experiment;
      const tick = controller.isFirst ? {} : { tick: controller.time };
      this.experiment = { ...rest, ...tick, at: controller.at, typed: controller.typed };
      this.writeAddress();
    }
    this.requestUpdate();
  };

  private async restart(): Promise<void> {
    this.notice = undefined;
    await this.controller.restart();
  }

  private writeAddress(): void {
    const hash = formatPlace("machine", "", formatExperiment(this.experiment));
    if (!this.isConnected || hash === location.hash) return;
    this.ownHash = hash;
    history.replaceState(history.state, "", hash);
  }

  /** Part of the experiment, chosen by hand. @param isNew the machine has to be built again. */
  private async change(part: Partial<Experiment>, isNew = false): Promise<void> {
    this.experiment = { ...this.experiment, ...part };
    this.writeAddress();
    if (isNew) {
      this.notice = undefined;
      await this.build();
    }
  }

  /** One message at a time; what a link had wrong stays beside what came of it. */
  private say(text: string, kind: Notice["kind"] = "problem"): void {
    const earlier = this.notice?.details;
    this.notice = { kind: earlier ? "problem" : kind, text, ...(earlier ? { details: earlier } : {}) };
  }

  private both(action: (c: MachineController) => Promise<void>): void {
    for (const c of [this.controller, this.other])
      if (c)
        void action(c).catch((error: unknown) => {
          this.say(error instanceof Error ? error.message : String(error));
        });
  }

  private readonly commands: Commands = {
    chooseGuest: (name) => {
      if (name === "") return;
      const { memoryMiB: _m, vcpus: _v, cmdline: _c, ...rest } = this.experiment;
      this.experiment = rest;
      void this.change({ guest: { kind: "bundled", name }, ...START }, true);
    },
    openFile: (file) => void this.openFile(file),
    step: () => this.both((c) => c.step()),
    back: () => this.both((c) => c.back()),
    inside: () => this.both((c) => c.inside()),
    nextExit: () => this.both((c) => c.nextExit()),
    lastExit: () => this.both((c) => c.lastExit()),
    run: () => this.both((c) => c.run()),
    pause: () => {
      this.controller.pause();
      this.other?.pause();
    },
    seek: (at) =>
      this.both(async (c) => {
        await c.seek(at);
        if (c === this.controller && c.at < at && c.phase !== "lost") this.say(texts.notes.notReached(c.at), "info");
      }),
    share: () => void this.share(),
    save: (kind, what) => void this.save(kind, what),
    say: (text) => this.say(text),
  };

  private async openFile(file: File): Promise<void> {
    const opened = await openGuestFile(file);
    if (!opened.ok) {
      this.say(opened.problem);
      return;
    }
    const { guest } = this.experiment;
    const wanted = guest.kind === "file" && !this.file ? guest.file : undefined;
    this.file = opened.value;
    const isSame = wanted !== undefined && wanted.sha === opened.value.sha;
    const named = { name: opened.value.name, sha: opened.value.sha };
    // The link's position is kept when this is the file that it asked for.
    const start = isSame ? {} : START;
    await this.change({ guest: { kind: "file", file: named }, ...start }, true);
    if (wanted && !isSame && !this.notice) this.say(texts.notes.otherFile(named.name), "info");
  }

  private async share(): Promise<void> {
    this.writeAddress();
    const { guest } = this.experiment;
    const isFile = guest.kind === "file";
    try {
      await navigator.clipboard.writeText(location.href);
      this.say(
        isFile ? `${texts.notes.copied} ${texts.notes.fileInLink(guest.file.name)}` : texts.notes.copied,
        "info",
      );
    } catch {
      this.say(texts.notes.copyFailed, "info");
    }
  }

  private async save(kind: "svg" | "png", what: "view" | "page"): Promise<void> {
    const panel = this.renderRoot.querySelector<HTMLElement>(what === "view" ? ".panel" : ".grid");
    if (!panel) return;
    const name = `vmexit-${what === "view" ? this.experiment.view : "machine"}-${this.controller.at}.${kind}`;
    try {
      await saveElement(panel, kind, name, texts.views[this.experiment.view].title);
      this.say(texts.notes.saved(name), "info");
    } catch (error) {
      this.say(texts.notes.saveFailed(error instanceof Error ? error.message : String(error)));
    }
  }

  /** Single letters, unless something is being typed. */
  private readonly key = (event: KeyboardEvent): void => {
    const target = event.composedPath()[0];
    const isTyping =
      target instanceof HTMLInputElement ||
      target instanceof HTMLTextAreaElement ||
      target instanceof HTMLSelectElement;
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    const { step, back, inside, nextExit, lastExit } = this.commands;
    const action = { ".": step, ",": back, i: inside, e: nextExit, E: lastExit }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  };

  private readonly drag = (event: DragEvent): void => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.isDropping = true;
  };

  private readonly dragEnd = (event: DragEvent): void => {
    if (event.relatedTarget === null) this.isDropping = false;
  };

  private readonly drop = (event: DragEvent): void => {
    event.preventDefault();
    this.isDropping = false;
    const file = event.dataTransfer?.files[0];
    if (file) void this.openFile(file);
  };

  /** Left and right choose the neighbouring tab, as in every tab list. */
  private tabKey(event: KeyboardEvent): void {
    const at = VIEWS.indexOf(this.experiment.view);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: VIEWS.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const view = VIEWS[(next + VIEWS.length) % VIEWS.length]!;
    void this.change({ view }).then(async () => {
      await this.updateComplete;
      this.renderRoot.querySelector<HTMLElement>(`#tab-${view}`)?.focus();
    });
  }

  private renderTabs(): TemplateResult {
    const tab = (view: ViewName): TemplateResult => {
      const isHere = view === this.experiment.view;
      return html`<button role="tab" id="tab-${view}" aria-selected=${isHere} aria-controls="panel" tabindex=${isHere ? 0 : -1}
        title=${texts.views[view].title} @click=${() => this.change({ view })}>${texts.views[view].tab}</button>`;
    };
    return html`<div class="tabs" role="tablist" aria-label=${texts.viewsLabel} @keydown=${this.tabKey}>${VIEWS.map(tab)}</div>`;
  }

  private takeCost({ detail }: CustomEvent<{ readonly controller: MachineController; readonly most: number }>): void {
    this.costs.set(detail.controller, detail.most);
    this.requestUpdate();
  }

  private renderPanel(): TemplateResult {
    const { experiment: e, controller, other } = this;
    const { versus } = e;
    const isTwo = other && versus && e.view !== "knobs";
    if (!isTwo) return renderView(e.view, controller, e);
    const knob = KNOBS.find((k) => k.name === versus.knob)!;
    const mine = e.knobs[knob.name] ?? eraKnobs(e.era ?? "4.17")[knob.name]!;
    const scale = Math.max(0, this.costs.get(controller) ?? 0, this.costs.get(other) ?? 0);
    return html`<div class="two" @vx-cost=${this.takeCost}>
      <section aria-label=${texts.compare.title(knob.name, formatKnob(knob, mine))}>
        <h2>${texts.compare.title(knob.name, formatKnob(knob, mine))}</h2>${renderView(e.view, controller, e, scale)}
      </section>
      <section aria-label=${texts.compare.title(knob.name, formatKnob(knob, versus.value))}>
        <h2>${texts.compare.title(knob.name, formatKnob(knob, versus.value))}</h2>${renderView(e.view, other, e, scale)}
      </section>
    </div>`;
  }

  override render(): TemplateResult {
    const { controller, experiment: e } = this;
    const chosen = e.guest.kind === "bundled" ? e.guest : { kind: "file" as const, name: e.guest.file.name };
    const title = this.guests.find((g) => chosen.kind === "bundled" && g.name === chosen.name)?.title;
    return html`
      <h1 class="only-read">${texts.title}</h1>
      <vx-toolbar .controller=${controller} .commands=${this.commands} .guests=${this.guests} .chosen=${chosen}></vx-toolbar>
      <vx-notices .notice=${this.notice} @vx-dismiss=${() => {
        this.notice = undefined;
      }}></vx-notices>
      <div class="grid ${this.other ? "compared" : ""}"
        @vx-gpa=${(event: CustomEvent<number>) => this.change({ gpa: event.detail, ...(e.view === "map" ? { view: "tree" as const } : {}) })}
        @vx-knobs=${(event: CustomEvent<KnobChoice>) => this.change({ ...event.detail, ...START }, true)}
        @vx-versus=${(event: CustomEvent<Experiment["versus"]>) => this.compare(event.detail)}>
        <section class="console" aria-label=${texts.console.title}><h2 title=${title ?? ""}>${texts.console.title}${title ? `: ${title}` : ""}</h2><vx-console .controller=${controller}></vx-console></section>
        <section class="cpu scroll" tabindex="0" aria-label=${texts.cpu.panel}><vx-cpu .controller=${controller}></vx-cpu></section>
        <section class="views" aria-label=${texts.viewsLabel}>
          ${this.renderTabs()}
          <div class="panel scroll" id="panel" role="tabpanel" tabindex="0" aria-labelledby="tab-${e.view}">${this.renderPanel()}</div>
        </section>
        <section class="timeline" aria-label=${texts.timeline.title}><vx-timeline .controller=${controller}></vx-timeline></section>
      </div>
      ${this.isDropping ? html`<div class="drop">${texts.notes.drop}</div>` : nothing}
    `;
  }

  private compare(versus: Experiment["versus"]): void {
    const { versus: _old, ...alone } = this.experiment;
    this.experiment = alone;
    void this.change(versus ? { versus, view: "counts" } : {}, true);
  }
}

customElements.define("vx-machine-page", MachinePage);
