/**
 * What all views of a machine have in common: they belong to a controller, ask for their part of the state whenever it changed and they can
 * be seen, and show it with a heading and buttons to save the picture.
 */
import { type CSSResultGroup, html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { shared } from "../shell/styles.ts";
import { texts } from "../texts/machine.ts";
import type { Asked } from "../worker/client.ts";
import type { MachineService } from "../worker/machine-service.ts";
import type { MachineController } from "./controller.ts";

export abstract class MachineView<Data> extends LitElement {
  static override properties: PropertyDeclarations = { controller: { attribute: false }, data: { state: true } };
  static override styles: CSSResultGroup = shared;
  declare controller: MachineController;
  declare data: Data | undefined;
  private isAsking = false;
  private isStale = false;
  private hasText = false;
  private textOnItsWay: Promise<void> | undefined;

  /** Looking is cheap enough to be done while the guest runs. */
  protected get isLive(): boolean {
    return true;
  }

  /** Asks the worker. */
  protected abstract look(controller: MachineController): Promise<Data | undefined>;
  protected abstract renderData(data: Data): TemplateResult;

  /**
   * A question that needs the disassembler. That is large: the first time the rest of the view does not wait for it, and the view is
   * refreshed when it has come.
   */
  protected async askForText<R>(question: (service: Asked<MachineService>) => Promise<R>): Promise<R | undefined> {
    if (this.hasText) return this.controller.ask(question);
    this.textOnItsWay ??= this.controller.ask(question).then(() => {
      this.hasText = true;
      void this.refresh();
    });
    return undefined;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.controller?.addEventListener("change", this.refresh);
    void this.refresh();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.controller?.removeEventListener("change", this.refresh);
  }

  override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has("controller")) return;
    (changed.get("controller") as MachineController | undefined)?.removeEventListener("change", this.refresh);
    this.controller.addEventListener("change", this.refresh);
    void this.refresh();
  }

  /** One question at a time; what changed meanwhile is asked for afterwards. */
  protected readonly refresh = async (): Promise<void> => {
    if (!this.controller || !this.isConnected) return;
    const { phase } = this.controller;
    if (!this.isLive && (phase === "running" || phase === "busy")) return;
    if (this.isAsking) {
      this.isStale = true;
      return;
    }
    this.isAsking = true;
    do {
      this.isStale = false;
      const data = await this.look(this.controller);
      if (data !== undefined) this.data = data;
    } while (this.isStale);
    this.isAsking = false;
    // Things that are not data (phase, position) may have changed as well.
    this.requestUpdate();
  };

  override render(): TemplateResult {
    return html`${this.data === undefined ? html`<p class="soft">${texts.nothingYet}</p>` : this.renderData(this.data)}${nothing}`;
  }
}
