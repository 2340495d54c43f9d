/**
 * A race of one's own in a file: `vmexit race ./my-race.js`. The file's default export is a description (race-description.ts), or a
 * function, async or not, that gets the tools below and returns one. docs/explorer.md has an example.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { disassemble } from "../lib/debug/disassemble.ts";
import { UsageError } from "../lib/errors.ts";
import * as code from "../lib/explore/code.ts";
import type { GuestStart } from "../lib/explore/guest-start.ts";
import * as steps from "../lib/explore/hypercall-steps.ts";
import { everyWriteOnce, ramValue } from "../lib/explore/invariants.ts";
import { defineRace, type Race } from "../lib/explore/race.ts";
import type { RaceDescription } from "../lib/explore/race-description.ts";
import type { InstructionText } from "../lib/explore/vcpu-actor.ts";
import { loadImage } from "../lib/loader/detect.ts";
import { mapMemType, setMemType } from "../lib/toolstack/dm-op.ts";
import { loadGuest } from "./guests.ts";

const textOf: InstructionText = (code, rip, bitness) => disassemble(code, rip, bitness, 1)[0]?.text;

/** Guest RAM of a race that starts from a guest: every state is copied and hashed whole, so as little as a small guest needs. */
const MEMORY = 2 * 2 ** 20;

/**
 * A guest of guests/ after `at` instructions; a vCPU's part in the race is over when it comes to address `until`.
 * @throws UsageError when there is no such guest.
 */
export async function fromGuest(
  name: string,
  { at, until, memoryBytes = MEMORY }: { readonly at: number; readonly until: number; readonly memoryBytes?: number },
): Promise<GuestStart> {
  const guest = await loadGuest(name);
  const image = loadImage(guest.build(), { flat: false });
  if (!image.ok) throw new UsageError(`${name}: ${image.problem}`);
  for (const [field, value] of Object.entries({ at, until }))
    if (!Number.isInteger(value) || value < 0)
      throw new UsageError(`fromGuest("${name}"): ${field} is no whole number`);
  const { vcpus = 1, cmdline = "" } = guest.run ?? {};
  return { kind: "guest-start", name, image: image.value, cmdline, vcpus, memoryBytes, at, until, textOf };
}

/** What a race file that exports a function is given. */
export const RACE_TOOLS = {
  defineRace,
  fromGuest,
  code,
  steps,
  everyWriteOnce,
  ramValue,
  mapMemType,
  setMemType,
} as const;

/** Whether the name of a race is the path of a file. */
export const isRaceFile = (name: string): boolean => /[/\\]|\.m?js$/.test(name);

/** @throws UsageError: no such file, no race in it, or the first field that is wrong. */
export async function loadRaceFile(file: string): Promise<Race> {
  const path = resolve(file);
  if (!existsSync(path)) throw new UsageError(`${file}: no such file`);
  let exported: unknown;
  try {
    exported = ((await import(pathToFileURL(path).href)) as { default?: unknown }).default;
    if (typeof exported === "function")
      exported = await (exported as (tools: typeof RACE_TOOLS) => unknown)(RACE_TOOLS);
  } catch (cause) {
    if (cause instanceof UsageError) throw new UsageError(`${file}: ${cause.message}`, { cause });
    throw new UsageError(`${file} cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  if (typeof exported !== "object" || exported === null)
    throw new UsageError(
      `${file} exports no race: write export default { name, guests, actors, invariants, variants }`,
    );
  try {
    return defineRace(exported as RaceDescription);
  } catch (cause) {
    throw cause instanceof UsageError ? new UsageError(`${file}: ${cause.message}`, { cause }) : cause;
  }
}
