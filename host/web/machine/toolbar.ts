/** The bar above the views: which guest, where it stands, and the commands that move it. */
import { css, html, LitElement, type TemplateResult } from "lit";
import { shared } from "../shell/styles.ts";
import { texts } from "../texts/machine.ts";
import type { GuestTitle } from "../worker/protocol.ts";
import type { MachineController } from "./controller.ts";

/** What the page does for the bar. */
export interface Commands {
  chooseGuest(name: string): void;
  openFile(file: File): void;
  step(): void;
  back(): void;
  inside(): void;
  nextExit(): void;
  lastExit(): void;
  run(): void;
  pause(): void;
  seek(at: number): void;
  share(): void;
  /** @param what the view, or everything below the bar. */
  save(kind: "svg" | "png", what: "view" | "page"): void;
  say(text: string): void;
}

class Toolbar extends LitElement {
  static override properties = {
    controller: { attribute: false },
    commands: { attribute: false },
    guests: { attribute: false },
    chosen: { attribute: false },
  };
  declare controller: MachineController;
  declare commands: Commands;
  declare guests: readonly GuestTitle[];
  /** Name of the guest, or of the file. */
  declare chosen: { readonly kind: "bundled" | "file"; readonly name: string };
  static override styles = [
    shared,
    css`
      .bar {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--vx-space-1) var(--vx-space-2);
        padding: var(--vx-space-2) var(--vx-space-4);
        background: var(--vx-surface);
        border-bottom: 1px solid var(--vx-line);
      }
      button,
      select,
      input,
      label {
        font-size: var(--vx-size-small);
      }
      button {
        padding: 0 0.5rem;
      }
      .guest {
        width: 8rem;
      }
      .position {
        display: flex;
        align-items: center;
        gap: var(--vx-space-1);
      }
      .position input {
        width: 5.5rem;
        text-align: right;
        font-variant-numeric: tabular-nums;
      }
      .phase {
        flex: 1 1 8rem;
        min-width: 6rem;
        font-size: var(--vx-size-small);
        line-height: 1.25;
      }
      .save {
        width: 8.25rem;
      }
      input[type="file"] {
        display: none;
      }
    `,
  ];

  private readonly changed = (): void => this.requestUpdate();

  override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has("controller")) return;
    (changed.get("controller") as MachineController | undefined)?.removeEventListener("change", this.changed);
    this.controller.addEventListener("change", this.changed);
  }

  private go(event: SubmitEvent): void {
    event.preventDefault();
    const text = (this.renderRoot.querySelector("#position") as HTMLInputElement).value.trim().replaceAll(/[,_ ]/g, "");
    if (/^\d{1,15}$/.test(text)) this.commands.seek(Number(text));
    else this.commands.say(texts.notes.badPosition);
  }

  private get phaseText(): string {
    const { phase, end } = this.controller;
    return phase === "ended" && end ? texts.ended(end.outcome, end.reason) : texts.phases[phase];
  }

  private file(event: Event): void {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    if (file) this.commands.openFile(file);
    input.value = ""; // the same file may be chosen again
  }

  override render(): TemplateResult {
    const t = texts.bar;
    const { controller: c, commands } = this;
    const isMoving = c.phase === "running" || c.phase === "busy";
    const isOver = c.phase === "ended";
    const isNone = c.phase === "empty" || c.phase === "lost" || c.phase === "loading";
    return html`<div class="bar" role="group" aria-label=${t.label}>
      <select class="guest" aria-label=${t.guest} @change=${(e: Event) => commands.chooseGuest((e.target as HTMLSelectElement).value)}>
        ${this.chosen.kind === "file" ? html`<option value="" selected>${texts.file(this.chosen.name)}</option>` : ""}
        ${this.guests.map((g) => html`<option value=${g.name} title=${g.title} ?selected=${this.chosen.kind === "bundled" && g.name === this.chosen.name}>${g.name}</option>`)}
      </select>
      <button title=${t.openHelp} @click=${() => this.renderRoot.querySelector<HTMLInputElement>("#file")!.click()}>${t.open}</button>
      <input id="file" type="file" aria-label=${t.open} @change=${this.file} />
      <button title=${t.startHelp} ?disabled=${isNone || c.at === 0} @click=${() => commands.seek(0)}>${t.start}</button>
      <button title=${t.backHelp} ?disabled=${isNone || isMoving || c.at === 0} @click=${() => commands.back()}>${t.back}</button>
      <button class="primary" title=${t.stepHelp} ?disabled=${isNone || isMoving || isOver} @click=${() => commands.step()}>${t.step}</button>
      <button title=${t.insideHelp} ?disabled=${isNone || isMoving || isOver} @click=${() => commands.inside()}>${t.inside}</button>
      <button title=${t.lastExitHelp} ?disabled=${isNone || isMoving || c.at === 0} @click=${() => commands.lastExit()}>${t.lastExit}</button>
      <button title=${t.nextExitHelp} ?disabled=${isNone || isMoving || isOver} @click=${() => commands.nextExit()}>${t.nextExit}</button>
      ${
        isMoving
          ? html`<button @click=${() => commands.pause()}>${c.phase === "busy" ? t.cancel : t.pause}</button>`
          : html`<button ?disabled=${isNone || isOver} @click=${() => commands.run()}>${t.run}</button>`
      }
      <form class="position" @submit=${this.go}>
        <label for="position">${t.position}</label>
        <input id="position" inputmode="numeric" autocomplete="off" .value=${String(c.at)} ?disabled=${isNone} />
        <button ?disabled=${isNone}>${t.go}</button>
      </form>
      <span class="phase" role="status"><b>${this.phaseText}</b> <span class="soft">${t.of(c.furthest)}</span></span>
      <button @click=${() => commands.share()}>${t.share}</button>
      <select class="save" aria-label=${t.save} @change=${(e: Event) => {
        const select = e.target as HTMLSelectElement;
        const [kind, what] = select.value.split(" ") as ["svg" | "png", "view" | "page"];
        commands.save(kind, what);
        select.value = "";
      }}>
        <option value="" selected>${t.save}</option>
        <option value="svg view">${t.saveSvg}</option><option value="png view">${t.savePng}</option>
        <option value="svg page">${t.savePageSvg}</option><option value="png page">${t.savePagePng}</option>
      </select>
    </div>`;
  }
}

customElements.define("vx-toolbar", Toolbar);
