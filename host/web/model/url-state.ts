/**
 * A whole experiment as the address of the page: guest, knobs, position, what was typed, what is shown. Links come from anywhere, so every
 * field is checked; what is wrong is said, and the rest of the link still works.
 */
import { UsageError } from "../../lib/errors.ts";
import { type EraName, eraKnobs, formatKnob, KNOBS, type KnobValues, parseEra, parseKnob } from "../../lib/knobs.ts";
import { suggest } from "../../lib/suggest.ts";
import type { Typed } from "../worker/protocol.ts";

export const VIEWS = ["path", "map", "tree", "entry", "tlb", "ioreq", "memory", "domains", "knobs", "counts"] as const;
export type ViewName = (typeof VIEWS)[number];

/** A file cannot travel in a link: its name and the first 16 digits of its SHA-256 can, so that the right one is asked for. */
export interface NamedFile {
  readonly name: string;
  readonly sha: string;
}

export interface Experiment {
  readonly guest:
    | { readonly kind: "bundled"; readonly name: string }
    | { readonly kind: "file"; readonly file: NamedFile };
  readonly era?: EraName;
  readonly knobs: KnobValues;
  readonly memoryMiB?: number;
  readonly vcpus?: number;
  readonly cmdline?: string;
  /** Instructions retired. */
  readonly at: number;
  /** Virtual time, where `at` does not say enough: inside an instruction, or while everybody waits. It counts more than `at`. */
  readonly tick?: number | undefined;
  readonly typed: readonly Typed[];
  readonly view: ViewName;
  /** Guest-physical address that the p2m and memory views look at. */
  readonly gpa: number;
  /** One knob in which a second machine beside this one differs. */
  readonly versus?: { readonly knob: string; readonly value: number };
}

export interface ParsedExperiment {
  readonly experiment: Experiment;
  /** What in the link could not be used, one sentence each. */
  readonly problems: readonly string[];
}

const VERSION = 1;
export const FIRST_EXPERIMENT: Experiment = {
  guest: { kind: "bundled", name: "mmio" },
  knobs: {},
  at: 0,
  typed: [],
  view: "path",
  gpa: 0xfe00_0000,
};

const FIELDS = [
  "v",
  "guest",
  "file",
  "sha",
  "era",
  "knob",
  "memory",
  "vcpus",
  "cmdline",
  "at",
  "tick",
  "typed",
  "view",
  "gpa",
  "versus",
];
/** A link is text that people send: what does not fit is a snapshot file's business. */
const LONGEST_TYPED = 4096;

const toHex = (bytes: Uint8Array): string => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");

function fromHex(text: string): Uint8Array | undefined {
  if (!/^([0-9a-f]{2})+$/i.test(text)) return undefined;
  return Uint8Array.from(text.match(/../g)!, (pair) => Number.parseInt(pair, 16));
}

/** "500:6c730a,900:0a": at virtual time 500 the bytes 6c 73 0a. */
export function parseTyped(text: string): Typed[] | undefined {
  const typed: Typed[] = [];
  for (const part of text.split(",")) {
    const match = /^(\d{1,15}):([0-9a-f]+)$/i.exec(part);
    const bytes = match ? fromHex(match[2]!) : undefined;
    if (!match || !bytes || Number(match[1]) < (typed.at(-1)?.time ?? 0)) return undefined;
    typed.push({ time: Number(match[1]), bytes });
  }
  return typed;
}

/** Keys pressed one after the other without the machine moving are one entry. */
export function formatTyped(typed: readonly Typed[]): string {
  const merged: { time: number; hex: string }[] = [];
  for (const { time, bytes } of typed) {
    const last = merged.at(-1);
    if (last?.time === time) last.hex += toHex(bytes);
    else merged.push({ time, hex: toHex(bytes) });
  }
  return merged.map(({ time, hex }) => `${time}:${hex}`).join(",");
}

