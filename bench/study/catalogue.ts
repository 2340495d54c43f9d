/** Every study by name: one line to add one. */
import { UsageError } from "../../host/lib/errors.ts";
import { suggestion } from "../../host/lib/nearest.ts";
import { bufferStrategies } from "./studies/buffer-strategies.ts";
import { bufferedIoreq } from "./studies/buffered-ioreq.ts";
import { countMethods } from "./studies/count-methods.ts";
import { devicePlace } from "./studies/device-place.ts";
import { lazyOrSweep } from "./studies/lazy-or-sweep.ts";
import { portCheck } from "./studies/port-check.ts";
import { rmap } from "./studies/rmap.ts";
import { superpages } from "./studies/superpages.ts";
import { tlbSize } from "./studies/tlb-size.ts";
import { unmapPresets } from "./studies/unmap-presets.ts";
import { xsmChecks } from "./studies/xsm-checks.ts";

import type { Study } from "./study.ts";

export const STUDIES: readonly Study[] = [
  unmapPresets,
  lazyOrSweep,
  superpages,
  tlbSize,
  devicePlace,
  bufferedIoreq,
  portCheck,
  countMethods,
  xsmChecks,
  bufferStrategies,
  rmap,
];

/** @throws UsageError */
export function findStudy(name: string): Study {
  const found = STUDIES.find((study) => study.name === name);
  if (found) return found;
  throw new UsageError(
    `no study is called "${name}": ${suggestion(
      name,
      STUDIES.map((s) => s.name),
    )}`,
  );
}
