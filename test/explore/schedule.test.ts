/** Schedules: text and back, what is refused and how, and where a replay parts. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { adapt } from "../../host/lib/explore/adapt.ts";
import { otherCore, replay } from "../../host/lib/explore/replay.ts";
import { formatSchedule, parseSchedule, type Schedule } from "../../host/lib/explore/schedule.ts";
import { ROOT } from "../../host/node/paths.ts";
import { open } from "./support.ts";

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const step = fc.record(
  {
    actor: name,
    place: fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,8}$/),
    comment: fc.stringMatching(/^[a-z][a-z0-9 ,.:]{0,20}[a-z]$/),
  },
  { requiredKeys: ["actor", "place"] },
);

describe("text", () => {
  it("comes back as it was written", () => {
    fc.assert(
      fc.property(
        name,
        name,
        fc.dictionary(name, fc.nat(9)),
        fc.array(step, { minLength: 1, maxLength: 20 }),
        fc.option(fc.nat(0), { nil: undefined }),
        fc.option(fc.stringMatching(/^[0-9a-f]{16}$/), { nil: undefined }),
        fc.option(fc.array(fc.nat()), { nil: undefined }),
        (race, variant, knobs, steps, cycleFrom, core, accesses) => {
          const schedule: Schedule = {
            race,
            variant,
            knobs: { ...knobs },
            violation: "deadlock",
            steps: steps.map((s) => ({ ...s })),
            ...(core === undefined ? {} : { core }),
            ...(accesses === undefined ? {} : { accesses }),
            ...(cycleFrom === undefined ? {} : { cycleFrom }),
          };
          expect(JSON.stringify(parseSchedule(formatSchedule(schedule)))).toBe(
            JSON.stringify({ ...parseSchedule(formatSchedule(schedule)) }),
          );
          expect(parseSchedule(formatSchedule(schedule))).toEqual(schedule);
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each([
    ["nothing", "", "first line of a schedule is JSON"],
    ["another file", '{"format":"vmexit-snapshot"}\n', "no schedule"],
    ["null", "null\n", "no schedule"],
    ["another version", '{"format":"vmexit-schedule","version":3,"race":"a","variant":"b"}\n', "version 3"],
    ["no race", '{"format":"vmexit-schedule","version":1}\n', "no race"],
    [
      "a knob that is no number",
      '{"format":"vmexit-schedule","version":1,"race":"a","variant":"b","knobs":{"x":"y"}}\n',
      "not numbers",
    ],
    [
      "a line that is no step",
      '{"format":"vmexit-schedule","version":1,"race":"a","variant":"b"}\na:B\nhello\n',
      "line 3",
    ],
    [
      "a truncated file",
      '{"format":"vmexit-schedule","version":2,"race":"a","variant":"b","steps":3}\na:B\na:C\n',
      "has 3 steps and has 2: it is truncated",
    ],
    ["no number of steps", '{"format":"vmexit-schedule","version":2,"race":"a","variant":"b"}\n', "how many steps"],
    [
      "a core that is no hash",
      '{"format":"vmexit-schedule","version":2,"race":"a","variant":"b","steps":0,"core":1}\n',
      "not a hash",
    ],
    [
      "accesses that are no words",
      '{"format":"vmexit-schedule","version":2,"race":"a","variant":"b","steps":0,"accesses":["x"]}\n',
      "not a list of words",
    ],
    [
      "a cycle beyond the end",
      '{"format":"vmexit-schedule","version":1,"race":"a","variant":"b","cycleFrom":4}\na:B\n',
      "truncated",
    ],
  ])("%s is refused with the reason", (_, text, message) => {
    expect(() => parseSchedule(text)).toThrow(message);
  });
});

describe("replay", () => {
  const steps = (text: string) =>
    text.split(" ").map((word) => ({ actor: word.split(":")[0]!, place: word.split(":")[1]! }));

  it("names the first step that cannot be taken, and who could run", () => {
    const instance = open("lost-wakeup", "fixed");
    const schedule = { race: "lost-wakeup", variant: "fixed", knobs: {}, steps: steps("guest0:run guest0:TypeRead") };
    expect(replay(instance, schedule).divergence).toBe(
      "schedule diverged at step 2: wanted guest0:TypeRead, runnable guest0:Exited, stray:call0. " +
        "Find it again with: vmexit race lost-wakeup --variant fixed",
    );
  });

  it("refuses the schedule of another core unless it names none", () => {
    const schedule = { race: "lost-wakeup", variant: "fixed", knobs: {}, steps: [] };
    expect(otherCore(schedule, "a")).toBeUndefined();
    expect(otherCore({ ...schedule, core: "a" }, "a")).toBeUndefined();
    expect(otherCore({ ...schedule, core: "b" }, "a")).toContain("--any-core");
  });

  it("a window that does not exist is a divergence that names the step", () => {
    const schedule = { race: "lost-wakeup", variant: "fixed", knobs: {}, steps: steps("guest0:NoSuchWindow") };
    expect(replay(open("lost-wakeup", "fixed"), schedule).divergence).toMatch(
      /no window NoSuchWindow: schedule diverged at step 1/,
    );
  });

  it("stops where it is told", () => {
    const instance = open("lost-wakeup", "fixed");
    const schedule = { race: "lost-wakeup", variant: "fixed", knobs: {}, steps: steps("guest0:run guest0:Exited") };
    expect(replay(instance, schedule, 1).steps.length).toBe(1);
    expect(instance.place(0)).toBe("Exited");
  });
});

describe("golden schedules of version 1", () => {
  const folder = join(ROOT, "test/golden/schedules");
  it.each(readdirSync(folder))("%s still replays to its violation", (file) => {
    const schedule = parseSchedule(readFileSync(join(folder, file), "utf8"));
    const instance = open(schedule.race, schedule.variant);
    const { schedule: adapted, added } = adapt(instance, schedule);
    const replayed = replay(instance, adapted);
    expect(replayed.divergence).toBeUndefined();
    expect(replayed.violation?.invariant).toBe(schedule.violation);
    // Its own steps are all there, in their order; what was added are places inside the hypervisor.
    const own = [...schedule.steps];
    const others = adapted.steps.filter((step) => {
      const isOwn = step.actor === own[0]?.actor && step.place === own[0]?.place;
      if (isOwn) own.shift();
      return !isOwn;
    });
    expect(own).toEqual([]);
    expect(others.map(({ actor, place }) => `${actor}:${place}`).sort()).toEqual([...added].sort());
    for (const { place } of others) expect(place).toMatch(/^[A-Z]/);
  });
});
