/** The catalogue of races: filter by words, go through with the arrow keys, open with Enter. */
import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { formatPlace } from "../shell/location.ts";
import { shared } from "../shell/styles.ts";
import { texts } from "../texts/race.ts";
import type { RaceCard } from "../worker/race-protocol.ts";

class RaceList extends LitElement {
  static override properties = { races: { attribute: false }, filter: { state: true } };
  declare races: readonly RaceCard[];
  declare filter: string;

  static override styles = [
    shared,
    css`
      :host {
        display: block;
        padding: var(--vx-space-4);
        max-width: 76rem;
        margin: 0 auto;
        width: 100%;
      }
      header {
        margin-bottom: var(--vx-space-3);
      }
      input {
        width: 24rem;
      }
      ul {
        list-style: none;
        margin: var(--vx-space-3) 0;
        padding: 0;
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr));
        gap: var(--vx-space-2);
      }
      li a {
        display: grid;
        grid-template-columns: 4.5rem 1fr;
        gap: 0 var(--vx-space-2);
        height: 100%;
        padding: var(--vx-space-2) var(--vx-space-3);
        background: var(--vx-surface);
        border: 1px solid var(--vx-line);
        border-radius: var(--vx-radius);
        color: var(--vx-text);
        text-decoration: none;
      }
      li a:hover {
        border-color: var(--vx-accent);
        background: var(--vx-raised);
      }
      .id {
        font-family: var(--vx-mono);
        font-size: var(--vx-size-small);
        color: var(--vx-text-soft);
        padding-top: 0.15em;
      }
      .title {
        font-weight: 600;
      }
      .name {
        font-family: var(--vx-mono);
        font-size: var(--vx-size-small);
      }
      small {
        color: var(--vx-text-soft);
        white-space: nowrap;
        padding-left: 0.5em;
      }
    `,
  ];

  constructor() {
    super();
    this.races = [];
    this.filter = "";
  }

  private get shown(): readonly RaceCard[] {
    const words = this.filter.toLowerCase().split(/\s+/).filter(Boolean);
    return this.races.filter((race) => {
      const text = `${race.id} ${race.name} ${race.title} ${race.background}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
  }

  /** Down from the filter into the list, and through it. */
  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const links = [...this.renderRoot.querySelectorAll<HTMLElement>("li a")];
    const at = links.indexOf(this.shadowRoot!.activeElement as HTMLElement);
    const next = event.key === "ArrowDown" ? at + 1 : at - 1;
    event.preventDefault();
    (links[next] ?? this.renderRoot.querySelector<HTMLElement>("input"))?.focus();
  };

  private renderCard(race: RaceCard): TemplateResult {
    const broken = race.variants.filter((v) => v.expect !== "clean").length;
    return html`<li>
      <a href=${formatPlace("race", race.name)}>
        <span class="id">${race.isOwn ? texts.own : race.id === "-" ? nothing : race.id}</span>
        <span>
          <span class="title">${race.title}</span><br />
          <span class="name">${race.name}</span>
          <small class="counts" title=${texts.variants(broken, race.variants.length - broken)}>
            <span class="only-read">${texts.variants(broken, race.variants.length - broken)}</span>
            <span aria-hidden="true">✗ ${broken} ✓ ${race.variants.length - broken}</span>
          </small>
        </span>
      </a>
    </li>`;
  }

  override render(): TemplateResult {
    const { shown } = this;
    return html`
      <header>
        <h1>${texts.title}</h1>
        <p class="soft">${texts.intro} ${texts.drop}</p>
      </header>
      <div @keydown=${this.onKey}>
        <label class="row">
          ${texts.filter}
          <input
            type="search"
            placeholder=${texts.filterHint}
            .value=${this.filter}
            @input=${(event: Event) => {
              this.filter = (event.target as HTMLInputElement).value;
            }}
          />
          <span class="soft" role="status">${shown.length === 0 ? texts.none(this.filter) : texts.count(shown.length)}</span>
        </label>
        <ul>
          ${shown.map((race) => this.renderCard(race))}
        </ul>
      </div>
    `;
  }
}

customElements.define("vx-race-list", RaceList);
