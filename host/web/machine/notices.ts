/** Messages of the page: what happened and what to do. Errors stay until they are dismissed. */
import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { shared } from "../shell/styles.ts";
import { texts } from "../texts/machine.ts";

export interface Notice {
  readonly kind: "info" | "problem";
  readonly text: string;
  readonly details?: readonly string[];
  readonly actions?: readonly { readonly label: string; readonly run: () => void }[];
}

class Notices extends LitElement {
  static override properties = { notice: { attribute: false } };
  declare notice: Notice | undefined;
  static override styles = [
    shared,
    css`
      .notice {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--vx-space-2) var(--vx-space-4);
        padding: var(--vx-space-2) var(--vx-space-4);
        background: var(--vx-accent-soft);
        border-bottom: 1px solid var(--vx-line);
      }
      .problem {
        background: var(--vx-bad-soft);
      }
      .text {
        flex: 1 1 20rem;
        min-width: 0;
        overflow-wrap: anywhere;
      }
      p,
      ul {
        margin: 0;
      }
    `,
  ];

  override render(): TemplateResult | typeof nothing {
    const { notice } = this;
    if (!notice) return nothing;
    return html`<div class="notice ${notice.kind}" role=${notice.kind === "problem" ? "alert" : "status"}>
      <div class="text">
        <p>${notice.text}</p>
        ${notice.details?.length ? html`<ul>${notice.details.map((d) => html`<li>${d}</li>`)}</ul>` : nothing}
      </div>
      ${notice.actions?.map((a) => html`<button @click=${a.run}>${a.label}</button>`)}
      <button @click=${() => this.dispatchEvent(new Event("vx-dismiss"))}>${texts.notes.dismiss}</button>
    </div>`;
  }
}

customElements.define("vx-notices", Notices);
