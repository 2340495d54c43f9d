/** Checks of what somebody else wrote: each says which field is wrong, what it is, and what belongs there. */
import { UsageError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import type { Race } from "./race.ts";
import type { RaceDescription } from "./race-description.ts";
import { raceKnob, raceKnobNames } from "./variants.ts";

/** "race my-race: machine.pages is "four": a whole number from 2 to 64 belongs there". */
export class Field {
  private readonly race: string;
  private readonly path: string;
  private readonly value: unknown;

  constructor(race: string, path: string, value: unknown) {
    this.race = race;
    this.path = path;
    this.value = value;
  }

  private show(): string {
    if (typeof this.value === "function") return "a function";
    if (this.value === undefined) return "missing";
    return JSON.stringify(this.value) ?? String(this.value);
  }

  fail(wanted: string): never {
    const is = this.value === undefined ? "is missing" : `is ${this.show()}`;
    throw new UsageError(
      `race ${this.race}: ${this.path === "" ? "the description" : this.path} ${is}: ${wanted} belongs there`,
    );
  }

  /** An object with no other fields than these. */
  fields(known: readonly string[], what = "an object"): Record<string, unknown> {
    if (typeof this.value !== "object" || this.value === null || Array.isArray(this.value)) this.fail(what);
    for (const name of Object.keys(this.value)) {
      if (known.includes(name)) continue;
      const meant = nearest(name, known);
      const guess = meant === undefined ? `known are ${known.join(", ")}` : `did you mean ${meant}?`;
      throw new UsageError(
        `race ${this.race}: ${this.path === "" ? "" : `${this.path} has `}no field is called "${name}": ${guess}`,
      );
    }
    return this.value as Record<string, unknown>;
  }

  at(name: string): Field {
    const path = this.path === "" ? name : /^\d+$/.test(name) ? `${this.path}[${name}]` : `${this.path}.${name}`;
    return new Field(this.race, path, (this.value as Record<string, unknown> | undefined)?.[name]);
  }

  text(wanted: string, mayBeEmpty = false): string {
    if (typeof this.value !== "string" || (this.value === "" && !mayBeEmpty)) this.fail(wanted);
    return this.value;
  }

  count(min: number, max: number): number {
    const isFine = Number.isInteger(this.value) && (this.value as number) >= min && (this.value as number) <= max;
    if (!isFine) this.fail(`a whole number from ${min} to ${max}`);
    return this.value as number;
  }

  list(min: number, max: number, wanted: string): readonly Field[] {
    if (!Array.isArray(this.value) || this.value.length < min || this.value.length > max) this.fail(wanted);
    return this.value.map((_, i) => this.at(String(i)));
  }

  flag(): void {
    if (typeof this.value !== "boolean") this.fail("true or false");
  }

  function(wanted: string): void {
    if (typeof this.value !== "function") this.fail(wanted);
  }

  optional(check: (field: Field) => void): void {
    if (this.value !== undefined) check(this);
  }
}

/** Names and variants of any race. @throws UsageError */
export function checkNames(race: Pick<Race, "name" | "variants">): void {
  if (typeof race.name !== "string" || !/^[a-z][a-z0-9-]*$/.test(race.name))
    throw new UsageError(
      `a race is called ${JSON.stringify(race.name) ?? "nothing"}: a name is small letters, digits and dashes`,
    );
  const field = new Field(race.name, "", race).at("variants");
  const variants = Object.keys(field.fields(Object.keys((race.variants ?? {}) as object), "variants by name"));
  if (variants.length === 0)
    throw new UsageError(`race ${race.name} has no variant: say at least what the hypervisor as it is does`);
  for (const name of variants) checkVariant(field.at(name));
}

function checkVariant(variant: Field): void {
  variant.fields(["text", "knobs", "expect", "scene"], "{ text, knobs, expect }");
  variant.at("text").text("a sentence about the hypervisor", true);
  variant.at("expect").text('"clean", or the name of the invariant that breaks');
  variant.at("knobs").optional(checkKnobs);
}

function checkKnobs(field: Field): void {
  const knobs = field.fields(raceKnobNames(), "values by the names of knobs (vmexit knobs)");
  for (const name of Object.keys(knobs)) field.at(name).count(0, raceKnob(name)!.values.length - 1);
}

const FIELDS = [
  "name",
  "id",
  "title",
  "lesson",
  "background",
  "machine",
  "guests",
  "actors",
  "knobs",
  "invariants",
  "variants",
  "state",
  "mayCrash",
  "mayWaitForEver",
];
const SENTENCES = ["id", "title", "lesson", "background"] as const;

/** @throws UsageError for the first field that is wrong. */
export function checkDescription(value: unknown): asserts value is RaceDescription {
  const name = (value as { name?: unknown } | null)?.name;
  const root = new Field(typeof name === "string" ? name : "without a name", "", value);
  root.fields(FIELDS, "an object with name, guests, actors, invariants and variants");
  checkNames(value as Race);
  for (const sentence of SENTENCES) root.at(sentence).optional((field) => field.text("a text"));
  root.at("machine").optional((machine) => {
    machine.fields(["pages", "servers", "isHvm"], "{ pages, servers }");
    machine.at("pages").optional((pages) => pages.count(2, 64));
    machine.at("servers").optional((servers) => {
      for (const server of servers.list(0, 8, "a list of ioreq servers")) {
        server.fields(["mmio"], "{ mmio: [first, last] }");
        server.at("mmio").optional((range) => {
          for (const end of range.list(2, 2, "[first address, last address]")) end.count(0, Number.MAX_SAFE_INTEGER);
        });
      }
    });
  });
  const guests = (value as { guests?: { kind?: unknown } }).guests;
  if (guests?.kind !== "guest-start")
    for (const guest of root.at("guests").list(1, 4, "a list of 1 to 4 vCPUs, or fromGuest(...)")) checkGuest(guest);
  root.at("actors").function("a function that returns the list of actors beside the vCPUs");
  root.at("invariants").function("a function that returns the list of invariants");
  root.at("state").optional((field) => field.function("a function that returns the facts to show"));
  for (const flag of ["mayCrash", "mayWaitForEver"]) root.at(flag).optional((field) => field.flag());
  root.at("knobs").optional(checkKnobs);
}

function checkGuest(guest: Field): void {
  guest.fields(["at", "code"], "{ at, code }");
  guest.at("at").optional((at) => at.count(0x1000, 0xf_f000));
  for (const instruction of guest.at("code").list(1, 100, "a list of instructions (code.store32(...), ...)")) {
    instruction.fields(["bytes", "text"], "an instruction, { bytes, text }");
    instruction.at("text").text("the instruction as text");
    for (const byte of instruction.at("bytes").list(1, 15, "the bytes of the instruction")) byte.count(0, 255);
  }
}
