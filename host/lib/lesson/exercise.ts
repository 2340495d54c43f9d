/**
 * An exercise: what to do, and checks that an answer must pass. `{answer}` in a check stands for what the student found. The solution and a
 * wrong answer stand in the file, too, so that a test shows that the checks tell the two apart.
 */
import { UsageError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { numberOf, parseCheckLine } from "./check-line.ts";
import { type CheckResult, runChecks } from "./run-checks.ts";
import type { LessonTools } from "./stage.ts";

export const ANSWERS = {
  number: "a number, decimal or 0x",
  gfn: "a guest frame number, for instance 0x100",
  moves: "who moves, in order: guest0*3 toolstack",
  knob: "a knob and its value: tlb.entries=16",
  word: "one word",
} as const;
export type AnswerKind = keyof typeof ANSWERS;

export interface Exercise {
  readonly task: string;
  readonly answer: AnswerKind;
  readonly checks: readonly string[];
  readonly hints: readonly string[];
  readonly solution: string;
  readonly wrong: readonly string[];
  /** Said when the answer is right. */
  readonly why: string;
}

const KEYS = ["task", "answer", "check", "hint", "solution", "wrong", "why"];

/** @throws UsageError that names the key that is wrong or missing. */
export function parseExercise(text: string): Exercise {
  const values = new Map<string, string[]>();
  let last: string[] | undefined;
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    if (/^\s/.test(line) && last) {
      last[last.length - 1] += ` ${line.trim()}`;
      continue;
    }
    const match = /^(\w+):\s*(.*)$/.exec(line);
    if (!match) throw new UsageError(`"${line.trim()}" in an exercise: write key: value`);
    const [, key = "", value = ""] = match;
    if (!KEYS.includes(key)) {
      const meant = nearest(key, KEYS);
      throw new UsageError(
        `no key of an exercise is called "${key}": ${meant ? `did you mean ${meant}?` : `there are ${KEYS.join(", ")}`}`,
      );
    }
    last = values.get(key) ?? [];
    values.set(key, last);
    last.push(value);
  }
  const one = (key: string): string => {
    const found = values.get(key) ?? [];
    if (found.length !== 1 || found[0] === "")
      throw new UsageError(`an exercise has one "${key}": here are ${found.length}`);
    return found[0]!;
  };
  const answer = one("answer");
  if (!Object.hasOwn(ANSWERS, answer))
    throw new UsageError(`answer: "${answer}" is no kind of answer: use one of ${Object.keys(ANSWERS).join(", ")}`);
  const checks = values.get("check") ?? [];
  if (!checks.some((check) => check.includes("{answer}")))
    throw new UsageError("no check of the exercise looks at {answer}");
  for (const check of checks) parseCheckLine(check.replaceAll("{answer}", one("solution")));
  const wrong = values.get("wrong") ?? [];
  if (wrong.length === 0) throw new UsageError('an exercise has a "wrong" answer, so that a test can see it refused');
  return {
    task: one("task"),
    answer: answer as AnswerKind,
    checks,
    hints: values.get("hint") ?? [],
    solution: one("solution"),
    wrong,
    why: one("why"),
  };
}

/** What is wrong with the form of an answer; undefined when it can be tried. */
export function answerProblem(kind: AnswerKind, answer: string): string | undefined {
  const text = answer.trim();
  if (text === "") return `Write ${ANSWERS[kind]}.`;
  if ((kind === "number" || kind === "gfn") && numberOf(text) === undefined)
    return `"${text}" is not ${ANSWERS[kind]}.`;
  if (kind === "knob" && !/^[\w.]+=[\w.-]+$/.test(text)) return `"${text}" is not ${ANSWERS[kind]}.`;
  if (/["{}]/.test(text)) return "An answer has no quotes and no braces.";
  return undefined;
}

/** Tries an answer on a fresh machine. */
export async function checkAnswer(exercise: Exercise, answer: string, tools: LessonTools): Promise<CheckResult> {
  const problem = answerProblem(exercise.answer, answer);
  if (problem !== undefined) return { ok: false, lines: [{ text: exercise.checks[0]!, ok: false, problem }] };
  return runChecks(
    exercise.checks.map((check) => check.replaceAll("{answer}", answer.trim())),
    tools,
  );
}
