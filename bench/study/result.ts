/** A study that was run: the raw data of the report, and of --json. */
import type { CostModel } from "../../host/lib/cost/model.ts";
import { formatKnob, KNOBS } from "../../host/lib/knobs.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { calibrate, noiseOf, noiseText } from "../calibration.ts";
import { type Environment, environment } from "../environment.ts";
import { buildHash } from "../run.ts";
import { measureStudy, type StudyEffort } from "./measure.ts";
import type { Point, Study } from "./study.ts";

export interface StudyResult {
  readonly format: "vmexit-study";
  readonly version: 1;
  readonly study: string;
  readonly command: string;
  readonly environment: Environment;
  /** First digits of the SHA-256 of the release build. */
  readonly build: string;
  /** Knobs of each design as they are written on the command line. */
  readonly knobs: Readonly<Record<string, string>>;
  readonly costs: CostModel;
  readonly rounds: number;
  readonly noise: string;
  readonly points: readonly Point[];
}

/** "unmap.pause=on unmap.reset=recalc" */
function knobText(knobs: Readonly<Record<string, number>>): string {
  return Object.entries(knobs)
    .map(([name, value]) => {
      const knob = KNOBS.find((k) => k.name === name);
      return `${name}=${knob ? formatKnob(knob, value) : value}`;
    })
    .join(" ");
}

export function runStudy(
  study: Study,
  effort: StudyEffort,
  costs: CostModel,
  command: string,
  progress: (text: string) => void,
): StudyResult {
  const before = calibrate();
  const points = measureStudy(study, compileBuild("release"), effort, costs, progress);
  return {
    format: "vmexit-study",
    version: 1,
    study: study.name,
    command,
    environment: environment(),
    build: buildHash("release"),
    knobs: Object.fromEntries(study.variants.map((v) => [v.label, knobText(v.knobs)])),
    costs,
    rounds: effort.rounds,
    noise: noiseText(noiseOf([before, calibrate()])),
    points,
  };
}
