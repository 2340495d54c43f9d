/** The route #/lesson. */
import "./page.ts";

export const tag = "vx-lesson-page";
