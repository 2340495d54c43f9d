/** Links: what is written is read again, and what is broken is said. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Experiment,
  FIRST_EXPERIMENT,
  formatExperiment,
  parseExperiment,
  VIEWS,
} from "../../host/web/model/url-state.ts";
import { formatPlace, parsePlace } from "../../host/web/shell/location.ts";

const experiments = fc.record(
  {
    guest: fc.oneof(
      fc.constantFrom("mmio", "hello", "c-guest").map((name) => ({ kind: "bundled" as const, name })),
      fc
        .record({ name: fc.string({ minLength: 1 }), sha: fc.constantFrom("", "0123456789abcdef") })
        .map((file) => ({ kind: "file" as const, file })),
    ),
    knobs: fc.constantFrom({}, { "tlb.entries": 64 }, { "tlb.entries": 16, "device.at": 1 }),
    at: fc.nat(),
    typed: fc
      .array(fc.record({ time: fc.nat(1e9), bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }) }), { maxLength: 5 })
      .map((list) => [...new Map(list.map((t) => [t.time, t])).values()].sort((a, b) => a.time - b.time)),
    view: fc.constantFrom(...VIEWS),
    gpa: fc.nat(),
    era: fc.constantFrom("4.17" as const),
    tick: fc.nat(),
    memoryMiB: fc.integer({ min: 1, max: 3840 }),
    vcpus: fc.integer({ min: 1, max: 128 }),
    cmdline: fc.string({ minLength: 1 }),
    versus: fc.constantFrom({ knob: "p2m.superpages", value: 0 }),
  },
  { requiredKeys: ["guest", "knobs", "at", "typed", "view", "gpa"] },
);

describe("the link of an experiment", () => {
  it("is read as it was written", () => {
    fc.assert(
      fc.property(experiments, (experiment) => {
        const hash = formatPlace("machine", "", formatExperiment(experiment as Experiment));
        const place = parsePlace(hash);
        expect(place.route).toBe("machine");
        expect(parseExperiment(place.query)).toEqual({ experiment, problems: [] });
      }),
    );
  });

  it("says nothing that is the default", () => {
    expect(formatPlace("machine", "", formatExperiment(FIRST_EXPERIMENT))).toBe("#/machine?guest=mmio");
    expect(formatExperiment({ ...FIRST_EXPERIMENT, knobs: { "tlb.entries": 1024 } }).has("knob")).toBe(false);
  });

  it("can be read by people", () => {
    const hash = formatPlace(
      "machine",
      "",
      formatExperiment({ ...FIRST_EXPERIMENT, knobs: { "device.at": 1 }, at: 500 }),
    );
    expect(hash).toBe("#/machine?guest=mmio&knob=device.at=core&at=500");
  });

  it("never throws, whatever it holds", () => {
    fc.assert(fc.property(fc.string(), (text) => void parseExperiment(parsePlace(`#/machine?${text}`).query)));
    fc.assert(fc.property(fc.webFragments(), (text) => void parsePlace(`#${text}`)));
  });

  const problemsOf = (text: string): readonly string[] =>
    parseExperiment(parsePlace(`#/machine?${text}`).query).problems;

  it.each([
    ["v=2", "version 2"],
    ["wiew=tlb", 'did you mean "view"?'],
    ["view=tlbb", 'did you mean "tlb"?'],
    ["knob=tlb.entries=17", "power of two"],
    ["knob=nothing=1", 'unknown knob "nothing"'],
    ["era=1999", 'unknown era "1999"'],
    ["at=-1", "at=-1 is not a whole number"],
    ["at=1e99", "at=1e99 is not a whole number"],
    ["memory=999999", "from 1 to 3840"],
    ["vcpus=0", "from 1 to 128"],
    ["typed=5:zz", "what was typed cannot be read"],
    ["typed=9:41,5:41", "what was typed cannot be read"],
    ["versus=device.at=moon", '"moon" is not one of'],
  ])("%s is told: %s", (text, message) => {
    expect(problemsOf(text).join("\n")).toContain(message);
  });

  it("the rest of a broken link still works", () => {
    const { experiment, problems } = parseExperiment(parsePlace("#/machine?guest=hello&at=77&knob=x&view=nope").query);
    expect(problems).toHaveLength(2);
    expect(experiment).toMatchObject({ guest: { kind: "bundled", name: "hello" }, at: 77, view: "path" });
  });
});
