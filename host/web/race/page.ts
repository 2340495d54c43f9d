/** The page of races: the catalogue, or one race with its story, its stage, and files in and out. The address holds what is shown. */
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { formatPlace, type Place } from "../shell/location.ts";
import { shared } from "../shell/styles.ts";
import { texts } from "../texts/race.ts";
import type { Answer } from "../worker/protocol.ts";
import type { RaceCard, Staged } from "../worker/race-protocol.ts";
import { chooseFile, savePng, saveText } from "./files.ts";
import "./list.ts";
import { pageStyles } from "./page-styles.ts";
import { MODES, type Mode, type RaceStage, type StageRequest } from "./stage.ts";
import { renderStory, renderVariants } from "./story.ts";
import { type RaceClient, startRaceWorker } from "./worker.ts";

type SaveKind = keyof typeof texts.saveAs;
const REPORTS: Readonly<Record<string, readonly [form: string, ending: string, type: string]>> = {
  svg: ["svg", "svg", "image/svg+xml"],
  markdown: ["markdown", "md", "text/markdown"],
  trace: ["trace", "json", "application/json"],
};

export function requestOf(place: Place): StageRequest {
  const { query, name } = place;
  const mode = MODES.find((m) => m === query.get("mode")) ?? "film";
  const at = query.get("at");
  const steps = query.get("steps");
  return {
    race: name,
    variant: query.get("variant") ?? "",
    mode,
    ...(at !== null && /^\d+$/.test(at) ? { at: Number(at) } : {}),
    ...(steps === null ? {} : { steps }),
  };
}

class RacePage extends LitElement {
  static override properties = {
    place: { attribute: false },
    races: { state: true },
    staged: { state: true },
    problem: { state: true },
    said: { state: true },
    isOver: { state: true },
  };
  declare place: Place;
  declare races: readonly RaceCard[] | undefined;
  declare staged: Staged | undefined;
  declare problem: string | undefined;
  declare said: string | undefined;
  /** A file is held over the page. */
  declare isOver: boolean;
  private client: RaceClient | undefined;
  private request: StageRequest | undefined;
  /** The address that this page wrote itself. */
  private written = "";

  static override styles = [shared, pageStyles];

  constructor() {
    super();
    this.isOver = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.list();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.client?.end();
    this.client = undefined;
  }

  /** Of the catalogue's worker: the stage has its own. One that was lost is started again by the next call. */
  private call<T>(ask: Parameters<RaceClient["call"]>[0]): Promise<T> {
    this.client ??= startRaceWorker(() => {
      this.client = undefined;
    });
    return this.client.call(ask) as Promise<T>;
  }

