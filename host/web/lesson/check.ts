/** The check behind a claim: its lines, and what they say when they are run here and now. */
import { css, html, nothing, type TemplateResult } from "lit";
import type { CheckResult } from "../../lib/lesson/run-checks.ts";
import { texts } from "../texts/lesson.ts";

export interface OpenCheck {
  readonly name: string;
  readonly checks: readonly string[];
  readonly isRunning: boolean;
  readonly result: CheckResult | undefined;
  readonly problem: string | undefined;
  run(): void;
  close(): void;
}

export const checkStyles = css`
  .check {
    border: 1px solid var(--vx-good);
    border-radius: var(--vx-radius);
    background: var(--vx-surface);
    padding: var(--vx-space-2) var(--vx-space-3);
    margin: 0 0 var(--vx-space-3);
  }
  .check ol {
    margin: 0 0 var(--vx-space-2);
    padding-left: 1.5rem;
    font-size: var(--vx-size-small);
  }
  .check .wrong {
    color: var(--vx-bad);
  }
  .check .is {
    color: var(--vx-good);
  }
`;

export function renderCheck({ name, checks, isRunning, result, problem, run, close }: OpenCheck): TemplateResult {
  return html`<div class="check" role="group" aria-label=${texts.claimTitle(name)}>
    <ol>
      ${checks.map((text, i) => {
        const line = result?.lines[i];
        const said = line?.isSkipped
          ? texts.skipped
          : (line?.problem ?? (line?.is === undefined || line.ok ? undefined : texts.it(line.is)));
        return html`<li>
          <code>${text}</code>
          ${line ? html`<span class=${line.ok ? "is" : "wrong"}>${line.isSkipped ? "" : line.ok ? "✓" : "✗"} ${said ?? ""}</span>` : nothing}
        </li>`;
      })}
    </ol>
    ${problem === undefined ? nothing : html`<p class="wrong">${problem}</p>`}
    <div class="row">
      <button ?disabled=${isRunning} @click=${run}>${isRunning ? texts.running : texts.runClaim}</button>
      <button @click=${close}>${texts.close}</button>
      <span role="status">${result ? (result.ok ? `✓ ${texts.holds}` : `✗ ${texts.fails}`) : ""}</span>
    </div>
  </div>`;
}
