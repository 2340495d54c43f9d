/**
 * Explores every variant of every race (dist/ and build/race.wasm must be there) and writes what was found into the race's folder: the
 * smallest schedule of each violation, and the README with the counts. Without --write it only says what differs.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { openRace } from "../dist/host/lib/explore/instance.js";
import { raceReadme } from "../dist/host/lib/explore/readme.js";
import { record } from "../dist/host/lib/explore/replay.js";
import { formatSchedule } from "../dist/host/lib/explore/schedule.js";
import { search } from "../dist/host/lib/explore/search.js";
import { shrink } from "../dist/host/lib/explore/shrink.js";
import { RACES } from "../dist/host/lib/races/catalogue.js";

const BUDGET = { steps: 1e9, seconds: 600 };
const isWriting = process.argv.includes("--write");
const module = new WebAssembly.Module(readFileSync("build/race.wasm"));
let differing = 0;

function keep(file, text) {
  if (existsSync(file) && readFileSync(file, "utf8") === text) return;
  differing++;
  console.log(`${isWriting ? "written" : "differs"}: ${file}`);
  if (isWriting) writeFileSync(file, text);
}

for (const race of RACES) {
  const folder = `host/lib/races/${race.name}`;
  const results = {};
  for (const variant of Object.keys(race.variants)) {
    const instance = openRace(module, race, variant);
    const result = search(instance, { budget: BUDGET });
    results[variant] = result;
    if (!result.violation) continue;
    const smallest = shrink(instance, result.violation, BUDGET);
    keep(`${folder}/${variant}.schedule`, formatSchedule(record(instance, { variant, knobs: {} }, smallest)));
  }
  keep(`${folder}/README.md`, raceReadme(race, results));
}
process.exitCode = differing > 0 && !isWriting ? 1 : 0;
