/** A race in words: what it is about, who takes part, and which hypervisor this is. */
import { html, nothing, type TemplateResult } from "lit";
import { texts } from "../texts/race.ts";
import type { Staged } from "../worker/race-protocol.ts";

/** What somebody has to know who has never seen any of it. */
export function renderStory(staged: Staged, isOpen: boolean): TemplateResult {
  const { race, cast, variant } = staged;
  const chosen = race.variants.find((v) => v.name === variant)!;
  const isClean = chosen.expect === "clean";
  return html`<details ?open=${isOpen}>
    <summary>${texts.story}</summary>
    <div class="story">
      <div>
        ${race.background ? html`<p>${race.background}</p>` : html`<p>${race.lesson}</p>`}
        <h2>${texts.thisRun}</h2>
        <p>
          ${chosen.text}.
          <span class=${isClean ? "holds" : "breaks"}>${isClean ? `✓ ${texts.holds}` : `✗ ${texts.breaks}: ${chosen.expect}`}</span>
        </p>
      </div>
      <div>
        <h2>${texts.cast}</h2>
        <ul>
          ${cast.map(({ name, role }) => html`<li><strong>${name}</strong>: ${role}</li>`)}
        </ul>
        ${
          race.background
            ? html`<details>
                <summary>${texts.lesson}</summary>
                <p>${race.lesson}</p>
              </details>`
            : nothing
        }
      </div>
    </div>
  </details>`;
}

/** The choice of a hypervisor: those that break the rule, and those that hold. */
export function renderVariants(staged: Staged, choose: (variant: string) => void): TemplateResult {
  const group = (isClean: boolean): TemplateResult =>
    html`<optgroup label=${isClean ? texts.holds : texts.breaks}>
      ${staged.race.variants
        .filter((v) => (v.expect === "clean") === isClean)
        .map(
          (v) =>
            html`<option value=${v.name} ?selected=${v.name === staged.variant}>${isClean ? "✓" : "✗"} ${v.name}: ${v.text}</option>`,
        )}
    </optgroup>`;
  return html`<label class="row"
    >${texts.variant}
    <select class="variant" .value=${staged.variant} @change=${(e: Event) => choose((e.target as HTMLSelectElement).value)}>
      ${group(false)} ${group(true)}
    </select></label
  >`;
}
