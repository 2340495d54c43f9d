/** The schedules that are kept beside the races. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSchedule, type Schedule } from "../../host/lib/explore/schedule.ts";
import { ROOT } from "../../host/node/paths.ts";

export const committed = (race: string, variant: string): Schedule =>
  parseSchedule(readFileSync(join(ROOT, "host/lib/races", race, `${variant}.schedule`), "utf8"));
