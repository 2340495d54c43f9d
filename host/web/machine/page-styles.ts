/** Where things stand on the page: all of it on a projector, one below the other on a phone. */
import { css } from "lit";

export const pageStyles = css`
  :host {
    display: flex;
    flex-direction: column;
    min-height: 0;
  }
  .grid {
    flex: 1;
    min-height: 0;
    display: grid;
    grid-template: minmax(7rem, 2fr) minmax(0, 3fr) auto / minmax(20rem, 5fr) minmax(0, 9fr);
    grid-template-areas: "console views" "cpu views" "timeline timeline";
    gap: var(--vx-space-2);
    padding: var(--vx-space-2) var(--vx-space-4);
  }
  .grid > section {
    background: var(--vx-surface);
    border: 1px solid var(--vx-line);
    border-radius: var(--vx-radius);
    min-width: 0;
    min-height: 0;
  }
  .console {
    grid-area: console;
    display: flex;
    flex-direction: column;
    padding: var(--vx-space-1) 0 0 var(--vx-space-3);
  }
  .console h2 {
    font-size: var(--vx-size-small);
    color: var(--vx-text-soft);
    overflow: hidden;
    white-space: nowrap;
    text-overflow: ellipsis;
    padding-right: var(--vx-space-2);
  }
  .console vx-console {
    flex: 1;
  }
  .cpu {
    grid-area: cpu;
    padding: var(--vx-space-2) var(--vx-space-3);
  }
  .views {
    grid-area: views;
    display: flex;
    flex-direction: column;
  }
  .tabs {
    display: flex;
    flex-wrap: wrap;
    gap: 2px;
    padding: var(--vx-space-1) var(--vx-space-2) 0;
    border-bottom: 1px solid var(--vx-line);
  }
  .tabs button {
    border-color: transparent;
    border-radius: var(--vx-radius) var(--vx-radius) 0 0;
    background: none;
    padding: 0.125rem 0.5rem;
  }
  .tabs button:hover {
    background: var(--vx-raised);
  }
  .tabs button[aria-selected="true"] {
    background: var(--vx-accent-soft);
    border-color: var(--vx-line);
    border-bottom-color: transparent;
    box-shadow: inset 0 -3px 0 var(--vx-accent);
    font-weight: 600;
  }
  .panel {
    flex: 1;
    min-height: 0;
    padding: var(--vx-space-3);
  }
  .two {
    display: grid;
    grid-template-columns: 1fr 1fr;
    gap: var(--vx-space-4);
  }
  .two > section {
    min-width: 0;
    overflow-x: auto;
  }
  .two h2 {
    font: 600 var(--vx-size) var(--vx-mono);
    padding-bottom: var(--vx-space-1);
    margin-bottom: var(--vx-space-2);
    border-bottom: 3px solid var(--vx-c1);
  }
  .two > section + section h2 {
    border-bottom: 3px dashed var(--vx-c2);
  }
  .compared {
    grid-template: minmax(0, 1fr) auto / minmax(0, 1fr);
    grid-template-areas: "views" "timeline";
  }
  .compared .console,
  .compared .cpu {
    display: none;
  }
  .timeline {
    grid-area: timeline;
    padding: var(--vx-space-2) var(--vx-space-3) var(--vx-space-1);
  }
  .drop {
    position: fixed;
    inset: 0;
    display: grid;
    place-items: center;
    font-size: var(--vx-size-title);
    background: color-mix(in srgb, var(--vx-accent-soft) 92%, transparent);
    border: 4px dashed var(--vx-accent);
    z-index: 20;
  }
  @media (max-width: 960px) {
    .grid {
      grid-template: auto auto auto auto / minmax(0, 1fr);
      grid-template-areas: "views" "timeline" "console" "cpu";
      padding: var(--vx-space-2);
    }
    .compared {
      grid-template-areas: "views" "timeline";
      grid-template-rows: auto auto;
    }
    .two {
      grid-template-columns: minmax(0, 1fr);
    }
    .console {
      height: 14rem;
    }
  }
`;
