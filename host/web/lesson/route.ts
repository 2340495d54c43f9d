/** The route #/lesson: not built yet, and says so. */
import { html, LitElement, type TemplateResult } from "lit";
import type { Place } from "../shell/location.ts";
import { shared } from "../shell/styles.ts";

export const tag = "vx-lesson-page";

class Page extends LitElement {
  declare place: Place;
  static override properties = { place: { attribute: false } };
  static override styles = shared;
  override render(): TemplateResult {
    return html`<p class="card">This part of the lab is not built yet.</p>`;
  }
}

customElements.define(tag, Page);