  private async list(): Promise<void> {
    try {
      this.races = await this.call<RaceCard[]>((s) => s.catalogue());
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (!changed.has("place")) return;
    const { name, query } = this.place;
    if (name !== "" && formatPlace("race", name, query) === this.written) return;
    if (name === "") this.written = ""; // "back" to what was written is a place to go to again
    this.request = name === "" ? undefined : requestOf(this.place);
    this.problem = undefined;
    if (this.request?.race !== this.staged?.race.name) this.staged = undefined;
  }

  private get stage(): RaceStage | null {
    return this.renderRoot.querySelector<RaceStage>("vx-race-stage");
  }

  private onStage(event: CustomEvent<{ request: StageRequest; staged: Staged }>): void {
    const { request, staged } = event.detail;
    this.staged = staged;
    this.requestUpdate(); // the story closes when one begins to move about
    const query = new URLSearchParams({ variant: request.variant, mode: request.mode });
    if (request.at !== undefined && request.mode !== "explore") query.set("at", String(request.at));
    if (request.steps !== undefined) query.set("steps", request.steps);
    this.written = formatPlace("race", request.race, query);
    // Every step in the history would make "back" useless: the address is corrected, not followed.
    history.replaceState(null, "", this.written);
    document.title = `${staged.race.title} - vmexit`;
  }

  private setVariant(variant: string): void {
    const { staged } = this;
    if (!staged) return;
    const mode: Mode = this.stage?.mode ?? "film";
    this.request = { race: staged.race.name, variant, mode };
    this.requestUpdate();
  }

  private async save(kind: SaveKind): Promise<void> {
    const { stage, staged } = this;
    if (!stage || !staged) return;
    const name = `${staged.race.name}-${staged.variant}`;
    try {
      if (kind === "schedule") {
        const answer = await stage.call<Answer<{ name: string; text: string }>>((s) => s.schedule());
        if (answer.ok) saveText(answer.value.name, answer.value.text);
        else this.problem = answer.problem;
        return;
      }
      const [form, ending, type] = REPORTS[kind === "png" ? "svg" : kind]!;
      const answer = await stage.call<Answer<string>>((s) => s.report(form));
      if (!answer.ok) this.problem = answer.problem;
      else if (kind === "png") await savePng(`${name}.png`, answer.value);
      else saveText(`${name}.${ending}`, answer.value, type);
    } catch (error) {
      this.problem = kind === "png" ? texts.pngFailed : error instanceof Error ? error.message : String(error);
    }
  }

  private async copyLink(): Promise<void> {
    try {
      await navigator.clipboard.writeText(location.href);
      this.said = texts.linked;
    } catch {
      this.said = texts.noClipboard;
    }
  }

  /** A schedule, or a race of one's own. */
  private async take(file: File): Promise<void> {
    const text = await file.text();
    this.problem = undefined;
    if (/\.m?js$/.test(file.name)) {
      await this.takeRace(file.name, text);
      return;
    }
    if (!this.stage) {
      // Which race it belongs to stands in its first line; the stage that opens then loads it.
      const race = /"race":\s*"([^"]+)"/.exec(text)?.[1];
      if (race === undefined) {
        this.problem = `${file.name}: the first line of a schedule is JSON with format, version, race and variant: this one is not`;
        return;
      }
      this.request = { race, variant: "", mode: "film" };
      this.requestUpdate();
      await this.updateComplete;
    }
    await this.stage?.load(text);
  }

  private async takeRace(file: string, source: string): Promise<void> {
    let own: Answer<RaceCard>;
    try {
      own = await this.call<Answer<RaceCard>>((s) => s.loadRace(file, source));
    } catch (error) {
      // It never came to its end, and its worker was ended: nothing else is lost.
      own = { ok: false, problem: `${file}: ${error instanceof Error ? error.message : String(error)}` };
    }
    if (!own.ok) {
      this.problem = own.problem;
      return;
    }
    void this.list();
    this.request = { race: own.value.name, variant: "", mode: "play" };
    this.requestUpdate();
    await this.updateComplete;
    const { stage } = this;
    await stage?.takeRace(file, source);
    await stage?.open(this.request);
  }

  private readonly onDrop = (event: DragEvent): void => {
    event.preventDefault();
    this.isOver = false;
    const file = event.dataTransfer?.files[0];
    if (file) void this.take(file);
  };

  private readonly onDrag = (event: DragEvent): void => {
    event.preventDefault();
    this.isOver = event.type !== "dragleave";
  };

  /** The story is open until somebody begins to move about: then the stage needs the room. */
  private get isFresh(): boolean {
    const { request, staged, stage } = this;
    const hasMoved =
      (stage?.mode === "play" && (staged?.choices.length ?? 0) > 0) || (stage?.mode === "film" && stage.at > 0);
    return request?.at === undefined && request?.steps === undefined && !hasMoved;
  }

  private renderFiles(): TemplateResult {
    return html`<div class="row">
      <select
        aria-label=${texts.save}
        @change=${(event: Event) => {
          const select = event.target as HTMLSelectElement;
          void this.save(select.value as SaveKind);
          select.value = "";
        }}
      >
        <option value="" selected>${texts.save} ...</option>
        ${(Object.keys(texts.saveAs) as SaveKind[]).map((kind) => html`<option value=${kind}>${texts.saveAs[kind]}</option>`)}
      </select>
      ${this.renderLoad()}
      <button @click=${() => void this.copyLink()}>${texts.link}</button>
    </div>`;
  }

  private renderLoad(): TemplateResult {
    return html`<button
      @click=${async () => {
        const file = await chooseFile(".schedule,.mjs,.js,text/plain");
        if (file) await this.take(file);
      }}
    >
      ${texts.load}
    </button>`;
  }

  override render(): TemplateResult {
    const { staged, request } = this;
    return html`<div
      class=${this.isOver ? "over" : ""}
      @dragover=${this.onDrag}
      @dragleave=${this.onDrag}
      @drop=${this.onDrop}
    >
      ${this.problem === undefined ? nothing : html`<div class="problem" role="alert">${this.problem}</div>`}
      <p class="only-read" aria-live="polite">${this.said ?? ""}</p>
      ${
        request
          ? html`<div class="race">
              <div class="row head">
                <div class="row">
                  <a href="#/race">‹ ${texts.back}</a>
                  ${staged ? html`<h1>${staged.race.title} <small>${staged.race.name} ${staged.race.id === "-" ? "" : `(${staged.race.id})`}</small></h1>` : nothing}
                </div>
                ${staged ? html`<div class="row">${renderVariants(staged, (variant) => this.setVariant(variant))} ${this.renderFiles()}</div>` : nothing}
              </div>
              ${staged ? renderStory(staged, this.isFresh) : nothing}
              <vx-race-stage .request=${request} @vx-stage=${this.onStage}></vx-race-stage>
              ${staged ? html`<p class="soft hint">${texts.keys} ${texts.drop}</p>` : nothing}
            </div>`
          : html`<vx-race-list .races=${this.races ?? []}></vx-race-list>
              <p class="row" style="padding: 0 var(--vx-space-4)">${this.renderLoad()}</p>`
      }
    </div>`;
  }
}

customElements.define("vx-race-page", RacePage);
