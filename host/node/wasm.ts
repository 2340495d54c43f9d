/** Compiles a build of the core from build/. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../lib/errors.ts";
import { ROOT } from "./paths.ts";

export type BuildName = "release" | "debug" | "race" | "wasi" | "silicon" | "p2m-bench" | "taint" | "shadow";

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
