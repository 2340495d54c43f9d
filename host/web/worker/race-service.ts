/**
 * Races in a worker: a film that is shown, played on and cut, searches in slices beside it, schedule files, races of one's own. Each
 * search has a machine of its own, so that one can go on playing meanwhile.
 */
import { UsageError } from "../../lib/errors.ts";
import * as code from "../../lib/explore/code.ts";
import * as hypercallSteps from "../../lib/explore/hypercall-steps.ts";
import { openRace } from "../../lib/explore/instance.ts";
import { everyWriteOnce, ramValue } from "../../lib/explore/invariants.ts";
import type { Progress } from "../../lib/explore/progress.ts";
import { defineRace, type Race } from "../../lib/explore/race.ts";
import type { RaceDescription } from "../../lib/explore/race-description.ts";
import { otherCore } from "../../lib/explore/replay.ts";
import { reportByName } from "../../lib/explore/report.ts";
import { formatSchedule, parseSchedule } from "../../lib/explore/schedule.ts";
import { createExploration } from "../../lib/film/exploration.ts";
import { createFilm, type Film } from "../../lib/film/film.ts";
import { playOrder, runToEnd, tryOrder, unpackOrder } from "../../lib/film/order.ts";
import { filmOf, scheduleOf, storyOfFilm } from "../../lib/film/script.ts";
import { nearest } from "../../lib/nearest.ts";
import { RACES } from "../../lib/races/catalogue.ts";
import { mapMemType, setMemType } from "../../lib/toolstack/dm-op.ts";
import type { Answer } from "./protocol.ts";
import { hasSchedule, loadSchedule, loadWindowSites } from "./race-files.ts";
import type { ExploreAnswer, Frame, Opening, RaceCard, Staged } from "./race-protocol.ts";
import { buildBytes, compileBuild } from "./wasm.ts";

/** Milliseconds of searching between two looks at the messages. */
const SLICE = 60;
/** Milliseconds between two lines of progress. */
const REPORT_EVERY = 200;

const RACE_TOOLS = { defineRace, code, steps: hypercallSteps, everyWriteOnce, ramValue, mapMemType, setMemType };

interface OnStage {
  readonly race: Race;
  readonly variant: string;
  readonly film: Film;
}

export interface ExploreRequest {
  readonly race: string;
  readonly variant: string;
  readonly strategy: string;
  readonly seed: number;
  readonly bound: number;
  readonly seconds: number;
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

export class RaceService {
  private readonly own = new Map<string, Race>();
  private stage: OnStage | undefined;
  /** Counts searches: one that is not the newest any more ends. */
  private search = 0;
  private core: Promise<string | undefined> | undefined;

  catalogue(): RaceCard[] {
    return [...this.own.values(), ...RACES].map((race) => this.card(race));
  }

  /** Puts a race on stage; what was there goes only when that works. */
  open(name: string, variant: string, opening: Opening): Promise<Answer<Staged>> {
    return this.answer(async () => {
      const race = this.find(name);
      const chosen = variantOf(race, variant);
      const module = await compileBuild("race");
      const sites = await loadWindowSites();
      const instance = openRace(module, race, chosen);
      const kept =
        opening.kind === "film" && !this.own.has(race.name) ? await loadSchedule(race.name, chosen) : undefined;
      const film = kept === undefined ? createFilm(instance, sites) : filmOf(instance, parseSchedule(kept), sites);
      let leftOut: number | undefined;
      if (opening.kind === "steps") playOrder(film, unpackOrder(opening.steps, instance.actors.length));
      if (opening.kind === "try") leftOut = tryOrder(film, unpackOrder(opening.steps, instance.actors.length));
      if (opening.kind === "film" && kept === undefined) runToEnd(film);
      this.stage = { race, variant: chosen, film };
      return { ...this.staged(), ...(leftOut === undefined ? {} : { leftOut }) };
    });
  }

  choose(actor: number): Promise<Answer<Frame>> {
    return this.answer(() => this.need().film.choose(actor));
  }

  cut(frame: number): Promise<Answer<Frame>> {
    return this.answer(() => this.need().film.cut(frame));
  }

  /** Everybody in turn until nobody can go on. @returns the frames that are new. */
  runOn(): Promise<Answer<readonly Frame[]>> {
    return this.answer(() => {
      const { film } = this.need();
      const from = film.frames.length;
      runToEnd(film);
      return film.frames.slice(from);
    });
  }

  /** What is on stage as a schedule file. */
  schedule(): Promise<Answer<{ readonly name: string; readonly text: string }>> {
    return this.answer(async () => {
      const { race, variant, film } = this.need();
      return {
        name: `${race.name}-${variant}.schedule`,
        text: formatSchedule(scheduleOf(film, variant, await this.coreHash())),
      };
    });
  }

  /** What is on stage in one of the explorer's forms: text, markdown, svg, trace. */
  report(form: string): Promise<Answer<string>> {
    return this.answer(() => {
      const { race, variant, film } = this.need();
      return reportByName(form)(storyOfFilm(film, variant, `vmexit replay ${race.name}-${variant}.schedule`));
    });
  }

