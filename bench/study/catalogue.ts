/** Every study by name: one line to add one. */
import { UsageError } from "../../host/lib/errors.ts";
import { suggestion } from "../../host/lib/nearest.ts";
import { devicePlace } from "./studies/device-place.ts";
import { lazyOrSweep } from "./studies/lazy-or-sweep.ts";
import { superpages } from "./studies/superpages.ts";
import { tlbSize } from "./studies/tlb-size.ts";
import { unmapPresets } from "./studies/unmap-presets.ts";

import type { Study } from "./study.ts";

export const STUDIES: readonly Study[] = [unmapPresets, lazyOrSweep, superpages, tlbSize, devicePlace];

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
