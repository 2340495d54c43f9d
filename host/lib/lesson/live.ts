/**
 * What stands beside a lesson's text, one line: `machine GUEST [at=N | exit=NAME] [knob=value ...]`, or
 * `race NAME VARIANT [film | play | explore] [at=STEP] [moves=ORDER]` with * and + in the order: guest0*3+toolstack.
 */
import { UsageError } from "../errors.ts";
import { parseKnob } from "../knobs.ts";
import { nearest } from "../nearest.ts";
import { raceByName } from "./race-stage.ts";

export const RACE_MODES = ["film", "play", "explore"] as const;
export type RaceMode = (typeof RACE_MODES)[number];

export type Live =
  | {
      readonly kind: "machine";
      readonly guest: string;
      readonly knobs: Readonly<Record<string, number>>;
      /** Instructions to run first. */
      readonly at?: number;
      /** Or until the guest is left for this reason. */
      readonly exit?: string;
    }
  | {
      readonly kind: "race";
      readonly race: string;
      readonly variant: string;
      readonly mode: RaceMode;
      /** Frame to show. */
      readonly at?: number;
      readonly moves?: string;
    };

const whole = (text: string, what: string): number => {
  if (!/^\d+$/.test(text)) throw new UsageError(`${what}=${text}: a whole number belongs there`);
  return Number(text);
};

function parseMachine([guest, ...options]: readonly string[]): Live {
  if (guest === undefined) throw new UsageError("machine: the name of a guest is missing");
  const knobs: Record<string, number> = {};
  let place: { at?: number; exit?: string } = {};
  for (const option of options) {
    const [name, value = ""] = option.split("=") as [string, string?];
    if (name === "at") place = { ...place, at: whole(value, "at") };
    else if (name === "exit") place = { ...place, exit: value };
    else {
      const [knob, number] = parseKnob(option);
      knobs[knob] = number;
    }
  }
  return { kind: "machine", guest, knobs, ...place };
}

function parseRace([name, variant, ...options]: readonly string[]): Live {
  const race = raceByName(name ?? "");
  if (variant === undefined || !Object.hasOwn(race.variants, variant)) {
    const names = Object.keys(race.variants);
    const meant = nearest(variant ?? "", names);
    throw new UsageError(
      `race ${race.name} has no variant "${variant ?? ""}": ${meant ? `did you mean ${meant}?` : `use one of ${names.join(", ")}`}`,
    );
  }
  let mode: RaceMode = "film";
  let rest: { at?: number; moves?: string } = {};
  for (const option of options) {
    const [key, value = ""] = option.split("=") as [string, string?];
    const found = RACE_MODES.find((m) => m === option);
    if (found) mode = found;
    else if (key === "at") rest = { ...rest, at: whole(value, "at") };
    else if (key === "moves") rest = { ...rest, moves: value.replaceAll("+", " ") };
    else throw new UsageError(`"${option}": use film, play, explore, at=STEP or moves=ORDER`);
  }
  return { kind: "race", race: race.name, variant, mode, ...rest };
}

/** @throws UsageError that says what belongs there. */
export function parseLive(text: string): Live {
  const [kind, ...words] = text.trim().split(/\s+/);
  if (kind === "machine") return parseMachine(words);
  if (kind === "race") return parseRace(words);
  throw new UsageError(`"${kind ?? ""}": what stands beside the text begins with machine or race`);
}
