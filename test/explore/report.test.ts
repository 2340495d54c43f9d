/** Reports: the story of a schedule, and each form of it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openRace } from "../../host/lib/explore/instance.ts";
import { replay } from "../../host/lib/explore/replay.ts";
import { type Story, tellStory } from "../../host/lib/explore/report/story.ts";
import { sitesOf, takingPart } from "../../host/lib/explore/report/text.ts";
import { REPORTS, reportByName } from "../../host/lib/explore/report.ts";
import { parseSchedule } from "../../host/lib/explore/schedule.ts";
import { RACES } from "../../host/lib/races/catalogue.ts";
import { ROOT } from "../../host/node/paths.ts";
import { readWindowSites } from "../../host/node/wasm.ts";
import { raceBuild, raceNamed } from "./support.ts";

function storyOf(name: string, variant: string): Story {
  const race = raceNamed(name);
  const file = join(ROOT, "host/lib/races", name, `${variant}.schedule`);
  const schedule = parseSchedule(readFileSync(file, "utf8"));
  const instance = openRace(raceBuild, race, variant);
  const { steps, violation } = replay(instance, schedule);
  return tellStory(instance, {
    variant,
    schedule: steps.map((step) => step.actor),
    ...(violation ? { violation } : {}),
    ...(schedule.cycleFrom === undefined ? {} : { cycleFrom: schedule.cycleFrom }),
    replayCommand: "vmexit race replay x.schedule",
    sites: readWindowSites(),
  });
}

const lost = storyOf("ioreq-unmap-window", "early-null");

describe("the story", () => {
  it("says what came of each step, and which facts changed", () => {
    expect(lost.steps[0]!.outcome.join()).toContain("does not allow this write");
    expect(lost.steps.at(-1)!.outcome.join()).toContain("THE WRITE OF 1 IS DROPPED");
    expect(lost.factsAtFirst).toContain("page ioreq_server");
    const changes = lost.steps.flatMap((step) => step.changes);
    expect(changes).toContain("type without server");
    expect(changes).toContain("ioreq servers lock: toolstack");
    expect(changes).toContain("ioreq servers lock free");
    expect(changes).toContain("page ram_rw");
    expect(lost.violation).toMatchObject({ invariant: "every-write-once" });
    expect(lost.remedy).toMatchObject({ variant: "fixed" });
  });

  it("every window on the way has its place in the source, and the call is there", () => {
    const sites = sitesOf(lost);
    expect(sites.map(({ place }) => place)).toContain("TypeRead");
    for (const { place, sites: where } of sites)
      for (const site of where) {
        const [file, line] = site.split(":") as [string, string];
        const text = readFileSync(join(ROOT, file), "utf8").split("\n")[Number(line) - 1]!;
        const constant = `W_${place.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase()}`;
        expect(text, `${place} at ${site}`).toContain(constant);
      }
  });

  it("is told the same twice, and ends where the schedule ends", () => {
    expect(storyOf("ioreq-unmap-window", "early-null")).toEqual(lost);
  });

  it("cannot be told of steps that are impossible", () => {
    const instance = openRace(raceBuild, raceNamed("lost-wakeup"), "fixed");
    const tell = () => tellStory(instance, { variant: "fixed", schedule: [1], replayCommand: "" });
    expect(tell).toThrow("step 1 of the schedule cannot be taken");
  });
});

const STORIES = RACES.flatMap((race) =>
  Object.entries(race.variants)
    .filter(([, variant]) => variant.expect !== "clean")
    .map(([variant]) => [race.name, variant] as const),
);

describe.each(STORIES)("%s %s", (name, variant) => {
  const story = storyOf(name, variant);

  it("text: every step, what is broken and how to see it again, in lines that fit a terminal", () => {
    const text = reportByName("text")(story);
    for (const { number } of story.steps) expect(text).toMatch(new RegExp(`^ *${number}  `, "m"));
    expect(text).toContain("What is broken");
    expect(text.replace(/\s+/g, " ")).toContain(story.violation!.message.replace(/\s+/g, " "));
    expect(text).toContain("vmexit race replay x.schedule");
    expect(text).not.toMatch(/undefined|\[object/);
    if (story.cycleFrom !== undefined) expect(text).toContain("again and again");
    for (const line of text.split("\n")) expect(line.length, line).toBeLessThanOrEqual(170);
  });

  it("Markdown: one note for each step in the diagram, one row in the table", () => {
    const markdown = reportByName("markdown")(story);
    const diagram = /```mermaid\n([\s\S]*?)```/.exec(markdown)![1]!;
    expect(diagram.match(/^\s*Note over \w+: \d+\. /gm)?.length).toBe(story.steps.length);
    expect(diagram).not.toMatch(/[;#]/);
    expect(markdown.match(/^\| \d+ \|/gm)?.length).toBe(story.steps.length + 1);
  });

  it("SVG: one piece of well-formed XML without anything from elsewhere", () => {
    const svg = reportByName("svg")(story);
    const open: string[] = [];
    for (const [, close, tag, self] of svg.matchAll(/<(\/?)([a-z]+)(?:\s[^<>]*?)?(\/?)>/g)) {
      if (close) expect(open.pop()).toBe(tag);
      else if (!self) open.push(tag!);
    }
    expect(open).toEqual([]);
    expect(svg.replace(/<[^<>]*>/g, "")).not.toMatch(/[<>]/);
    expect(svg).not.toMatch(/href|url\(|@import/);
    expect(svg.match(/<rect [^>]*rx="5"/g)?.length).toBe(story.steps.length);
  });

  it("Perfetto: slices only, one track an actor, one microsecond a step", () => {
    const { traceEvents } = JSON.parse(reportByName("trace")(story)) as {
      traceEvents: { ph: string; pid: number; tid: number; ts?: number; dur?: number; name: string }[];
    };
    const slices = traceEvents.filter((event) => event.ph === "X");
    expect(slices.length + traceEvents.filter((event) => event.ph === "M").length).toBe(traceEvents.length);
    for (const slice of slices) expect(slice.dur).toBeGreaterThan(0);
    const steps = slices.filter((slice) => slice.pid === 1 && slice.tid <= story.cast.length);
    expect(steps.map((slice) => slice.ts)).toEqual(story.steps.map((step) => step.number));
    expect(new Set(steps.map((slice) => slice.tid)).size).toBe(takingPart(story).length);
  });
});

it("an unknown form is refused with the ones there are", () => {
  expect(() => reportByName("sgv")).toThrow("did you mean svg?");
  expect(() => reportByName("pdf")).toThrow(Object.keys(REPORTS).join(", "));
});
