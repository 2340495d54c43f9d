/** vmexit knobs: every design alternative, its values, its default, and which era differs. */
import type { Command } from "commander";
import { DEFAULT_ERA, ERAS, formatKnob, KNOBS, type Knob } from "../lib/knobs.ts";

function valuesOf(knob: Knob): string {
  if (knob.values) return Object.keys(knob.values).join(" | ");
  return `${knob.min ?? 0}..${knob.max ?? ""}${knob.powerOfTwo ? ", power of two" : ""}`;
}

export function knobsText(): string {
  const width = Math.max(...KNOBS.map((k) => k.name.length));
  const lines = KNOBS.map((k) => {
    const eras = Object.entries(k.eras ?? {}).map(([era, value]) => `; ${era}: ${formatKnob(k, value)}`);
    return `  ${k.name.padEnd(width)}  ${k.text}\n  ${"".padEnd(width)}  ${valuesOf(k)}; default ${formatKnob(k, k.default)}${eras.join("")}\n`;
  });
  return `Knobs (vmexit run --knob name=value):\n${lines.join("")}\nEras (--era): ${Object.keys(ERAS).join(", ")}; default ${DEFAULT_ERA}\n`;
}

export function addKnobs(program: Command): void {
  program
    .command("knobs")
    .description("list the knobs and the eras")
    .action(() => {
      process.stdout.write(knobsText());
    });
}
