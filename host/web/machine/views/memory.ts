/** Guest memory in hexadecimal, by physical or linear address. */
import { css, html, type TemplateResult } from "lit";
import { memoryRows, parseAddress } from "../../model/memory-rows.ts";
import { shared } from "../../shell/styles.ts";
import { texts } from "../../texts/machine.ts";
import type { MemoryLook } from "../../worker/look/memory.ts";
import type { MachineController } from "../controller.ts";
import { hex, hex16 } from "../format.ts";
import { MachineView } from "../view.ts";

const BYTES = 512;

class MemoryView extends MachineView<MemoryLook> {
  static override properties = {
    ...MachineView.properties,
    space: { state: true },
    address: { state: true },
    problem: { state: true },
  };
  declare space: "physical" | "virtual";
  declare address: bigint;
  declare problem: string;
  static override styles = [
    shared,
    css`
      form,
      select,
      input,
      button {
        font-size: var(--vx-size-small);
      }
      form {
        margin-bottom: var(--vx-space-2);
      }
      input {
        width: 9rem;
        font-family: var(--vx-mono);
      }
      table {
        font-size: 0.75rem;
      }
      td,
      th {
        padding-right: 0.375rem;
        border: 0;
        line-height: 1.25;
      }
      .hole {
        color: var(--vx-text-soft);
      }
      .text {
        white-space: pre;
        padding-left: var(--vx-space-2);
      }
      .problem {
        color: var(--vx-bad);
      }
    `,
  ];

  constructor() {
    super();
    this.space = "physical";
    this.address = 0x10_0000n;
    this.problem = "";
  }

  protected override async look(controller: MachineController): Promise<MemoryLook | undefined> {
    const cpu = this.space === "virtual" ? await controller.ask((s) => s.cpu()) : undefined;
    const slot = cpu?.vcpus[0]?.slot ?? 0;
    return controller.ask((s) => s.memory(this.space, slot, this.address, BYTES));
  }

  private go(address: bigint): void {
    const last = 2n ** 48n - BigInt(BYTES);
    this.address = address < 0n ? 0n : address > last && this.space === "physical" ? last : address;
    void this.refresh();
  }

  private submit(event: SubmitEvent): void {
    event.preventDefault();
    const text = (this.renderRoot.querySelector("input") as HTMLInputElement).value;
    const address = parseAddress(text);
    this.problem = address === undefined ? texts.memory.badAddress(text) : "";
    if (address !== undefined) this.go(address - (address % 16n));
  }

  override render(): TemplateResult {
    return html`<form class="row" @submit=${this.submit}>
        <label>${texts.memory.space}
          <select @change=${(e: Event) => {
            this.space = (e.target as HTMLSelectElement).value as "physical" | "virtual";
            void this.refresh();
          }}>
            <option value="physical">${texts.memory.physical}</option><option value="virtual">${texts.memory.virtual}</option>
          </select></label>
        <label>${texts.memory.address} <input .value=${hex(this.address)} spellcheck="false" autocomplete="off" /></label>
        <button>${texts.memory.show}</button>
        <button type="button" @click=${() => this.go(this.address - BigInt(BYTES))}>${texts.memory.before}</button>
        <button type="button" @click=${() => this.go(this.address + BigInt(BYTES))}>${texts.memory.after}</button>
      </form>
      ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : ""}
      ${this.data ? this.renderData(this.data) : ""}`;
  }

  protected override renderData({ bytes, backed }: MemoryLook): TemplateResult {
    return html`<div class="scroll"><table class="mono">
        <caption>${texts.memory.caption}</caption>
        <thead><tr><th scope="col">${texts.memory.address}</th>${Array.from({ length: 16 }, (_, i) => html`<th scope="col">${i.toString(16)}</th>`)}<th scope="col">${texts.memory.text}</th></tr></thead>
        <tbody>
          ${memoryRows(this.address, bytes, backed).map(
            (row) => html`<tr><th scope="row">${hex16(row.address).slice(4)}</th>
              ${row.cells.map((cell) => html`<td class=${cell === "--" ? "hole" : ""}>${cell}</td>`)}
              <td class="text">${row.text}</td></tr>`,
          )}
        </tbody>
      </table></div>`;
  }
}

customElements.define("vx-memory", MemoryView);
