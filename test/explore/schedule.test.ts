/** Schedules: text and back, what is refused and how, and where a replay parts. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { replay } from "../../host/lib/explore/replay.ts";
import { formatSchedule, parseSchedule, type Schedule } from "../../host/lib/explore/schedule.ts";
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
        (race, variant, knobs, steps, cycleFrom) => {
          const schedule: Schedule = {
            race,
            variant,
            knobs: { ...knobs },
            violation: "deadlock",
            steps: steps.map((s) => ({ ...s })),
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
    ["another version", '{"format":"vmexit-schedule","version":2,"race":"a","variant":"b"}\n', "version 2"],
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
        "Record it again with: vmexit race explore lost-wakeup --variant fixed",
    );
  });

  it("stops where it is told", () => {
    const instance = open("lost-wakeup", "fixed");
    const schedule = { race: "lost-wakeup", variant: "fixed", knobs: {}, steps: steps("guest0:run guest0:Exited") };
    expect(replay(instance, schedule, 1).steps.length).toBe(1);
    expect(instance.place(0)).toBe("Exited");
  });
});
