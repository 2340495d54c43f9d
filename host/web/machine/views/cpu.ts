/** Registers of a vCPU and the code it runs. */
import { css, html, type TemplateResult } from "lit";
import type { DisassembledLine } from "../../../lib/debug/disassemble.ts";
import { REGISTER_NAMES } from "../../../lib/inspect.ts";
import { shared } from "../../shell/styles.ts";
import { texts } from "../../texts/machine.ts";
import type { CpuLook, VcpuLook } from "../../worker/look/cpu.ts";
import type { MachineController } from "../controller.ts";
import { hex16 } from "../format.ts";
import { MachineView } from "../view.ts";

interface CpuData {
  readonly cpu: CpuLook;
  readonly code: readonly DisassembledLine[] | undefined;
}

const LINES = 10;

class CpuView extends MachineView<CpuData> {
  static override properties = { ...MachineView.properties, chosen: { state: true } };
  declare chosen: number;
  private earlier: VcpuLook | undefined;
  private earlierAt = -1;
  static override styles = [
    shared,
    css`
      .registers {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(11.25rem, 1fr));
        gap: 0 var(--vx-space-3);
        font: 0.75rem / 1.5 var(--vx-mono);
        margin: 0;
      }
      .short {
        grid-template-columns: repeat(auto-fill, minmax(7.75rem, 1fr));
      }
      .registers div {
        display: flex;
        gap: var(--vx-space-2);
      }
      dt {
        width: 2.75rem;
        color: var(--vx-text-soft);
      }
      dd {
        margin: 0;
      }
      .changed dd {
        background: var(--vx-warn-soft);
        font-weight: 700;
      }
      .code {
        width: 100%;
        margin-top: var(--vx-space-2);
        font-size: 0.75rem;
      }
      .code td {
        border: 0;
        padding: 0 var(--vx-space-2) 0 0;
        white-space: nowrap;
      }
      .code tr.now td {
        background: var(--vx-accent-soft);
        font-weight: 700;
      }
      .head {
        display: flex;
        justify-content: space-between;
        gap: var(--vx-space-2);
        align-items: center;
        margin-bottom: var(--vx-space-1);
      }
      .head select {
        min-height: 1.5rem;
        padding: 0 0.25rem;
      }
    `,
  ];

  constructor() {
    super();
    this.chosen = 0;
  }

  protected override async look(controller: MachineController): Promise<CpuData | undefined> {
    const cpu = await controller.ask((s) => s.cpu());
    if (!cpu) return undefined;
    if (controller.at !== this.earlierAt) this.earlier = this.data?.cpu.vcpus[this.chosen];
    this.earlierAt = controller.at;
    this.data = { cpu, code: this.data?.code };
    const slot = (cpu.vcpus[this.chosen] ?? cpu.vcpus[0])?.slot;
    if (slot === undefined) return { cpu, code: [] };
    const code =
      controller.phase === "running" ? this.data.code : await this.askForText((s) => s.code(slot, undefined, LINES));
    return { cpu, code };
  }

  protected override renderData({ cpu, code }: CpuData): TemplateResult {
    const vcpu = cpu.vcpus[this.chosen] ?? cpu.vcpus[0];
    if (!vcpu) return html`<p class="soft">${texts.cpu.gone}</p>`;
    const { registers: r } = vcpu;
    const old = this.earlier?.registers;
    const rows: [name: string, now: bigint, before: bigint | undefined][] = [
      ["rip", r.rip, old?.rip],
      ["rflags", BigInt(r.rflags), old && BigInt(old.rflags)],
      ...REGISTER_NAMES.map((n): [string, bigint, bigint | undefined] => [n, r.general[n], old?.general[n]]),
      ["cr0", r.cr0, old?.cr0],
      ["cr2", r.cr2, old?.cr2],
      ["cr3", r.cr3, old?.cr3],
      ["cr4", r.cr4, old?.cr4],
    ];
    // In 32-bit code the upper halves are zero, and only make it harder to read.
    const digits = rows.every(([, now]) => now < 2n ** 32n) ? 8 : 16;
    return html`<div class="head">
        <h2>${texts.cpu.title(vcpu.name, r.bitness, r.cpl)}${vcpu.pauseFlags ? ` (${texts.cpu.blocked})` : ""}</h2>
        ${
          cpu.vcpus.length > 1
            ? html`<select aria-label=${texts.cpu.choose} @change=${(e: Event) => {
                this.chosen = Number((e.target as HTMLSelectElement).value);
                this.earlier = undefined;
                void this.refresh();
              }}>${cpu.vcpus.map((v, i) => html`<option value=${i} ?selected=${i === this.chosen}>${v.name}</option>`)}</select>`
            : ""
        }
      </div>
      <dl class="registers ${digits === 8 ? "short" : ""}">
        ${rows.map(([name, now, was]) => html`<div class=${was !== undefined && was !== now ? "changed" : ""}><dt>${name}</dt><dd>${hex16(now).slice(16 - digits)}</dd></div>`)}
      </dl>
      ${
        code === undefined
          ? html`<p class="soft">${texts.cpu.loading}</p>`
          : html`<table class="code mono">
              <caption class="only-read">${texts.cpu.code}</caption>
              <tbody>
                ${code.map((line, i) => html`<tr class=${i === 0 ? "now" : ""}><td>${line.address.toString(16).padStart(8, "0")}</td><td>${line.bytes}</td><td>${line.text}</td></tr>`)}
              </tbody>
            </table>`
      }`;
  }
}

customElements.define("vx-cpu", CpuView);
