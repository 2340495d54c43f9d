/** Styles of the page of races. */
import { css } from "lit";

export const pageStyles = css`
  :host {
    display: block;
  }
  .hint {
    font-size: var(--vx-size-small);
    max-width: none;
    margin: 0;
  }
  .head > *,
  label.row {
    min-width: 0;
    max-width: 100%;
  }
  .race {
    padding: var(--vx-space-2) var(--vx-space-4) var(--vx-space-4);
    display: flex;
    flex-direction: column;
    gap: var(--vx-space-2);
  }
  .head {
    justify-content: space-between;
  }
  .head h1 small {
    font-size: var(--vx-size-small);
    color: var(--vx-text-soft);
    font-weight: 400;
  }
  .story {
    display: grid;
    grid-template-columns: 3fr 2fr;
    gap: 0 var(--vx-space-6);
  }
  .story h2 {
    font-size: var(--vx-size);
    margin: var(--vx-space-2) 0 0;
  }
  .story p,
  .story li {
    font-size: var(--vx-size-small);
  }
  .story ul {
    margin: 0;
    padding-left: 1.1rem;
  }
  details > summary {
    color: var(--vx-accent);
  }
  .over {
    outline: 4px dashed var(--vx-accent);
    outline-offset: -8px;
  }
  select.variant {
    width: 26rem;
    max-width: 100%;
    min-width: 0;
  }
  .breaks {
    color: var(--vx-bad);
    font-weight: 650;
  }
  .holds {
    color: var(--vx-good);
    font-weight: 650;
  }
  .problem {
    border: 2px solid var(--vx-bad);
    border-left-width: 8px;
    background: var(--vx-bad-soft);
    border-radius: var(--vx-radius);
    padding: var(--vx-space-2) var(--vx-space-3);
    margin: var(--vx-space-2) var(--vx-space-4);
  }
  @media (max-width: 860px) {
    .story {
      grid-template-columns: 1fr;
    }
    .race {
      padding-inline: var(--vx-space-2);
    }
  }
`;
