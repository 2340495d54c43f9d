/**
 * Looks at a whole run of vitest when it is over: a row of the specification whose test was not collected, was skipped or failed makes the
 * run fail. Runs that are filtered by title say nothing about the rest and are not looked at.
 */
import { relative } from "node:path";
import type { TestProject } from "vitest/node";
import { ROOT } from "../../host/node/paths.ts";
import { ALL_ROWS } from "./all-rows.ts";
import { type CollectedTest, unprovedBy } from "./collected.ts";

export default function setup({ vitest }: TestProject): () => void {
  return () => {
    if (vitest.config.testNamePattern) return;
    const collected = new Map<string, readonly CollectedTest[]>();
    for (const module of vitest.state.getTestModules()) {
      const tests = [...module.children.allTests()].map((test) => ({
        name: test.name,
        fullName: test.fullName,
        state: test.result().state,
      }));
      collected.set(relative(`${ROOT}/test`, module.moduleId), tests);
    }
    const problems = unprovedBy(collected, ALL_ROWS);
    if (problems.length === 0) return;
    console.error(`\nRows of the specification that this run does not prove:\n  ${problems.join("\n  ")}`);
    process.exitCode = 1;
  };
}
