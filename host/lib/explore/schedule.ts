/**
 * Schedules as text, format version 2: a line of JSON that says what it belongs to, then one step a line as `actor:place`, where
 * place is the window the actor stands at or the operation it begins. `#` starts a comment.
 *
 *   {"format":"vmexit-schedule","version":2,"race":"ioreq-unmap-window","variant":"early-null","knobs":{},"core":"...","steps":12}
 *   guest0:run        # runs mov dword [0x2000], 1
 *
 * `steps` tells a truncated file, `core` one that another build of the core made. Version 1 had neither and is still read.
 */
import { UsageError } from "../errors.ts";

export const SCHEDULE_VERSION = 2;

export interface ScheduleStep {
  readonly actor: string;
  readonly place: string;
  readonly comment?: string;
}

export interface Schedule {
  readonly race: string;
  readonly variant: string;
  /** Variant knobs beside those of the variant. */
  readonly knobs: Readonly<Record<string, number>>;
  /** Hash of the core that it was made with; absent: for any core, every step is checked. */
  readonly core?: string;
  /** Words of shared state (address / 4) whose accesses are switch points, beside locks and windows (automatic-windows.ts). */
  readonly accesses?: readonly number[];
  /** Invariant that breaks at the end, if any. */
  readonly violation?: string;
  /** Of a livelock: from this step on the schedule repeats for ever. */
  readonly cycleFrom?: number;
  readonly steps: readonly ScheduleStep[];
}

export function formatSchedule(schedule: Schedule): string {
  const { steps, race, variant, knobs, core, accesses, violation, cycleFrom } = schedule;
  const header = {
    format: "vmexit-schedule",
    version: SCHEDULE_VERSION,
    race,
    variant,
    knobs,
    ...(core === undefined ? {} : { core }),
    ...(accesses === undefined ? {} : { accesses }),
    ...(violation === undefined ? {} : { violation }),
    ...(cycleFrom === undefined ? {} : { cycleFrom }),
    steps: steps.length,
  };
  const width = Math.max(0, ...steps.map((s) => s.actor.length + s.place.length + 1));
  const lines = steps.map(({ actor, place, comment }) => {
    const line = `${actor}:${place}`;
    return comment === undefined ? line : `${line.padEnd(width)}  # ${comment}`;
  });
  return `${[JSON.stringify(header), ...lines].join("\n")}\n`;
}

interface Header extends Omit<Schedule, "steps"> {
  /** Steps that the file says it has. */
  readonly stepCount?: number;
}

const isCount = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;

function parseHeader(line: string): Header {
  let header: Record<string, unknown>;
  try {
    header = JSON.parse(line) as Record<string, unknown>;
  } catch {
    throw new UsageError(
      "the first line of a schedule is JSON with format, version, race and variant: this one is not",
    );
  }
  if (header === null || typeof header !== "object" || header.format !== "vmexit-schedule")
    throw new UsageError(`this is no schedule: its first line does not say "format":"vmexit-schedule"`);
  if (header.version !== 1 && header.version !== SCHEDULE_VERSION)
    throw new UsageError(
      `schedule format version ${String(header.version)}: this vmexit reads versions 1 and ${SCHEDULE_VERSION}; find the violation again with: vmexit race ${typeof header.race === "string" ? header.race : "<name>"}`,
    );
  const { race, variant, violation, cycleFrom, core, accesses, steps } = header;
  const knobs = header.knobs ?? {};
  if (typeof race !== "string" || typeof variant !== "string")
    throw new UsageError("the header of the schedule has no race or no variant");
  if (typeof knobs !== "object" || knobs === null || !Object.values(knobs).every((v) => Number.isInteger(v)))
    throw new UsageError("the knobs in the header of the schedule are not numbers by name");
  if (violation !== undefined && typeof violation !== "string")
    throw new UsageError("the violation in the header of the schedule is not a name");
  if (cycleFrom !== undefined && !isCount(cycleFrom))
    throw new UsageError("cycleFrom in the header of the schedule is not a step");
  if (core !== undefined && typeof core !== "string")
    throw new UsageError("the core in the header of the schedule is not a hash");
  if (accesses !== undefined && !(Array.isArray(accesses) && accesses.every(isCount)))
    throw new UsageError("the accesses in the header of the schedule are not a list of words");
  if (header.version !== 1 && !isCount(steps))
    throw new UsageError("the header of the schedule does not say how many steps there are");
  return {
    race,
    variant,
    knobs: knobs as Record<string, number>,
    ...(core === undefined ? {} : { core }),
    ...(accesses === undefined ? {} : { accesses: accesses as number[] }),
    ...(violation === undefined ? {} : { violation }),
    ...(cycleFrom === undefined ? {} : { cycleFrom }),
    ...(isCount(steps) ? { stepCount: steps } : {}),
  };
}

/** @throws UsageError that names the line. */
export function parseSchedule(text: string): Schedule {
  const lines = text.split(/\r?\n/);
  const { stepCount, ...header } = parseHeader(lines[0] ?? "");
  const steps: ScheduleStep[] = [];
  for (let i = 1; i < lines.length; i++) {
    const [step = "", comment] = lines[i]!.split(/\s*#\s*/, 2);
    if (step.trim() === "") continue;
    const match = /^([A-Za-z][\w-]*):([A-Za-z]\w*)$/.exec(step.trim());
    if (!match)
      throw new UsageError(`line ${i + 1} of the schedule is "${step.trim()}": a step is written actor:place`);
    steps.push({ actor: match[1]!, place: match[2]!, ...(comment === undefined ? {} : { comment: comment.trim() }) });
  }
  if (stepCount !== undefined && stepCount !== steps.length)
    throw new UsageError(
      `the schedule says that it has ${stepCount} steps and has ${steps.length}: it is truncated or was edited; correct "steps" in its first line, or find it again with: vmexit race ${header.race} --variant ${header.variant}`,
    );
  if (header.cycleFrom !== undefined && header.cycleFrom >= steps.length)
    throw new UsageError(
      `the schedule repeats from step ${header.cycleFrom} on but has only ${steps.length}: it is truncated`,
    );
  return { ...header, steps };
}
