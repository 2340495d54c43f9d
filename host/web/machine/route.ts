/** The route #/machine. */
import "./page.ts";

export const tag = "vx-machine-page";
