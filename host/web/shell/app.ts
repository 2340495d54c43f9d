/** The frame of the page: header, navigation, theme, and the route that the address names. */
import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { texts } from "../texts/en.ts";
import { type Place, parsePlace } from "./location.ts";
import { FIRST_ROUTE, ROUTES, type Routed } from "./routes.ts";
import { shared } from "./styles.ts";
import { applyTheme, storedTheme, THEMES, type Theme } from "./theme.ts";

type Problem = { readonly kind: "unknown"; readonly name: string } | { readonly kind: "failed"; readonly why: string };

class App extends LitElement {
  static override properties = { place: { state: true }, problem: { state: true }, isLoading: { state: true } };
  declare place: Place;
  declare problem: Problem | undefined;
  declare isLoading: boolean;
  private page: Routed | undefined;
  private theme: Theme = storedTheme();

  static override styles = [
    shared,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-height: 100vh;
      }
      header {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--vx-space-1) var(--vx-space-4);
        padding: var(--vx-space-1) var(--vx-space-4);
        background: var(--vx-surface);
        border-bottom: 1px solid var(--vx-line);
      }
      .brand {
        font-weight: 750;
        font-size: var(--vx-size-large);
        color: var(--vx-text);
        text-decoration: none;
      }
      nav {
        display: flex;
        gap: var(--vx-space-1);
        flex: 1;
      }
      nav a {
        color: var(--vx-text);
        text-decoration: none;
        padding: 0.25rem 0.625rem;
        border-radius: var(--vx-radius);
      }
      nav a:hover {
        background: var(--vx-raised);
      }
      nav a[aria-current] {
        background: var(--vx-accent-soft);
        box-shadow: inset 0 -2px 0 var(--vx-accent);
      }
      main {
        flex: 1;
        min-width: 0;
        display: flex;
        flex-direction: column;
      }
      main > * {
        flex: 1;
        min-width: 0;
      }
      @media (min-width: 961px) {
        :host {
          height: 100vh;
        }
        main {
          min-height: 0;
          overflow: auto;
        }
      }
      .skip {
        position: absolute;
        left: -100vw;
        background: var(--vx-surface);
        padding: var(--vx-space-2);
        z-index: 10;
      }
      .skip:focus {
        left: var(--vx-space-2);
      }
      .message {
        padding: var(--vx-space-6);
        flex: 0;
      }
      select {
        font-size: var(--vx-size-small);
      }
    `,
  ];

  constructor() {
    super();
    this.place = parsePlace(location.hash);
    this.problem = undefined;
    this.isLoading = true;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    applyTheme(this.theme);
    window.addEventListener("hashchange", this.go);
    void this.go();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("hashchange", this.go);
  }

  private readonly go = async (): Promise<void> => {
    const place = parsePlace(location.hash);
    const name = place.route === "" ? FIRST_ROUTE : place.route;
    const route = ROUTES.find((r) => r.name === name);
    this.place = place;
    if (!route) {
      this.page = undefined;
      this.problem = { kind: "unknown", name };
      return;
    }
    this.isLoading = true;
    try {
      const { tag } = await route.load();
      if (this.page?.localName !== tag) this.page = document.createElement(tag) as Routed;
      this.page.place = place;
      this.problem = undefined;
      document.title = `${texts.nav[route.label]} - ${texts.brand}`;
    } catch (error) {
      this.page = undefined;
      this.problem = { kind: "failed", why: error instanceof Error ? error.message : String(error) };
    }
    this.isLoading = false;
  };

  private renderProblem(problem: Problem): TemplateResult {
    const isUnknown = problem.kind === "unknown";
    return html`<div class="message" role="alert">
      <h1>${isUnknown ? texts.noRoute(problem.name) : texts.routeFailed(problem.why)}</h1>
      <p>${isUnknown ? texts.noRouteHelp : texts.routeFailedHelp}</p>
      ${
        isUnknown
          ? html`<ul>
              ${ROUTES.map((r) => html`<li><a href="#/${r.name}">${texts.nav[r.label]}</a></li>`)}
            </ul>`
          : html`<button @click=${() => location.reload()}>${texts.reload}</button>`
      }
    </div>`;
  }

  override render(): TemplateResult {
    const current = this.place.route === "" ? FIRST_ROUTE : this.place.route;
    return html`
      <a class="skip" href="#content" @click=${this.skip}>${texts.skip}</a>
      <header>
        <a class="brand" href="#/" title=${texts.brandTitle}>${texts.brand}</a>
        <nav aria-label=${texts.navLabel}>
          ${ROUTES.map(
            (r) =>
              html`<a href="#/${r.name}" aria-current=${r.name === current ? "page" : nothing}>${texts.nav[r.label]}</a>`,
          )}
        </nav>
        <select
          aria-label=${texts.theme.label}
          @change=${(event: Event) => {
            this.theme = (event.target as HTMLSelectElement).value as Theme;
            applyTheme(this.theme);
          }}
        >
          ${THEMES.map((t) => html`<option value=${t} ?selected=${t === this.theme}>${texts.theme[t]}</option>`)}
        </select>
      </header>
      <main id="content" tabindex="-1">
        ${this.problem ? this.renderProblem(this.problem) : (this.page ?? (this.isLoading ? html`<p class="message">${texts.loading}</p>` : nothing))}
      </main>
    `;
  }

  /** Not by the address: that belongs to the routes. */
  private skip(event: Event): void {
    event.preventDefault();
    this.renderRoot.querySelector("main")?.focus();
  }
}

customElements.define("vx-app", App);
