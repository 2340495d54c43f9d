/** Styles of the lanes: cards on lifelines on a screen, one below the other on a phone. */
import { css } from "lit";

export const lanesStyles = css`
  :host {
    display: block;
    overflow: auto;
    background: var(--vx-surface);
    border: 1px solid var(--vx-line);
    border-radius: var(--vx-radius);
    /* Sticky heads must not hide what has the focus. */
    scroll-padding: 3rem 0 2rem;
  }
  table {
    width: 100%;
    table-layout: fixed;
    border-collapse: separate;
    border-spacing: 0;
    min-width: calc(3rem + var(--actors) * 9rem + 9rem);
  }
  th,
  td {
    border: 0;
    padding: 0.1875rem 0.375rem;
  }
  thead th {
    position: sticky;
    top: 0;
    background: var(--vx-surface);
    z-index: 2;
    padding-block: var(--vx-space-2);
    border-bottom: 1px solid var(--vx-line);
  }
  .n {
    width: 3rem;
    text-align: right;
  }
  .changed {
    width: 23%;
  }
  .chip {
    display: block;
    text-align: center;
    border-radius: var(--vx-radius);
    border: 2px solid var(--colour);
    color: var(--vx-text);
    padding: 0.0625rem 0.5rem;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  td.lane {
    background: linear-gradient(var(--colour), var(--colour)) center / 2px 100% no-repeat;
  }
  .card {
    position: relative;
    padding: 0.1875rem 0.5rem 0.25rem;
    border: 1px solid var(--colour);
    border-left-width: 5px;
    background: var(--vx-surface);
    font-size: var(--vx-size-small);
    line-height: 1.35;
    overflow-wrap: break-word;
  }
  .outcome {
    display: block;
    color: var(--vx-text-soft);
    font-style: italic;
  }
  .outcome::before {
    content: "→ ";
  }
  .loss {
    color: var(--vx-bad);
    font-weight: 700;
    font-style: normal;
  }
  /* Not by opacity: what is to come must be readable as well. */
  tr.future .card,
  tr.future .changed {
    color: var(--vx-text-soft);
  }
  tr.future .card {
    border-style: dashed;
    border-left-style: solid;
  }
  tr.future .loss {
    color: inherit;
    font-weight: 400;
  }
  tr.future .verdict {
    background: none;
    border-style: dashed;
  }
  tr[aria-current] > td,
  tr[aria-current] > th {
    background-color: var(--vx-accent-soft);
  }
  tr[aria-current] .card {
    box-shadow: 0 0 0 2px var(--vx-accent);
  }
  .changed {
    font-size: var(--vx-size-small);
    line-height: 1.35;
  }
  .n button {
    min-height: 1.5rem;
    padding: 0 0.375rem;
    border-color: transparent;
    background: none;
    color: var(--vx-text-soft);
    font-variant-numeric: tabular-nums;
  }
  tr[aria-current] .n button {
    color: var(--vx-text);
    font-weight: 700;
  }
  .broken td {
    padding: var(--vx-space-1) 0.375rem var(--vx-space-2);
  }
  .verdict {
    border: 2px solid var(--vx-bad);
    border-left-width: 8px;
    border-radius: var(--vx-radius);
    background: var(--vx-bad-soft);
    padding: var(--vx-space-2) var(--vx-space-3);
  }
  .verdict.good {
    border-color: var(--vx-good);
    background: var(--vx-good-soft);
  }
  .verdict strong::before {
    content: "✗ ";
  }
  .verdict.good strong::before {
    content: "✓ ";
  }
  .loop td {
    border-top: 2px dashed var(--vx-bad);
    color: var(--vx-bad);
    font-size: var(--vx-size-small);
  }
  @media (max-width: 640px) {
    table,
    tbody {
      display: block;
      min-width: 0;
    }
    thead {
      display: none;
    }
    tr {
      display: grid;
      grid-template-columns: 2.75rem 1fr;
    }
    td.lane.empty {
      display: none;
    }
    td.lane {
      background: none;
    }
    td.lane .actor {
      display: block;
      font-weight: 650;
    }
    td.changed {
      width: auto;
      grid-column: 2;
      color: var(--vx-text-soft);
    }
    .broken td,
    .loop td {
      grid-column: 1 / -1;
    }
  }
  @media (min-width: 641px) {
    .actor {
      display: none;
    }
  }
`;
