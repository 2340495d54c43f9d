/** Compiles a build of the core from build/. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../lib/errors.ts";
import type { AccessTable } from "../lib/explore/automatic-windows.ts";
import { ROOT } from "./paths.ts";

export type BuildName =
  | "release"
  | "debug"
  | "race"
  | "race-footprint"
  | "wasi"
  | "silicon"
  | "p2m-bench"
  | "io-bench"
  | "taint"
  | "shadow";

/** @throws UsageError when the build does not exist yet. */
export function readBuild(name: BuildName): Uint8Array<ArrayBuffer> {
  const file = join(ROOT, "build", `${name}.wasm`);
  try {
    return new Uint8Array(readFileSync(file));
  } catch (cause) {
    throw new UsageError(`build/${name}.wasm is missing: run "npm run build" first`, { cause });
  }
}

/** @throws UsageError when the build does not exist yet. */
export function compileBuild(name: BuildName): WebAssembly.Module {
  return new WebAssembly.Module(readBuild(name));
}

/** Source places of the windows by name (scripts/window-sites.mjs); none when that file was not made. */
export function readWindowSites(): Readonly<Record<string, readonly string[]>> {
  try {
    return JSON.parse(readFileSync(join(ROOT, "build", "window-sites.json"), "utf8")) as Record<string, string[]>;
  } catch {
    return {};
  }
}

/** What schedules call the core: 64 bits of the SHA-256 of the race build, from which the instrumented one is made too. */
export function buildHash(): string {
  return createHash("sha256").update(readBuild("race")).digest("hex").slice(0, 16);
}

/** Which function each access of the instrumented build stands in. @throws UsageError when the build does not exist yet. */
export function readAccessTable(): AccessTable {
  try {
    return JSON.parse(readFileSync(join(ROOT, "build", "race-footprint.json"), "utf8")) as AccessTable;
  } catch (cause) {
    throw new UsageError(`build/race-footprint.json is missing: run "npm run build" first`, { cause });
  }
}
