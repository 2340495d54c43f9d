/** The route #/race. */
import "./page.ts";

export const tag = "vx-race-page";
