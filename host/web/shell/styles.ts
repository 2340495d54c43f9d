/** Styles that every component shares: controls, tables, headings, focus, text for screen readers only. */
import { css } from "lit";

export const shared = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  :host {
    color: var(--vx-text);
    font: var(--vx-size) / 1.5 var(--vx-font);
  }
  :host([hidden]),
  [hidden] {
    display: none !important;
  }
  h1,
  h2,
  h3 {
    margin: 0;
    line-height: 1.25;
    font-weight: 650;
    text-wrap: balance;
  }
  h1 {
    font-size: var(--vx-size-title);
  }
  h2 {
    font-size: var(--vx-size-large);
  }
  h3 {
    font-size: var(--vx-size);
  }
  p {
    margin: 0 0 var(--vx-space-2);
    max-width: 72ch;
  }
  a {
    color: var(--vx-accent);
  }
  code,
  kbd,
  .mono {
    font-family: var(--vx-mono);
    font-size: 0.92em;
  }
  .soft {
    color: var(--vx-text-soft);
  }
  button,
  select,
  input,
  textarea {
    font: inherit;
    color: inherit;
    background: var(--vx-surface);
    border: 1px solid var(--vx-line-strong);
    border-radius: var(--vx-radius);
    padding: 0.25rem 0.625rem;
    min-height: 2rem;
    max-width: 100%;
  }
  button {
    cursor: pointer;
    white-space: nowrap;
  }
  button:hover:not(:disabled) {
    background: var(--vx-raised);
  }
  button.primary {
    background: var(--vx-accent);
    border-color: var(--vx-accent);
    color: var(--vx-on-accent);
    font-weight: 600;
  }
  button.primary:hover:not(:disabled) {
    background: var(--vx-accent);
    filter: brightness(1.08);
  }
  button:disabled {
    cursor: default;
    opacity: 0.55;
  }
  button[aria-pressed="true"],
  [aria-selected="true"] {
    background: var(--vx-accent-soft);
    border-color: var(--vx-accent);
  }
  :focus-visible {
    outline: 3px solid var(--vx-focus);
    outline-offset: 1px;
  }
  table {
    border-collapse: collapse;
    font-size: var(--vx-size-small);
  }
  caption {
    text-align: left;
    color: var(--vx-text-soft);
    padding-bottom: var(--vx-space-1);
  }
  th,
  td {
    text-align: left;
    vertical-align: baseline;
    padding: 0.1875rem 0.625rem 0.1875rem 0;
    border-bottom: 1px solid var(--vx-line);
  }
  th {
    font-weight: 600;
    white-space: nowrap;
  }
  td.number,
  th.number {
    text-align: right;
    font-variant-numeric: tabular-nums;
  }
  summary {
    cursor: pointer;
    color: var(--vx-text-soft);
    font-size: var(--vx-size-small);
  }
  .scroll {
    overflow: auto;
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--vx-space-2);
  }
  .card {
    background: var(--vx-surface);
    border: 1px solid var(--vx-line);
    border-radius: var(--vx-radius);
    padding: var(--vx-space-3) var(--vx-space-4);
  }
  .only-read {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: reduce) {
    * {
      transition-duration: 0ms !important;
      animation-duration: 0ms !important;
    }
  }
`;
