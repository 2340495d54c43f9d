/** Options that several commands share: sizes, counts, knobs. Each parser throws UsageError with one line that says what to write. */
import { UsageError } from "../lib/errors.ts";
import { type EraName, parseEra, parseKnob } from "../lib/knobs.ts";
import { presetKnobs } from "../lib/presets.ts";

const UNITS: Readonly<Record<string, number>> = { "": 2 ** 20, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** "64M", "1G", "65536K", or a number of MiB; a multiple of 4 KiB. */
export function parseMemory(text: string): number {
  const match = /^(\d+)([kmg]?)(?:i?b)?$/i.exec(text);
  const bytes = match ? Number(match[1]) * UNITS[match[2]!.toLowerCase()]! : Number.NaN;
  if (!match) throw new UsageError(`--memory "${text}" is not a size: write for instance 64M or 1G`);
  if (bytes % 4096 !== 0)
    throw new UsageError(`--memory ${text} is not a whole number of pages: choose a multiple of 4K`);
  if (bytes < 2 ** 20 || bytes > 3840 * 2 ** 20) throw new UsageError(`--memory ${text}: choose 1M to 3840M`);
  return bytes;
}

export function parseCount(text: string, option: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    throw new UsageError(`${option} "${text}" is not a whole number from ${min} to ${max}`);
  return value;
}

/** Instructions: digits, or with a suffix k, m, g, or 1e9. */
export function parseInstructions(text: string, option: string): number {
  const match = /^(\d+(?:e\d{1,2})?)([kmg]?)$/i.exec(text);
  const scale = { "": 1, k: 1e3, m: 1e6, g: 1e9 }[match?.[2]?.toLowerCase() ?? ""] ?? 1;
  const value = match ? Number(match[1]) * scale : Number.NaN;
  if (!(value >= 1 && value <= Number.MAX_SAFE_INTEGER))
    throw new UsageError(`${option} "${text}" is not a positive number: write for instance 5000000 or 5m`);
  return value;
}

/** A guest-physical address: 0x..., or decimal. */
export function parseGpa(text: string): number {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 0 && value < 2 ** 48))
    throw new UsageError(`"${text}" is not a guest-physical address: write for instance 0x100000`);
  return value;
}

export interface KnobOptions {
  readonly era?: string;
  readonly knob: readonly string[];
}

export function parseKnobOptions(options: KnobOptions): {
  readonly era?: EraName;
  readonly knobs: Readonly<Record<string, number>>;
} {
  const knobs = Object.assign(
    {},
    ...options.knob.map((text) => presetKnobs(text) ?? Object.fromEntries([parseKnob(text)])),
  );
  return options.era === undefined ? { knobs } : { era: parseEra(options.era), knobs };
}

/** For commander: collects a repeatable option. */
export const collect = (value: string, previous: readonly string[]): string[] => [...previous, value];
