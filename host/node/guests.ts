/** The guests that come with vmexit: one folder in guests/ each, discovered by looking. */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Guest } from "../../guests/guest.ts";
import { UsageError } from "../lib/errors.ts";

/** guests/ beside host/: in the sources .ts files, in dist/ .js files. */
const here = dirname(fileURLToPath(import.meta.url));
const FOLDER = join(here, "..", "..", "guests");
const FILE = existsSync(join(FOLDER, "guest.ts")) ? "guest.ts" : "guest.js";

/** Names of all guests, sorted. */
export function guestNames(): string[] {
  return readdirSync(FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(FOLDER, entry.name, FILE)))
    .map((entry) => entry.name)
    .sort();
}

export function isGuestName(name: string): boolean {
  return /^[a-z0-9-]+$/.test(name) && existsSync(join(FOLDER, name, FILE));
}

/** Loads one guest. @throws UsageError when there is none of that name. */
export async function loadGuest(name: string): Promise<Guest> {
  if (!isGuestName(name))
    throw new UsageError(`no guest "${name}": use one of ${guestNames().join(", ")}, or the path of an ELF file`);
  const module = (await import(pathToFileURL(join(FOLDER, name, FILE)).href)) as { default: Guest };
  return module.default;
}
