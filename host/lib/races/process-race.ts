/** Races of a modelled dom0 process (host/lib/process): a variant is a strategy that keeps its hypercall buffers. */

import { defineRace, type Race, type RaceVariant } from "../explore/race.ts";
import type { PropertyName } from "../process/properties.ts";
import { setupProcess, type Threat } from "../process/setup.ts";
import { strategyNamed } from "../process/strategies.ts";

export interface ProcessRace extends Omit<Race, "setup" | "variants"> {
  readonly threats: readonly Threat[];
  readonly pages?: readonly number[];
  /** Hypercalls of the program, by argument. */
  readonly calls?: readonly string[];
  readonly properties: readonly PropertyName[];
  /** By name of a strategy. */
  readonly variants: Readonly<Record<string, Omit<RaceVariant, "knobs">>>;
}

export function processRace({ threats, pages, calls, properties, variants, ...race }: ProcessRace): Race {
  return defineRace({
    varies: "the buffers of the process",
    ...race,
    variants: Object.fromEntries(Object.entries(variants).map(([name, variant]) => [name, { ...variant, knobs: {} }])),
    setup(module, knobs, variant) {
      const strategy = strategyNamed(variant);
      if (!strategy) throw new Error(`race ${race.name}: there is no strategy ${variant}`);
      return setupProcess(module, knobs, {
        strategy,
        threats,
        properties,
        ...(pages ? { pages } : {}),
        ...(calls ? { calls } : {}),
      });
    },
  });
}
