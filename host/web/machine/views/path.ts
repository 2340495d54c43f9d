/** The path of a store: ten steps from the TLB to the device and back; those that the last instruction took are lit. */
import { css, html, type TemplateResult } from "lit";
import { type PathStep, type PathView, pathOf } from "../../model/path.ts";
import { shared } from "../../shell/styles.ts";
import { texts } from "../../texts/machine.ts";
import type { PathEvidence } from "../../worker/protocol.ts";
import type { MachineController } from "../controller.ts";
import { MachineView } from "../view.ts";

interface PathData {
  readonly evidence: PathEvidence;
  readonly path: PathView;
  /** The instruction as text; empty until the disassembler is there. */
  readonly text: string;
}

/** A door stands after these steps. */
const DOORS: Readonly<Record<number, "silicon" | "host">> = { 4: "silicon", 8: "host" };

class PathOfAStore extends MachineView<PathData> {
  static override styles = [
    shared,
    css`
      ol {
        list-style: none;
        margin: 0;
        padding: 0;
      }
      .instruction {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        gap: 0 var(--vx-space-3);
        margin-bottom: var(--vx-space-2);
      }
      .instruction .mono {
        font-size: var(--vx-size-large);
        font-weight: 600;
      }
      li {
        display: grid;
        grid-template-columns: 2rem minmax(8.5rem, 13rem) 1fr;
        gap: var(--vx-space-2);
        align-items: center;
        min-height: 2rem;
        margin-bottom: 2px;
        padding: 0 0.5rem 0 0;
        border-radius: var(--vx-radius);
        transition: background var(--vx-time);
      }
      .badge {
        display: grid;
        place-items: center;
        width: 1.625rem;
        height: 1.625rem;
        border-radius: 50%;
        border: 2px solid var(--vx-line-strong);
        font-weight: 700;
        font-size: var(--vx-size-small);
        font-variant-numeric: tabular-nums;
      }
      .name {
        line-height: 1.1;
      }
      .file {
        display: block;
        font-size: 0.6875rem;
        color: var(--vx-text-soft);
      }
      .evidence {
        font-size: var(--vx-size-small);
        line-height: 1.3;
        overflow-wrap: anywhere;
      }
      .taken {
        background: var(--vx-accent-soft);
      }
      .taken .badge {
        background: var(--vx-accent);
        border-color: var(--vx-accent);
        color: var(--vx-on-accent);
      }
      .taken .name b {
        font-weight: 700;
      }
      .name b {
        font-weight: 500;
      }
      .waiting {
        background: var(--vx-warn-soft);
      }
      .waiting .badge {
        border: 3px dashed var(--vx-warn);
        color: var(--vx-warn);
      }
      .skipped .name,
      .ahead .name,
      .skipped .evidence,
      .ahead .evidence {
        color: var(--vx-text-soft);
      }
      .door {
        display: flex;
        align-items: center;
        gap: var(--vx-space-2);
        min-height: 1.125rem;
        font-size: 0.75rem;
        color: var(--vx-text-soft);
        padding: 0;
      }
      .door::before,
      .door::after {
        content: "";
        flex: 1;
        border-top: 3px double var(--vx-line-strong);
      }
      .door::before {
        flex: 0 0 1.75rem;
      }
      @media (max-width: 560px) {
        li {
          grid-template-columns: 2rem 1fr;
          row-gap: 0;
          padding-block: 0.25rem;
        }
        .evidence {
          grid-column: 2;
        }
      }
    `,
  ];

  /** The instruction may have to be run once more. */
  protected override get isLive(): boolean {
    return false;
  }

  protected override async look(controller: MachineController): Promise<PathData | undefined> {
    const evidence = await controller.ask((s) => s.path());
    if (!evidence) return undefined;
    this.data = { evidence, path: pathOf(evidence), text: "" };
    const line = await controller.ask((s) => s.disassembleOne(evidence.bytes, evidence.rip, evidence.bitness));
    return { ...this.data, text: line ?? "" };
  }

  private renderStep(step: PathStep): TemplateResult {
    const { title, file } = texts.path.steps[step.name];
    const state = texts.path.states[step.state];
    return html`<li class=${step.state}>
      <span class="badge" aria-hidden="true">${step.number}</span>
      <span class="name"><b>${title}</b><span class="file mono">${file}</span></span>
      <span class="evidence"><span class=${step.state === "taken" ? "only-read" : ""}>${state}</span>
        ${step.evidence.length > 0 ? step.evidence.join("; ") : ""}</span>
    </li>`;
  }

  protected override renderData({ evidence, path, text }: PathData): TemplateResult {
    const bytes = Array.from(evidence.bytes.subarray(0, 8), (b) => b.toString(16).padStart(2, "0")).join(" ");
    const where = texts.path.where(evidence.before, evidence.vcpu, evidence.rip.toString(16), path.isComplete);
    return html`<p class="instruction" aria-live="polite">
        <span class="mono">${text || bytes}</span>
        <span class="soft">${evidence.before < 0 ? texts.path.none : where}</span>
      </p>
      <ol aria-label=${texts.views.path.title}>
        ${path.steps.map((step) => {
          const door = DOORS[step.number];
          return html`${this.renderStep(step)}${door ? html`<li class="door">${texts.path.doors[door]}</li>` : ""}`;
        })}
      </ol>`;
  }
}

customElements.define("vx-path", PathOfAStore);