  /** A schedule file: its race comes on stage, each step checked. */
  load(text: string): Promise<Answer<Staged>> {
    return this.answer(async () => {
      const schedule = parseSchedule(text);
      if (schedule.accesses)
        throw new UsageError(
          "this schedule has automatic windows (--windows all), which need another build: replay it with vmexit replay FILE",
        );
      const race = this.find(schedule.race);
      const variant = variantOf(race, schedule.variant);
      const core = await this.coreHash();
      const refusal = core === undefined ? undefined : otherCore(schedule, core);
      const sites = await loadWindowSites();
      const instance = openRace(await compileBuild("race"), race, variant, schedule.knobs);
      this.stage = { race, variant, film: filmOf(instance, schedule, sites) };
      const notice =
        refusal &&
        `The schedule was made with core ${schedule.core}, this is core ${core}. Every step was checked, and all could be taken.`;
      return { ...this.staged(), ...(notice ? { notice } : {}) };
    });
  }

  /** A race of one's own, a module as docs/explorer.md describes it. It is code: whoever drops it here runs it, in this worker. */
  loadRace(file: string, source: string): Promise<Answer<RaceCard>> {
    return this.answer(async () => {
      const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      try {
        let exported = ((await import(/* @vite-ignore */ url)) as { default?: unknown }).default;
        if (typeof exported === "function")
          exported = await (exported as (tools: typeof RACE_TOOLS) => unknown)(RACE_TOOLS);
        if (typeof exported !== "object" || exported === null)
          throw new UsageError(
            "it exports no race: write export default { name, guests, actors, invariants, variants }",
          );
        const race = defineRace(exported as RaceDescription);
        this.own.set(race.name, race);
        return this.card(race);
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new UsageError(`${file}: ${why}`, { cause });
      } finally {
        URL.revokeObjectURL(url);
      }
    });
  }

  /** Searches until something is found, all is seen, the budget is spent or cancel() is called. */
  async explore(request: ExploreRequest, onProgress: (progress: Progress) => void): Promise<ExploreAnswer> {
    const mine = ++this.search;
    try {
      const race = this.find(request.race);
      const variant = variantOf(race, request.variant);
      const core = await this.coreHash();
      const exploration = createExploration(openRace(await compileBuild("race"), race, variant), {
        variant,
        strategy: request.strategy,
        budget: { steps: 1e9, seconds: request.seconds },
        seed: request.seed,
        bound: request.bound,
        ...(core === undefined ? {} : { core }),
      });
      let reported = 0;
      for (;;) {
        const { progress, found } = exploration.run(SLICE);
        if (found) return { kind: "found", found };
        if (performance.now() - reported > REPORT_EVERY) {
          reported = performance.now();
          onProgress(progress);
        }
        await pause();
        if (mine !== this.search) return { kind: "cancelled" };
      }
    } catch (error) {
      return { kind: "problem", problem: problemOf(error) };
    }
  }

  cancel(): void {
    this.search++;
  }

  private card(race: Race): RaceCard {
    const { name, id, title, background = "", lesson, variants } = race;
    return {
      name,
      id,
      title,
      background,
      lesson,
      variants: Object.entries(variants).map(([variant, { text, expect }]) => ({
        name: variant,
        text,
        expect,
        hasFilm: !this.own.has(name) && hasSchedule(name, variant),
      })),
      ...(this.own.has(name) ? { isOwn: true as const } : {}),
    };
  }

  private find(name: string): Race {
    const race = this.own.get(name) ?? RACES.find((r) => r.name === name || r.id === name);
    if (race) return race;
    const meant = nearest(
      name,
      RACES.map((r) => r.name),
    );
    throw new UsageError(`no race is called "${name}"${meant === undefined ? "" : `: did you mean ${meant}?`}`);
  }

  private staged(): Staged {
    const { race, variant, film } = this.need();
    const { instance, frames, choices } = film;
    return {
      race: this.card(race),
      variant,
      cast: instance.actors.map(({ name, role }) => ({ name, role: role ?? "takes part" })),
      frames,
      choices,
      rules: Object.fromEntries(instance.setup.invariants.map(({ name, text }) => [name, text])),
    };
  }

  private need(): OnStage {
    if (!this.stage) throw new UsageError("no race is on stage");
    return this.stage;
  }

  /** 64 bits of the SHA-256 of the race build, as the command line writes it into schedules; undefined where a browser has no digest. */
  private coreHash(): Promise<string | undefined> {
    this.core ??= hashOfBuild();
    return this.core;
  }

  private async answer<T>(work: () => T | Promise<T>): Promise<Answer<T>> {
    try {
      return { ok: true, value: await work() };
    } catch (error) {
      return { ok: false, problem: problemOf(error) };
    }
  }
}

function problemOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return String(error);
}

/** Beside its own names every race has `buggy` and `fixed`; "" is the first that breaks. */
function variantOf(race: Race, name: string): string {
  if (Object.hasOwn(race.variants, name)) return name;
  const all = Object.entries(race.variants);
  if (name === "" || name === "buggy") return (all.find(([, v]) => v.expect !== "clean") ?? all[0]!)[0];
  if (name === "fixed") return (all.find(([, v]) => v.expect === "clean") ?? all[0]!)[0];
  const meant = nearest(name, Object.keys(race.variants));
  throw new UsageError(
    `race ${race.name} has no variant "${name}": ${meant ? `did you mean ${meant}?` : `use one of ${Object.keys(race.variants).join(", ")}`}`,
  );
}

async function hashOfBuild(): Promise<string | undefined> {
  if (!globalThis.crypto?.subtle) return undefined;
  const digest = await crypto.subtle.digest("SHA-256", await buildBytes("race"));
  return [...new Uint8Array(digest).subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
