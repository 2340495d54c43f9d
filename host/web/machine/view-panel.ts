/** Which element shows which view. The modules are loaded when they are needed. */
import { html, type TemplateResult } from "lit";
import type { Experiment, ViewName } from "../model/url-state.ts";
import type { MachineController } from "./controller.ts";

const LOADERS: Readonly<Record<ViewName, () => Promise<unknown>>> = {
  path: () => import("./views/path.ts"),
  map: () => import("./views/p2m-map.ts"),
  tree: () => import("./views/p2m-tree.ts"),
  entry: () => import("./views/p2m-entry.ts"),
  tlb: () => import("./views/tlb.ts"),
  ioreq: () => import("./views/ioreq.ts"),
  memory: () => import("./views/memory.ts"),
  domains: () => import("./views/domains.ts"),
  knobs: () => import("./views/knobs.ts"),
  counts: () => import("./views/counts.ts"),
};

/** Elements upgrade themselves when their module has arrived. @param scale length of the longest bar, when two machines share one. */
export function renderView(view: ViewName, controller: MachineController, e: Experiment, scale = 0): TemplateResult {
  void LOADERS[view]();
  switch (view) {
    case "path":
      return html`<vx-path .controller=${controller}></vx-path>`;
    case "map":
      return html`<vx-p2m-map .controller=${controller}></vx-p2m-map>`;
    case "tree":
      return html`<vx-p2m-tree .controller=${controller} .gpa=${e.gpa}></vx-p2m-tree>`;
    case "entry":
      return html`<vx-p2m-entry .controller=${controller} .gpa=${e.gpa}></vx-p2m-entry>`;
    case "tlb":
      return html`<vx-tlb .controller=${controller}></vx-tlb>`;
    case "ioreq":
      return html`<vx-ioreq .controller=${controller}></vx-ioreq>`;
    case "memory":
      return html`<vx-memory .controller=${controller}></vx-memory>`;
    case "domains":
      return html`<vx-domains .controller=${controller}></vx-domains>`;
    case "knobs":
      return html`<vx-knobs .era=${e.era ?? "4.17"} .knobs=${e.knobs} .versus=${e.versus}></vx-knobs>`;
    case "counts":
      return html`<vx-counts .controller=${controller} .scale=${scale}></vx-counts>`;
  }
}
