/** Lessons in a worker: their files, and the checks of claims and exercises on machines that are built for each. */
import { UsageError } from "../../lib/errors.ts";
import { checkAnswer, type Exercise } from "../../lib/lesson/exercise.ts";
import { type Lesson, parseLesson } from "../../lib/lesson/lesson-file.ts";
import { type CheckResult, runChecks } from "../../lib/lesson/run-checks.ts";
import type { LessonTools } from "../../lib/lesson/stage.ts";
import { nearest } from "../../lib/nearest.ts";
import { openBundled } from "./guests.ts";
import type { Answer } from "./protocol.ts";
import { loadSchedule } from "./race-files.ts";
import { compileBuild } from "./wasm.ts";

const files = import.meta.glob<string>("../../../docs/lessons/[0-9][0-9]-*.md", {
  query: "?raw",
  import: "default",
  eager: true,
});

/** "one-guest-store" of ".../01-one-guest-store.md". */
const nameOf = (path: string): string => path.replace(/^.*\/\d+-|\.md$/g, "");

export interface LessonCard {
  readonly name: string;
  readonly title: string;
  readonly minutes: number;
  readonly goal: string;
  readonly exercises: number;
}

const tools: LessonTools = {
  build: (name) => compileBuild(name),
  async guest(name) {
    const guest = await openBundled(name);
    if (!guest) return undefined;
    const { file, ...run } = guest;
    return { file, run };
  },
  schedule: loadSchedule,
};

export class LessonService {
  private readonly lessons = Object.keys(files)
    .sort()
    .map((path) => parseLesson(nameOf(path), files[path]!));

  cards(): LessonCard[] {
    return this.lessons.map(({ name, title, minutes, goal, exercises }) => ({
      name,
      title,
      minutes,
      goal,
      exercises: exercises.length,
    }));
  }

  lesson(name: string): Answer<Lesson> {
    const lesson = this.lessons.find((l) => l.name === name.replace(/^\d+-|\.md$/g, ""));
    if (lesson) return { ok: true, value: lesson };
    const names = this.lessons.map((l) => l.name);
    const meant = nearest(name, names);
    return {
      ok: false,
      problem: `no lesson is called "${name}"${meant === undefined ? "" : `: did you mean ${meant}?`}`,
    };
  }

  /** Runs the check of a claim here and now. */
  claim(checks: readonly string[]): Promise<Answer<CheckResult>> {
    return answer(() => runChecks(checks, tools));
  }

  exercise(exercise: Exercise, text: string): Promise<Answer<CheckResult>> {
    return answer(() => checkAnswer(exercise, text, tools));
  }

  /** Instructions that retire before the guest leaves for `exit` for the first time. */
  async positionOf(guest: string, exit: string): Promise<number> {
    const { lines } = await runChecks([`guest ${guest}`, `run to exit ${exit}`, "note at instructions"], tools);
    const at = Number(lines.at(-1)?.is);
    return Number.isInteger(at) ? Math.max(0, at - 1) : 0;
  }
}

async function answer<T>(work: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    if (error instanceof UsageError) return { ok: false, problem: error.message };
    throw error;
  }
}