/** Reads the query of an address. Never throws. */
export function parseExperiment(query: URLSearchParams): ParsedExperiment {
  const problems: string[] = [];
  const whole = (name: string, min: number, max: number): number | undefined => {
    const text = query.get(name);
    if (text === null) return undefined;
    const value = /^(0x[0-9a-f]{1,13}|\d{1,15})$/i.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    problems.push(`${name}=${text} is not a whole number from ${min} to ${max}`);
    return undefined;
  };
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      problems.push(error.message);
      return undefined;
    }
  };

  const version = query.get("v") ?? String(VERSION);
  if (version !== String(VERSION))
    problems.push(`the link has version ${version}, this page knows version ${VERSION}: it may show something else`);
  const unknown = [...new Set(query.keys())].filter((key) => !FIELDS.includes(key));
  for (const key of unknown) problems.push(`"${key}" means nothing to this page: ${suggest(key, FIELDS)}`);

  const knobs: Record<string, number> = {};
  for (const text of query.getAll("knob")) {
    const pair = attempt(() => parseKnob(text));
    if (pair) knobs[pair[0]] = pair[1];
  }
  const eraText = query.get("era");
  const era = eraText === null ? undefined : attempt(() => parseEra(eraText));
  const versusText = query.get("versus");
  const versus = versusText === null ? undefined : attempt(() => parseKnob(versusText));
  const viewText = query.get("view");
  const view = VIEWS.find((v) => v === viewText);
  if (viewText !== null && !view) problems.push(`there is no view "${viewText}": ${suggest(viewText, VIEWS)}`);
  const typedText = query.get("typed");
  const typed = typedText === null ? [] : parseTyped(typedText);
  if (!typed) problems.push("what was typed cannot be read: the link is cut off or was changed");
  const fileName = query.get("file");
  const memoryMiB = whole("memory", 1, 3840);
  const vcpus = whole("vcpus", 1, 128);
  const cmdline = query.get("cmdline") ?? undefined;
  const tick = whole("tick", 0, Number.MAX_SAFE_INTEGER);
  return {
    problems,
    experiment: {
      guest:
        fileName === null
          ? { kind: "bundled", name: query.get("guest") ?? "mmio" }
          : { kind: "file", file: { name: fileName, sha: query.get("sha") ?? "" } },
      knobs,
      at: whole("at", 0, Number.MAX_SAFE_INTEGER) ?? 0,
      typed: typed ?? [],
      view: view ?? FIRST_EXPERIMENT.view,
      gpa: whole("gpa", 0, 2 ** 48 - 1) ?? FIRST_EXPERIMENT.gpa,
      ...(tick === undefined ? {} : { tick }),
      ...(era === undefined ? {} : { era }),
      ...(memoryMiB === undefined ? {} : { memoryMiB }),
      ...(vcpus === undefined ? {} : { vcpus }),
      ...(cmdline === undefined ? {} : { cmdline }),
      ...(versus === undefined ? {} : { versus: { knob: versus[0], value: versus[1] } }),
    },
  };
}

const knobText = (name: string, value: number): string =>
  `${name}=${formatKnob(KNOBS.find((k) => k.name === name)!, value)}`;

/** Only what differs from the default is written, always in the same order: equal experiments have equal links. */
export function formatExperiment(e: Experiment): URLSearchParams {
  const query = new URLSearchParams();
  const set = (name: string, value: string | number | undefined, isDefault = false): void => {
    if (value !== undefined && value !== "" && !isDefault) query.append(name, String(value));
  };
  if (e.guest.kind === "bundled") set("guest", e.guest.name);
  else {
    set("file", e.guest.file.name);
    set("sha", e.guest.file.sha);
  }
  set("era", e.era);
  const defaults = eraKnobs(e.era ?? "4.17");
  for (const [name, value] of Object.entries(e.knobs).sort(([a], [b]) => (a < b ? -1 : 1)))
    set("knob", knobText(name, value), defaults[name] === value);
  set("memory", e.memoryMiB);
  set("vcpus", e.vcpus);
  set("cmdline", e.cmdline);
  set("at", e.at, e.at === 0);
  set("tick", e.tick);
  const typed = formatTyped(e.typed);
  set("typed", typed, typed.length > LONGEST_TYPED);
  set("view", e.view, e.view === FIRST_EXPERIMENT.view);
  set("gpa", `0x${e.gpa.toString(16)}`, e.gpa === FIRST_EXPERIMENT.gpa);
  if (e.versus) set("versus", knobText(e.versus.knob, e.versus.value));
  return query;
}
