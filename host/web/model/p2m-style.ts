/** How a p2m type looks: a letter, a colour and a pattern, so that nothing is told by colour alone. */
export interface P2mStyle {
  readonly letter: string;
  /** Token of shell/tokens.css. */
  readonly colour: string;
  /** Lines over the colour; "plain" has none. */
  readonly pattern: "plain" | "rising" | "falling" | "cross" | "dots" | "bars" | "rungs";
}

const STYLES: Readonly<Record<string, P2mStyle>> = {
  ram_rw: { letter: "W", colour: "--vx-c1", pattern: "plain" },
  ram_ro: { letter: "R", colour: "--vx-c6", pattern: "rungs" },
  ram_logdirty: { letter: "L", colour: "--vx-c5", pattern: "rising" },
  ram_shared: { letter: "S", colour: "--vx-c3", pattern: "cross" },
  ram_paging_out: { letter: "o", colour: "--vx-c4", pattern: "falling" },
  ram_paged: { letter: "P", colour: "--vx-c4", pattern: "plain" },
  ram_paging_in: { letter: "i", colour: "--vx-c4", pattern: "rising" },
  ram_broken: { letter: "X", colour: "--vx-c7", pattern: "cross" },
  mmio_dm: { letter: "M", colour: "--vx-c2", pattern: "falling" },
  mmio_direct: { letter: "D", colour: "--vx-c2", pattern: "bars" },
  ioreq_server: { letter: "I", colour: "--vx-c2", pattern: "dots" },
  populate_on_demand: { letter: "E", colour: "--vx-c8", pattern: "dots" },
  grant_map_rw: { letter: "G", colour: "--vx-c8", pattern: "plain" },
  grant_map_ro: { letter: "g", colour: "--vx-c8", pattern: "rungs" },
  map_foreign: { letter: "F", colour: "--vx-c8", pattern: "cross" },
  invalid: { letter: "-", colour: "--vx-c7", pattern: "plain" },
};

const UNKNOWN: P2mStyle = { letter: "?", colour: "--vx-c7", pattern: "bars" };

export const p2mStyle = (type: string): P2mStyle => STYLES[type] ?? UNKNOWN;
export const P2M_TYPES: readonly string[] = Object.keys(STYLES);
