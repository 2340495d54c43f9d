/** The form of lessons: what is refused, and with which words. And the vocabulary of checks, apart from any lesson. */
import { describe, expect, it } from "vitest";
import { compare, parseCheckLine } from "../../host/lib/lesson/check-line.ts";
import { answerProblem, parseExercise } from "../../host/lib/lesson/exercise.ts";
import { isShownOutput, parseLesson } from "../../host/lib/lesson/lesson-file.ts";
import { parseLive } from "../../host/lib/lesson/live.ts";
import { parseInline, parseMarkdown } from "../../host/lib/lesson/markdown.ts";
import { failureText, runChecks } from "../../host/lib/lesson/run-checks.ts";
import { tools } from "./support.ts";

const GOOD = `---
title: A lesson
minutes: 15
goal: Know it.
---

What it is about.

## First

The page is a hole. [^hole]

\`\`\`live
machine mmio exit=EPT_VIOLATION
\`\`\`

## Exercise

\`\`\`exercise
task: Say it.
answer: gfn
check: guest mmio
check: p2m {answer} = hole
solution: 0xfe000
wrong: 0x100
why: Because.
\`\`\`

## Teacher's notes

- Ask them.

[^hole]: \`guest mmio\` \`p2m 0xfe000 = hole\`
`;

const without = (from: string, to = ""): string => {
  if (!GOOD.includes(from)) throw new Error(`the good lesson has no ${from}`);
  return GOOD.replace(from, to);
};

describe("a lesson", () => {
  it("is read whole", () => {
    const lesson = parseLesson("a", GOOD);
    expect(lesson).toMatchObject({ name: "a", title: "A lesson", minutes: 15, goal: "Know it." });
    expect(lesson.claims).toEqual([{ name: "hole", line: 33, checks: ["guest mmio", "p2m 0xfe000 = hole"] }]);
    expect(lesson.exercises[0]).toMatchObject({ answer: "gfn", solution: "0xfe000", wrong: ["0x100"] });
    expect(lesson.notes.map((block) => block.kind)).toEqual(["list"]);
    expect(lesson.blocks.some((block) => block.kind === "live")).toBe(true);
  });

  it.each([
    ["no header", GOOD.replace("---\n", ""), "a.md:1: a lesson begins with a header"],
    [
      "a key that is none",
      without("goal:", "gaol:"),
      'a.md:4: no key of the header is called "gaol": did you mean goal?',
    ],
    ["no goal", without("goal: Know it.\n"), 'the header has no "goal"'],
    ["too long", without("minutes: 15", "minutes: 45"), "a lesson takes 10 to 20"],
    [
      "a claim without a check",
      without(" [^hole]\n", "\n"),
      'a.md:11: "The page is a hole." claims something and has no check',
    ],
    [
      "a list item without one",
      without("The page is a hole. [^hole]", "- one [^hole]\n- two"),
      '"two" claims something',
    ],
    [
      "a claim with a question behind it",
      without("The page is a hole. [^hole]", "The page is a hole. Why?"),
      "claims something",
    ],
    ["a footnote that is not defined", without("[^hole]:", "[^whole]:"), "a.md:11: [^hole] has no check"],
    [
      "a check that nobody refers to",
      `${GOOD}[^other]: \`guest mmio\` \`instructions = 0\`\n`,
      "a.md:34: nothing refers to [^other]",
    ],
    [
      "a check that expects nothing",
      without(" `p2m 0xfe000 = hole`\n", "\n"),
      "expects nothing: an assertion that cannot fail",
    ],
    [
      "a word that is none",
      without("`p2m 0xfe000", "`p2n 0xfe000"),
      'a.md:33: no action and no quantity is called "p2n": did you mean p2m?',
    ],
    [
      "a live block of nothing",
      without("machine mmio", "film mmio"),
      'a.md:13: "film": what stands beside the text begins with machine or race',
    ],
    ["an exercise without a wrong answer", without("wrong: 0x100\n"), 'a.md:19: an exercise has a "wrong" answer'],
    [
      "an exercise that ignores the answer",
      without("{answer}", "0xfe000"),
      "no check of the exercise looks at {answer}",
    ],
    ["an exercise with an unknown key", without("why:", "wy:"), "did you mean why?"],
    ["no exercise section", without("## Exercise", "## Exercises"), "a lesson"],
    ["no teacher's notes", without("## Teacher's notes", "## Where to go on"), 'no section "Teacher\'s notes"'],
  ])("%s is refused with its line", (_, text, message) => {
    expect(() => parseLesson("a", text)).toThrow(message === "a lesson" ? /section "Exercise"/ : message);
  });

  it("questions, quotes and what leads to a list need no check", () => {
    expect(() => parseLesson("a", without("The page", "Why?\n\n> Do: look.\n\nThe page"))).not.toThrow();
    expect(() =>
      parseLesson("a", without("The page is a hole. [^hole]", "There are:\n\n- holes [^hole]")),
    ).not.toThrow();
  });
});

