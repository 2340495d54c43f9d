/**
 * Builds everything a checkout needs: the WebAssembly targets of asconfig.json, the race build through asyncify, and the host.
 *
 *   node scripts/build.mjs            everything whose sources changed
 *   node scripts/build.mjs --force    everything
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = new URL("..", import.meta.url).pathname;
process.chdir(root);
mkdirSync("build", { recursive: true });
const force = process.argv.includes("--force");
const bin = (name) => join("node_modules", ".bin", name);

function newest(folder, extensions) {
  let time = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !extensions.some((e) => entry.name.endsWith(e))) continue;
    time = Math.max(time, statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs);
  }
  return time;
}

function run(title, command, args) {
  const started = Date.now();
  const result = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });
  if (result.status !== 0) {
    console.error(`build: ${title} failed`);
    process.exit(1);
  }
  console.error(`build: ${title} ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

const isFresh = (file, time) => !force && existsSync(file) && statSync(file).mtimeMs > time;

const config = Math.max(statSync("asconfig.json").mtimeMs, statSync("scripts/build.mjs").mtimeMs);
const core = Math.max(newest("hv-core", [".ts"]), config);
/** Targets whose entry is not the whole ABI. */
const entries = { silicon: "hv-core/silicon.ts", wasi: "hv-core/wasi/main.ts" };
const targets = JSON.parse(readFileSync("asconfig.json", "utf8")).targets;
for (const [name, target] of Object.entries(targets)) {
  const entry = entries[name] ?? "hv-core/index.ts";
  if (isFresh(target.outFile, core) || !existsSync(entry)) continue;
  run(`core (${name})`, process.execPath, ["node_modules/assemblyscript/bin/asc.js", entry, "--target", name]);
}
if (existsSync("scripts/asyncify.mjs") && !isFresh("build/race.wasm", core))
  run("race (asyncify)", process.execPath, ["scripts/asyncify.mjs"]);

const host = Math.max(
  newest("host", [".ts"]),
  newest("guests", [".ts"]),
  newest("bench", [".ts"]),
  newest("hv-core/abi", [".ts"]),
  config,
);
if (!isFresh("dist/.built", host)) {
  run("host", bin("tsc"), ["-p", "tsconfig.build.json"]);
  writeFileSync("dist/.built", "");
}
