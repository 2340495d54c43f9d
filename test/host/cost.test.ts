/** The cost model: every figure has a source, a file may change it, and what is wrong with the file is said with its line. */
import { describe, expect, it } from "vitest";
import { parseCosts } from "../../host/lib/cost/cost-file.ts";
import { COST_EVENTS, DEFAULT_COSTS } from "../../host/lib/cost/model.ts";
import { simulateCost, statsBetween } from "../../host/lib/cost/simulate.ts";
import { costText, modelText } from "../../host/lib/cost/text.ts";

const stats = (instructions: number, exits: Record<string, number>, counters: Record<string, number>) => ({
  instructions,
  exits,
  counters,
});

describe("simulated cost", () => {
  it("is the sum of counts times cycles, and only of what a processor would do", () => {
    const cost = simulateCost(
      stats(100, { EPT_VIOLATION: 2, BUDGET: 7, NEED_ANSWER: 3 }, { eptWalkSteps: 4, guestWalkSteps: 6 }),
    );
    expect(cost.lines).toEqual([
      { event: "instruction", count: 100, cycles: 1, total: 100 },
      { event: "vmExit", count: 2, cycles: DEFAULT_COSTS.vmExit, total: 2 * DEFAULT_COSTS.vmExit! },
      { event: "walkStep", count: 10, cycles: DEFAULT_COSTS.walkStep, total: 10 * DEFAULT_COSTS.walkStep! },
    ]);
    expect(cost.total).toBe(cost.lines.reduce((sum, line) => sum + line.total, 0));
    expect(costText(cost)).toContain("simulated (cycles");
  });

  it("takes the difference of two readings", () => {
    const between = statsBetween(
      stats(5, { HLT: 1 }, { locksTaken: 2 }),
      stats(9, { HLT: 1, CPUID: 2 }, { locksTaken: 5 }),
    );
    expect(between).toEqual({ instructions: 4, exits: { CPUID: 2 }, counters: { locksTaken: 3 } });
  });

  it("every event has a source and stands in the table", () => {
    const text = modelText();
    for (const event of COST_EVENTS) {
      expect(event.source.length).toBeGreaterThan(20);
      expect(text).toContain(event.source);
    }
  });
});

describe("a file of costs", () => {
  const parse = (text: string) => parseCosts(text, "c.json");

  it("replaces what it names and keeps the rest", () => {
    const model = parse('{"format": "vmexit-cost", "version": 1, "cycles": {"vmExit": 900}}');
    expect(model).toEqual({ ...DEFAULT_COSTS, vmExit: 900 });
    expect(modelText(model)).toContain("900 (default 1350)");
  });

  it.each([
    ['{"format": "vmexit-cost",\n "version": 2, "cycles": {}}', "c.json:2: version 1 is the only one there is"],
    ['{"format": "x", "version": 1, "cycles": {}}', 'c.json:1: format is "vmexit-cost"'],
    ['{"version": 1}', 'c.json:1: "format" is missing: write "vmexit-cost"'],
    [
      '{"format": "vmexit-cost", "version": 1, "cycles":\n\n{"vmexit": 1}}',
      'c.json:3: no event is called "vmexit": did you mean "vmExit"?',
    ],
    [
      '{"format": "vmexit-cost", "version": 1, "cycles": {"vmExit": -1}}',
      "c.json:1: vmExit is a number of cycles from 0 to 1000000000",
    ],
    ['{"format": "vmexit-cost", "version": 1, "cycle": {}}', 'c.json:1: unknown "cycle": did you mean "cycles"?'],
    ["[]", 'c.json:1: an object expected, with "format", "version" and "cycles"'],
    ['{"format": "vmexit-cost"', "c.json:1: "],
  ])("refuses %s", (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });
});
