/** Styles of the page of lessons. */
import { css } from "lit";

export const pageStyles = css`
  :host {
    display: block;
  }
  .problem {
    border: 2px solid var(--vx-bad);
    border-left-width: 8px;
    background: var(--vx-bad-soft);
    border-radius: var(--vx-radius);
    padding: var(--vx-space-2) var(--vx-space-3);
    margin: var(--vx-space-2) var(--vx-space-4);
  }
  .list {
    max-width: 60rem;
    margin: 0 auto;
    padding: var(--vx-space-4);
  }
  .list ol {
    padding: 0;
    list-style: none;
    counter-reset: lesson;
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr));
    gap: var(--vx-space-2);
  }
  .list li {
    counter-increment: lesson;
  }
  .list li a {
    display: grid;
    grid-template-columns: 2.25rem 1fr auto;
    gap: 0 var(--vx-space-2);
    align-items: baseline;
    align-content: start;
    height: 100%;
    padding: var(--vx-space-3) var(--vx-space-4);
    background: var(--vx-surface);
    border: 1px solid var(--vx-line);
    border-radius: var(--vx-radius);
    color: var(--vx-text);
    text-decoration: none;
  }
  .list li a::before {
    content: counter(lesson);
    font-size: var(--vx-size-large);
    font-weight: 700;
    color: var(--vx-accent);
    font-variant-numeric: tabular-nums;
  }
  .list li a:hover {
    border-color: var(--vx-accent);
    background: var(--vx-raised);
  }
  .list .title {
    font-weight: 650;
    font-size: var(--vx-size-large);
  }
  .list li .soft {
    font-size: var(--vx-size-small);
    text-align: right;
  }
  .list .goal {
    grid-column: 2 / -1;
    color: var(--vx-text-soft);
  }
  .done {
    color: var(--vx-good);
  }
  .lesson {
    display: grid;
    grid-template-columns: minmax(20rem, 38rem) minmax(0, 1fr);
    height: calc(100vh - 2.625rem);
  }
  .text {
    padding: var(--vx-space-3) var(--vx-space-6) var(--vx-space-6) var(--vx-space-4);
    line-height: 1.6;
    overflow: auto;
  }
  .text h2 {
    margin: var(--vx-space-6) 0 var(--vx-space-2);
  }
  .text p {
    margin: 0 0 var(--vx-space-3);
  }
  .crumbs {
    display: flex;
    justify-content: space-between;
    gap: var(--vx-space-4);
    font-size: var(--vx-size-small);
  }
  .goal strong {
    font-weight: 650;
  }
  .text .goal {
    margin-top: var(--vx-space-2);
    color: var(--vx-text-soft);
  }
  code {
    background: var(--vx-raised);
    border-radius: 3px;
    padding: 0 0.25em;
  }
  pre {
    background: var(--vx-surface);
    border: 1px solid var(--vx-line);
    border-radius: var(--vx-radius);
    padding: var(--vx-space-2) var(--vx-space-3);
    font-size: var(--vx-size-small);
    line-height: 1.45;
  }
  pre code {
    background: none;
    padding: 0;
  }
  cite {
    font-style: normal;
    font-weight: 600;
  }
  blockquote {
    margin: 0 0 var(--vx-space-3);
    padding: var(--vx-space-2) var(--vx-space-3);
    border-left: 5px solid var(--vx-accent);
    background: var(--vx-accent-soft);
    border-radius: 0 var(--vx-radius) var(--vx-radius) 0;
  }
  .claim {
    min-height: 0;
    padding: 0 0.3em;
    margin-left: 0.1em;
    font-size: 0.75em;
    line-height: 1.5;
    vertical-align: 0.3em;
    border-color: transparent;
    background: none;
    color: var(--vx-good);
    font-weight: 700;
  }
  .claim:hover,
  .claim[aria-expanded="true"] {
    border-color: var(--vx-good);
    background: var(--vx-good-soft);
  }
  button.live {
    white-space: normal;
    text-align: left;
  }
  .notes {
    border: 1px dashed var(--vx-line-strong);
    border-radius: var(--vx-radius);
    padding: 0 var(--vx-space-4) var(--vx-space-2);
    background: var(--vx-raised);
  }
  .notes h2 {
    margin-top: var(--vx-space-3);
  }
  .steps {
    display: flex;
    flex-wrap: wrap;
    justify-content: space-between;
    gap: var(--vx-space-2) var(--vx-space-4);
    margin-top: var(--vx-space-6);
    padding-top: var(--vx-space-3);
    border-top: 1px solid var(--vx-line);
  }
  .live-side {
    overflow: auto;
    padding: var(--vx-space-3) var(--vx-space-4);
    border-left: 1px solid var(--vx-line);
    background: var(--vx-page);
    display: flex;
    flex-direction: column;
    gap: var(--vx-space-2);
  }
  .live-side > :last-child {
    flex: 1;
  }
  vx-race-stage {
    --vx-stage-height: max(14rem, calc(100vh - 27rem));
  }
  @media (max-width: 860px) {
    .lesson {
      grid-template-columns: minmax(0, 1fr);
      height: auto;
    }
    .text {
      padding: var(--vx-space-3);
      overflow: visible;
    }
    .live-side {
      border-left: 0;
      border-top: 2px solid var(--vx-accent);
      padding: var(--vx-space-3);
    }
  }
  @media print {
    .lesson {
      height: auto;
      display: block;
    }
    .live-side,
    .crumbs,
    .steps {
      display: none;
    }
  }
`;
