/** Every lesson: each claim holds on a real machine, each exercise knows its solution from a wrong answer, each shown output is the real one. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkAnswer } from "../../host/lib/lesson/exercise.ts";
import { isShownOutput, parseLesson } from "../../host/lib/lesson/lesson-file.ts";
import { failureText, runChecks } from "../../host/lib/lesson/run-checks.ts";
import { ROOT } from "../../host/node/paths.ts";
import { tools } from "./support.ts";

const FOLDER = join(ROOT, "docs/lessons");
const files = readdirSync(FOLDER).filter((name) => /^\d\d-.*\.md$/.test(name));
const read = (file: string): string => readFileSync(join(FOLDER, file), "utf8");

it("there are at least ten, numbered without a gap", () => {
  expect(files.length).toBeGreaterThanOrEqual(10);
  expect(files.map((file) => Number(file.slice(0, 2)))).toEqual(files.map((_, i) => i + 1));
});

describe.each(files)("%s", (file) => {
  const lesson = parseLesson(file.replace(/\.md$/, ""), read(file));

  it.each(lesson.claims.map((claim) => [claim.name, claim] as const))("claim %s holds", async (_, claim) => {
    expect(failureText(await runChecks(claim.checks, tools))).toBe("");
  });

  it.each(lesson.exercises.map((exercise, i) => [i + 1, exercise] as const))(
    "exercise %i: the solution is right and the wrong answers are not",
    async (_, exercise) => {
      expect(failureText(await checkAnswer(exercise, exercise.solution, tools))).toBe("");
      for (const wrong of exercise.wrong) expect((await checkAnswer(exercise, wrong, tools)).ok, wrong).toBe(false);
    },
  );

  it("shows what its commands really print", () => {
    for (const { command, output } of lesson.commands) {
      const real = tools.shell(command);
      expect(isShownOutput(output, real.output), `${command} prints\n${real.output}`).toBe(true);
    }
  });

  it("its links lead somewhere", () => {
    for (const [, target] of read(file).matchAll(/\]\(([^)#]+)\)/g))
      expect(readFileSync(join(FOLDER, target!), "utf8").length).toBeGreaterThan(0);
  });
});
