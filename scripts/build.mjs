/**
 * Builds what a checkout needs: the WebAssembly targets of asconfig.json, the race build through asyncify, and the host.
 *
 *   node scripts/build.mjs                    everything whose sources changed
 *   node scripts/build.mjs release wasi host  only these
 *   node scripts/build.mjs --force ...        whether they changed or not
 */
import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeWindowSites } from "./window-sites.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
mkdirSync("build", { recursive: true });

/** Targets whose entry is not hv-core/index.ts. */
const ENTRIES = {
  race: "hv-core/race.ts",
  silicon: "hv-core/silicon.ts",
  shadow: "hv-core/taint/shadow.ts",
  wasi: "hv-core/wasi/main.ts",
  "p2m-bench": "hv-core/units/p2m-bench.ts",
  "io-bench": "hv-core/units/io-bench.ts",
};
/** Targets for one test each: built only when named. */
const ON_DEMAND = new Set(["planted"]);
const force = process.argv.includes("--force");
const wanted = process.argv.slice(2).filter((name) => !name.startsWith("--"));
/** The taint build is made of debug and shadow together. */
const isWanted = (name) =>
  wanted.length === 0 || wanted.includes(name) || (name === "shadow" && wanted.includes("debug"));

function newest(folder, pattern = /\.ts$/) {
  let time = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !pattern.test(entry.name)) continue;
    time = Math.max(time, statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs);
  }
  return time;
}

const isFresh = (file, time) => !force && existsSync(file) && statSync(file).mtimeMs > time;

/** Runs one step; its output is shown when it fails. */
function run(title, args) {
  const started = Date.now();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    const output = [];
    child.stdout.on("data", (bytes) => output.push(bytes));
    child.stderr.on("data", (bytes) => output.push(bytes));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code !== 0) {
        process.stderr.write(Buffer.concat(output));
        reject(new Error(`${title} failed`));
        return;
      }
      console.error(`build: ${title} ${((Date.now() - started) / 1000).toFixed(1)} s`);
      resolve();
    });
  });
}

/** Makes `npx vmexit` find this checkout's command, as an installed package's would be. */
function linkCommand() {
  const command = "dist/host/cli/main.js";
  const link = "node_modules/.bin/vmexit";
  chmodSync(command, 0o755);
  rmSync(link, { force: true });
  if (process.platform === "win32")
    writeFileSync(`${link}.cmd`, `@node "%~dp0\\..\\..\\${command.replaceAll("/", "\\")}" %*\r\n`);
  else symlinkSync(`../../${command}`, link);
}

const config = Math.max(statSync("asconfig.json").mtimeMs, statSync("scripts/build.mjs").mtimeMs);
const core = Math.max(newest("hv-core"), config);
const host = Math.max(...["host", "guests", "bench", "hv-core/abi"].map((folder) => newest(folder)), config);
const targets = JSON.parse(readFileSync("asconfig.json", "utf8")).targets;

const steps = [];
if (isWanted("host") && !isFresh("dist/.built", host)) {
  steps.push(async () => {
    await run("host", ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"]);
    linkCommand();
    writeFileSync("dist/.built", "");
  });
}
for (const [name, target] of Object.entries(targets)) {
  if (!isWanted(name) || (ON_DEMAND.has(name) && wanted.length === 0)) continue;
  const result = { race: "build/race-footprint.wasm", debug: "build/taint.wasm" }[name] ?? target.outFile;
  if (isFresh(result, core)) continue;
  steps.push(async () => {
    await run(`core (${name})`, [
      "node_modules/assemblyscript/bin/asc.js",
      ENTRIES[name] ?? "hv-core/index.ts",
      "--target",
      name,
    ]);
    if (name === "race") {
      await run("core (race, asyncify)", ["scripts/asyncify.mjs"]);
      await run("core (race, footprint)", ["scripts/footprint.mjs"]);
    }
    if (name === "debug") await run("core (taint)", ["scripts/taint.mjs"]);
  });
}

async function worker() {
  for (let step = steps.shift(); step; step = steps.shift()) await step();
}
/** The page holds copies of two builds of the core, so and the guests as the host's build makes them, so it comes last. */
async function buildLab() {
  const sources = Math.max(
    host,
    newest("host/web", /\.(ts|css|html|md)$/),
    newest("docs", /\.md$/),
    statSync("package.json").mtimeMs,
  );
  const builds = ["build/release.wasm", "build/race.wasm", "dist/.built"].map((file) => statSync(file).mtimeMs);
  if (isFresh("dist/lab/.built", Math.max(sources, ...builds))) return;
  await run("lab", ["node_modules/vite/bin/vite.js", "build", "--config", "host/web/vite.config.ts"]);
  writeFileSync("dist/lab/.built", "");
}
try {
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, worker));
  if (isWanted("race")) writeWindowSites(process.cwd());
  if (isWanted("lab")) await buildLab();
} catch (error) {
  console.error(`build: ${error.message}`);
  process.exit(1);
}
