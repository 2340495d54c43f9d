/** What the race worker reads beside the core: the schedules kept with the races, and the places of the windows in the source. */
import sitesUrl from "../../../build/window-sites.json?url";
import type { WindowSites } from "../../lib/explore/report/taken-step.ts";

const schedules = import.meta.glob<string>("../../lib/races/*/*.schedule", { query: "?raw", import: "default" });

const pathOf = (race: string, variant: string): string => `../../lib/races/${race}/${variant}.schedule`;

export const hasSchedule = (race: string, variant: string): boolean => pathOf(race, variant) in schedules;

/** The losing schedule that is kept beside a race; undefined where nothing breaks. */
export const loadSchedule = async (race: string, variant: string): Promise<string | undefined> =>
  schedules[pathOf(race, variant)]?.();

/** None when the build has not made them: a film is worth seeing without. */
export async function loadWindowSites(): Promise<WindowSites> {
  try {
    const response = await fetch(sitesUrl);
    return response.ok ? ((await response.json()) as WindowSites) : {};
  } catch {
    return {};
  }
}