describe("Markdown", () => {
  it("is read as far as lessons need it", () => {
    expect(parseInline("a `b` **c** *d* [e](f.md) [^g]")).toEqual([
      { kind: "text", text: "a " },
      { kind: "code", text: "b" },
      { kind: "text", text: " " },
      { kind: "strong", text: "c" },
      { kind: "text", text: " " },
      { kind: "em", text: "d" },
      { kind: "text", text: " " },
      { kind: "link", text: "e", href: "f.md" },
      { kind: "text", text: " " },
      { kind: "claim", name: "g" },
    ]);
    const { blocks, footnotes } = parseMarkdown(
      "# h\n\np\nq\n\n1. a\n   b\n2. c\n\n| x | y |\n|---|---|\n| 1 | 2 |\n\n[^n]: `a`\n  `b`\n",
    );
    expect(blocks.map((block) => block.kind)).toEqual(["heading", "paragraph", "list", "table"]);
    expect(footnotes).toEqual([{ name: "n", line: 14, text: "`a` `b`" }]);
  });
});

describe("what stands beside the text", () => {
  it("is read", () => {
    expect(parseLive("machine cow at=1000 unmap.reset=recalc")).toMatchObject({
      kind: "machine",
      guest: "cow",
      at: 1000,
      knobs: { "unmap.reset": 1 },
    });
    expect(parseLive("race C-1 fixed play moves=guest0*3+toolstack")).toEqual({
      kind: "race",
      race: "ioreq-unmap-window",
      variant: "fixed",
      mode: "play",
      moves: "guest0*3 toolstack",
    });
  });
  it.each([
    ["machine", "name of a guest"],
    ["machine cow at=x", "whole number"],
    ["machine cow tlb.entrys=16", "tlb.entrys"],
    ["race unmap-window fixed", "no race"],
    ["race ioreq-unmap-window fixd", "did you mean fixed?"],
    ["race lost-wakeup fixed movie", "use film, play, explore"],
  ])("%s is refused", (text, message) => {
    expect(() => parseLive(text)).toThrow(message);
  });
});

