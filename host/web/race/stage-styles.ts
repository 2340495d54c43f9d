/** Styles of a race on stage. */
import { css } from "lit";

export const stageStyles = css`
  :host {
    display: flex;
    flex-direction: column;
    gap: var(--vx-space-2);
    min-height: 0;
  }
  .bar {
    justify-content: space-between;
  }
  .modes button {
    border-radius: 0;
    margin-left: -1px;
  }
  .modes {
    display: flex;
    flex-wrap: wrap;
    padding-left: 1px;
  }
  .modes button[aria-pressed="true"] {
    font-weight: 650;
    position: relative;
  }
  .scrub {
    flex: 1 1 14rem;
    flex-wrap: nowrap;
  }
  .scrub input {
    flex: 1;
    min-width: 6rem;
    padding: 0;
    accent-color: var(--vx-accent);
  }
  .position {
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
    min-width: 7.5rem;
  }
  .split {
    display: grid;
    grid-template-columns: minmax(0, 1fr) 20rem;
    gap: var(--vx-space-3);
    align-items: start;
  }
  :host([compact]) .split {
    grid-template-columns: minmax(0, 1fr);
    grid-template-rows: minmax(12rem, 1fr) auto;
  }
  vx-race-lanes {
    min-height: 14rem;
    max-height: var(--vx-stage-height, max(22rem, calc(100vh - 15rem)));
  }
  .side {
    display: flex;
    flex-direction: column;
    gap: var(--vx-space-3);
    overflow: auto;
    max-height: var(--vx-stage-height, max(22rem, calc(100vh - 15rem)));
  }
  :host([compact]) .side {
    max-height: none;
    align-items: start;
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr));
  }
  .problem {
    border: 2px solid var(--vx-bad);
    border-left-width: 8px;
    background: var(--vx-bad-soft);
    border-radius: var(--vx-radius);
    padding: var(--vx-space-2) var(--vx-space-3);
  }
  .notice {
    border-left: 5px solid var(--vx-warn);
    background: var(--vx-warn-soft);
    padding: var(--vx-space-1) var(--vx-space-3);
    margin: 0;
    max-width: none;
  }
  @media (max-width: 640px) {
    .scrub {
      flex-wrap: wrap;
    }
    .scrub input {
      order: 1;
      flex-basis: 100%;
    }
  }
  @media (max-width: 860px) {
    .split {
      grid-template-columns: minmax(0, 1fr);
    }
    .side {
      order: -1;
      max-height: none;
    }
    :host([compact]) .side {
      order: 0;
    }
  }
`;
