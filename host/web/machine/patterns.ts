/** Swatches of p2m types as SVG: a colour with lines over it. One <defs> for each picture, since ids are local to a shadow root. */
import { type SVGTemplateResult, svg } from "lit";
import { P2M_TYPES, type P2mStyle, p2mStyle } from "../model/p2m-style.ts";

const LINES: Readonly<Record<P2mStyle["pattern"], string>> = {
  plain: "",
  rising: "M0 8L8 0M-2 2L2 -2M6 10L10 6",
  falling: "M0 0L8 8M-2 6L2 10M6 -2L10 2",
  cross: "M0 8L8 0M0 0L8 8",
  dots: "M2 2h1M6 6h1",
  bars: "M2 0V8M6 0V8",
  rungs: "M0 2H8M0 6H8",
};

const id = (type: string): string => `p2m-${type}`;

/** Paint for a shape of this type: fill="url(#...)". */
export const p2mFill = (type: string): string => `url(#${id(P2M_TYPES.includes(type) ? type : "invalid")})`;

export function p2mDefs(types: readonly string[] = P2M_TYPES): SVGTemplateResult {
  return svg`<defs>${types.map((type) => {
    const { colour, pattern } = p2mStyle(type);
    return svg`<pattern id=${id(type)} width="8" height="8" patternUnits="userSpaceOnUse">
      <rect width="8" height="8" style="fill:var(${colour})"></rect>
      <path d=${LINES[pattern]} fill="none" stroke-linecap="square" style="stroke:var(--vx-surface);stroke-width:1.5;stroke-opacity:.75"></path>
    </pattern>`;
  })}</defs>`;
}
