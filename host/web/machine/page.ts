/** The page of one machine: what runs, where it stands, and the views. */
import { html, LitElement, type TemplateResult } from "lit";
import type { Registers } from "../../lib/inspect.ts";
import type { Place } from "../shell/location.ts";
import { shared } from "../shell/styles.ts";
import { texts } from "../texts/machine.ts";
import { machineWorker, startWorker } from "../worker/client.ts";
import type { MachineService, Moved } from "../worker/machine-service.ts";
import type { GuestTitle } from "../worker/protocol.ts";

class MachinePage extends LitElement {
  static override properties = {
    place: { attribute: false },
    guests: { state: true },
    moved: { state: true },
    registers: { state: true },
    text: { state: true },
  };
  declare place: Place;
  declare guests: readonly GuestTitle[];
  declare moved: Moved | undefined;
  declare registers: Registers | undefined;
  declare text: string;
  private readonly client = startWorker<MachineService>(machineWorker, (problem) => console.error(problem));
  static override styles = shared;

  constructor() {
    super();
    this.guests = [];
    this.text = "";
    void this.start();
  }

  private async start(): Promise<void> {
    this.guests = await this.client.call((s) => s.guests());
    await this.load("mmio");
  }

  private async load(name: string): Promise<void> {
    this.text = "";
    const answer = await this.client.call((s) => s.load({ guest: { kind: "bundled", name }, knobs: {} }));
    if (answer.ok) await this.show(answer.value);
  }

  private async show(moved: Moved): Promise<void> {
    this.moved = moved;
    this.text += new TextDecoder().decode(moved.console);
    this.registers = await this.client.call((s) => s.registers());
  }

  override render(): TemplateResult {
    return html`<div class="row">
        <select aria-label=${texts.guest} @change=${(e: Event) => this.load((e.target as HTMLSelectElement).value)}>
          ${this.guests.map((g) => html`<option value=${g.name} ?selected=${g.name === "mmio"}>${g.name}: ${g.title}</option>`)}
        </select>
        <button @click=${async () => this.show(await this.client.call((s) => s.step()))}>${texts.step}</button>
        <button @click=${async () => this.show(await this.client.call((s) => s.run(1_000_000)))}>${texts.run}</button>
        <span>${texts.position(this.moved?.at ?? 0)}</span>
      </div>
      <pre class="mono">${this.text}</pre>
      <pre class="mono">rip ${this.registers?.rip.toString(16)}</pre>`;
  }
}

customElements.define("vx-machine-page", MachinePage);