describe("checks", () => {
  it.each([
    ["run", "action"],
    ["p2m 0x1 = hole", "expect"],
    ["note a exits EPT_VIOLATION", "note"],
    ['console has "a = b"', "expect"],
    ["shell vmexit cost --json", "action"],
  ])("%s is an %s", (text, kind) => {
    expect(parseCheckLine(text).kind).toBe(kind);
  });
  it.each([
    ["", "empty"],
    ["p2m 0x1", "compares with nothing"],
    ["p2m 0x1 =", "compares with nothing"],
    ["note 1 p2m", "note NAME"],
    ["runn", "did you mean run?"],
  ])("%s is refused", (text, message) => {
    expect(() => parseCheckLine(text)).toThrow(message);
  });
  it("numbers are compared as numbers, texts as texts, spaces count once", () => {
    expect(compare(255, "=", "0xff")).toBe(true);
    expect(compare(1000, "=", "1,000")).toBe(true);
    expect(compare("0x10", "<", "17")).toBe(true);
    expect(compare("a\n  b", "has", "a b")).toBe(true);
    expect(compare("ab", "lacks", "c")).toBe(true);
    expect(() => compare("a", "<", "1")).toThrow("compares numbers");
  });
  it("stop at the first line that does not hold, and say what is", async () => {
    const result = await runChecks(["guest mmio", "p2m 0xfe000 = ram_rw", "instructions = 0"], tools);
    expect(result.ok).toBe(false);
    expect(result.lines.length).toBe(2);
    expect(failureText(result)).toBe("p2m 0xfe000 = ram_rw: it is hole");
  });
  it.each([
    [["p2m 0 = hole"], "nothing that this machine has"],
    [["run"], "needs a machine first"],
    [["guest nobody"], 'there is no guest "nobody"'],
    [["guest mmio", "move guest0"], '"move" cannot be done here'],
    [["guest mmio", "exits $x = 1"], "$x was not noted"],
    [["guest mmio", "run to exit TRIPLE_FAULT"], "the guest never left for TRIPLE_FAULT"],
    [["knob tlb.entries=17", "guest mmio"], "tlb.entries"],
    [["race lost-wakeup fixed", "move emulator"], "emulator cannot go on"],
    [["race lost-wakeup fixed", "film"], "no schedule is kept"],
    [["race lost-wakeup fixed", "state colour = red"], 'no fact is called "colour"'],
    [["io IO-1 remedy=prayer"], "no remedy"],
    [["guest mmio", "evict 0x100"], "no pager runs"],
  ])("%j fails with the reason", async (lines, reason) => {
    expect(failureText(await runChecks(lines, tools))).toContain(reason);
  });
  it("words that no lesson uses do what they say", async () => {
    const checks = [
      ["era 4.17", "guest hello", "register rip = 0x100000", "register eip = 0x100000", "step 2", "instructions = 2"],
      [
        "guest hello",
        "domctl pause 2",
        "run 1000",
        "instructions = 0",
        "domctl unpause 2",
        "run 1000",
        "instructions > 0",
      ],
      ["guest cow 64", "log-dirty on", "run 1000", "dirty > 0", "log-dirty off", "dirty = 0"],
      ["guest cow 64", "word 0x1000000 = 0", "run 400000", "word 0x1000000 = 64", "outcome = alive"],
      ["race lost-wakeup fixed", "try guest0*6", "verdict = clean", "steps > 6", 'told has "guest0"'],
      ["shell vmexit knobs", "exit-code = 0", 'output has "tlb.entries"'],
    ];
    for (const lines of checks) expect(failureText(await runChecks(lines, tools))).toBe("");
  });
  it("what needs a command line is left out where there is none", async () => {
    const { shell: _, ...page } = tools;
    const result = await runChecks(["shell vmexit cost", "exit-code = 0"], page);
    expect(result).toMatchObject({ ok: true, lines: [{ isSkipped: true }, { isSkipped: true }] });
  });
});

describe("answers", () => {
  it.each([
    ["number", "12", true],
    ["number", "0x1f", true],
    ["number", "twelve", false],
    ["gfn", "fe000", false],
    ["knob", "tlb.entries=16", true],
    ["knob", "tlb.entries", false],
    ["word", 'a"b', false],
    ["moves", "", false],
  ] as const)("%s: %s", (kind, answer, isFine) => {
    expect(answerProblem(kind, answer) === undefined).toBe(isFine);
  });
  it("a wrong kind is refused by name", () => {
    expect(() =>
      parseExercise("task: a\nanswer: colour\ncheck: word 1 = {answer}\nsolution: 1\nwrong: 2\nwhy: b"),
    ).toThrow('"colour" is no kind');
  });
});

it("shown output may leave lines out, and nothing else", () => {
  expect(isShownOutput("a\n...\nd", "a\nb\nc\nd\n")).toBe(true);
  expect(isShownOutput("...\nd", "a\nd\n")).toBe(true);
  expect(isShownOutput("a\n...", "a\n")).toBe(true);
  expect(isShownOutput("a\nd", "a\nb\nd\n")).toBe(false);
  expect(isShownOutput("a\n...\nx", "a\nb\nd\n")).toBe(false);
  expect(isShownOutput("a (b)", "a (b)  \n")).toBe(true);
});
