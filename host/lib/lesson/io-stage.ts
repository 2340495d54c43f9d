/** Checks on a scenario about I/O resources (lib/iocap): who is told what, and which rule is broken. */
import { UsageError } from "../errors.ts";
import { REMEDIES, runScenario, type ScenarioResult } from "../iocap/scenario.ts";
import { scenarioByName } from "../iocap/scenarios.ts";
import type { LessonTools, Stage } from "./stage.ts";

/** The word for "nothing is wrong". */
export const NO_RULE = "no rule";

export async function createIoStage(tools: LessonTools, name: string, options: readonly string[]): Promise<Stage> {
  const settings = Object.fromEntries(options.map((option) => option.split("=") as [string, string]));
  const { accountant = "off", remedy = "none", ...rest } = settings;
  const [stray] = Object.keys(rest);
  if (stray !== undefined) throw new UsageError(`io has no "${stray}": write accountant=on or remedy=NAME`);
  const chosen = REMEDIES.find((r) => r === remedy);
  if (!chosen) throw new UsageError(`no remedy is called "${remedy}": there are ${REMEDIES.join(", ")}`);
  const module = await tools.build("release");
  const result: ScenarioResult = runScenario(module, scenarioByName(name), {
    accountant: accountant === "on",
    remedy: chosen,
  });
  return {
    act: () => false,
    quantity(quantity) {
      if (quantity === "broken") return result.violation ?? NO_RULE;
      if (quantity === "answers") return result.steps.map((s) => `${s.who} ${s.does}: ${s.result}`).join("\n");
      return undefined;
    },
  };
}
