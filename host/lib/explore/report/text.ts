/** A story for a terminal: one column for each actor that takes part, and beside them what changed. */
import { columns, paragraph, wrap } from "./layout.ts";
import type { Story, StoryStep } from "./story.ts";

const NUMBER = 4;
const CHANGES = 30;
/** Characters of an actor's column, by the number of columns. */
const widthOf = (actors: number): number => (actors <= 2 ? 40 : actors === 3 ? 34 : 28);

/** Actors that take a step, in the order of the race. */
export const takingPart = (story: Story): string[] =>
  story.cast.map(({ name }) => name).filter((name) => story.steps.some((step) => step.actor === name));

/** The text of a step with what came of it, one thing a line. */
const linesOf = (step: StoryStep, width: number): string[] => [
  ...wrap(step.text, width),
  ...step.outcome.flatMap((text) => wrap(text, width - 3).map((line, i) => `${i === 0 ? "-> " : "   "}${line}`)),
];

/** The steps as a table. */
export function textTable(story: Story): string {
  const actors = takingPart(story);
  const widths = [NUMBER, ...actors.map(() => widthOf(actors.length)), CHANGES];
  const empty = actors.map((): string[] => []);
  const rows = [
    ...columns([["step"], ...actors.map((name) => [name]), ["what changed"]], widths),
    ...columns(
      widths.map((width) => ["-".repeat(width)]),
      widths,
    ),
    ...columns([[], ...empty, story.factsAtFirst.flatMap((fact) => wrap(fact, CHANGES))], widths),
  ];
  story.steps.forEach((step, i) => {
    if (i === story.cycleFrom) rows.push("      .... from here on again and again ....");
    const cells = actors.map((name) => (name === step.actor ? linesOf(step, widths[1]!) : []));
    rows.push(
      ...columns(
        [[String(step.number).padStart(NUMBER)], ...cells, step.changes.flatMap((c) => wrap(c, CHANGES))],
        widths,
      ),
    );
  });
  return `${rows.join("\n")}\n`;
}

/** "TypeRead  hv-core/hv/exits/on-ept-violation.ts:62  (steps 4, 19)", one line for each window on the way. */
export function sitesOf(
  story: Story,
): { readonly place: string; readonly sites: readonly string[]; readonly steps: readonly number[] }[] {
  const places = new Map<string, { sites: readonly string[]; steps: number[] }>();
  for (const step of story.steps) {
    if (step.sites.length === 0) continue;
    const entry = places.get(step.place) ?? { sites: step.sites, steps: [] };
    entry.steps.push(step.number);
    places.set(step.place, entry);
  }
  return [...places].map(([place, entry]) => ({ place, ...entry }));
}

const section = (title: string, body: string): string => `${title}\n${body}\n`;

export function textReport(story: Story): string {
  const { violation, remedy } = story;
  const nameWidth = Math.max(...story.cast.map(({ name }) => name.length));
  const cast = story.cast.map(({ name, role }) =>
    columns([[`  ${name}`], wrap(role, 96 - nameWidth)], [nameWidth + 2, 0]).join("\n"),
  );
  const sites = sitesOf(story).map(
    ({ place, sites: where, steps }) =>
      `  ${place.padEnd(18)} ${where.join(", ")}  (step${steps.length > 1 ? "s" : ""} ${steps.join(", ")})`,
  );
  const parts = [
    `${story.title}\n${story.race} (${story.id}), variant ${story.variant}\n`,
    ...(story.background === undefined ? [] : [section("What you need to know", paragraph(story.background, "  "))]),
    section(
      `${story.varies[0]!.toUpperCase()}${story.varies.slice(1)} in this run`,
      paragraph(`${story.variantText}.`, "  "),
    ),
    section("Who takes part", cast.join("\n")),
    section("What happened: one line is one step, time runs downwards", `\n${textTable(story)}`),
  ];
  if (violation) {
    const rule =
      violation.rule === undefined ? [] : [paragraph(`Rule (${violation.invariant}): ${violation.rule}.`, "  ")];
    parts.push(section("What is broken", [...rule, paragraph(`Here: ${violation.message}.`, "  ")].join("\n")));
  }
  parts.push(section("Where everybody stands", story.ending.map((line) => paragraph(line, "  ")).join("\n")));
  if (sites.length > 0)
    parts.push(section("Where it is in the source: the window between two steps", sites.join("\n")));
  parts.push(section("What happened in history, and what one learns", paragraph(story.lesson, "  ")));
  if (violation && remedy) {
    const command = `    ${story.raceCommand} --variant ${remedy.variant}`;
    parts.push(section("The remedy, and its proof", `${paragraph(`${remedy.text}.`, "  ")}\n${command}`));
  }
  parts.push(section("See it again", `    ${story.replayCommand}`));
  return parts.join("\n");
}
