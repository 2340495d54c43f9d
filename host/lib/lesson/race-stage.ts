/** Checks on a race: moves, the state beside the last step, and what exploring all orders finds. */
import { UsageError } from "../errors.ts";
import { openRace } from "../explore/instance.ts";
import type { Race } from "../explore/race.ts";
import { parseSchedule } from "../explore/schedule.ts";
import { strategyByName, verdictSentence } from "../explore/strategies.ts";
import { createFilm, type Film } from "../film/film.ts";
import type { Frame } from "../film/frame.ts";
import { parseOrder, playOrder, tryOrder } from "../film/order.ts";
import { filmOf } from "../film/script.ts";
import { nearest } from "../nearest.ts";
import { RACES } from "../races/catalogue.ts";
import type { LessonTools, Stage, Value } from "./stage.ts";

const BUDGET = { steps: 2_000_000, seconds: 60 };

/** By name or id. @throws UsageError with the nearest name. */
export function raceByName(name: string): Race {
  const race = RACES.find((r) => r.name === name || r.id === name);
  if (race) return race;
  const names = RACES.map((r) => r.name);
  const meant = nearest(name, names);
  throw new UsageError(`no race is called "${name}"${meant === undefined ? "" : `: did you mean ${meant}?`}`);
}

const tell = ({ step }: Frame): string =>
  step === undefined ? "" : [`${step.actor} ${step.text}`, ...step.outcome].join("; ");

export async function createRaceStage(tools: LessonTools, name: string, variant: string): Promise<Stage> {
  const module = await tools.build("race");
  const race = raceByName(name);
  let film: Film = createFilm(openRace(module, race, variant));
  let found: { verdict: string; states: number; sentence: string; steps: number; message: string } | undefined;
  const last = (): Frame => film.frames.at(-1)!;
  const lane = (actor: string | undefined) => {
    const lanes = last().lanes;
    return (
      lanes.find((l) => l.name === actor) ??
      fail(`no actor is called "${actor}": they are ${lanes.map((l) => l.name).join(", ")}`)
    );
  };

  return {
    async act(action, args) {
      const order = (): number[] => parseOrder(args.join(" "), film.instance.actors);
      if (action === "move") playOrder(film, order());
      else if (action === "try") tryOrder(film, order());
      else if (action === "film") {
        const text = await tools.schedule(race.name, variant);
        if (text === undefined) fail(`no schedule is kept for ${race.name} ${variant}: nothing breaks there`);
        else film = filmOf(film.instance, parseSchedule(text));
      } else if (action === "explore") {
        const strategy = args[0] ?? "exhaustive";
        const result = strategyByName(strategy).run(openRace(module, race, variant), {
          budget: args[1] === undefined ? BUDGET : { ...BUDGET, steps: Number(args[1]) },
          seed: 1,
          bound: 2,
        });
        found = {
          verdict: result.verdict === "violation" ? result.violation!.invariant : result.verdict,
          message: result.violation?.message ?? "",
          states: result.states,
          steps: result.steps,
          sentence: verdictSentence(result, strategy),
        };
      } else return false;
      return true;
    },
    quantity(quantity, args): Value | undefined {
      const { verdict } = last();
      switch (quantity) {
        case "verdict":
          return found?.verdict ?? (verdict.kind === "violation" ? verdict.invariant : verdict.kind);
        case "message":
          return found?.message ?? (verdict.kind === "violation" ? verdict.message : "");
        case "steps":
          return found?.steps ?? film.choices.length;
        case "states":
          return found?.states ?? fail("nothing was explored yet");
        case "sentence":
          return found?.sentence ?? fail("nothing was explored yet");
        case "state": {
          const wanted = args.join(" ");
          const row = last().state.find((r) => r.name === wanted);
          // A lock that nobody ever took has no row.
          return (
            row?.value ??
            (wanted.endsWith(" lock")
              ? "free"
              : fail(
                  `no fact is called "${wanted}": there are ${last()
                    .state.map((r) => r.name)
                    .join(", ")}`,
                ))
          );
        }
        case "lane":
          return lane(args[0]).status;
        case "waits":
          return lane(args[0]).text;
        case "said":
          return tell(last());
        case "told":
          return film.frames.map(tell).join("\n");
        default:
          return undefined;
      }
    },
  };
}

function fail(reason: string): never {
  throw new UsageError(reason);
}
