/**
 * What wants a quiet machine: the figures that this project promises, and the tests of the measuring itself. Says first how long it takes.
 *
 *   node scripts/quiet.mjs                  all of it
 *   node scripts/quiet.mjs goals planted    only these
 */
import { spawnSync } from "node:child_process";
import { availableParallelism, loadavg } from "node:os";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const node = process.execPath;
const STEPS = {
  goals: {
    what: "the quick bench, with every promised ratio in its tables",
    minutes: 3,
    command: [node, ["dist/bench/main.js", "--quick", "--json", "build/bench-quick.json"]],
  },
  growth: {
    what: "how the cost of every path grows",
    minutes: 4,
    command: [node, ["dist/host/cli/main.js", "bench", "growth", "--quick", "--out", "build/growth.html"]],
  },
  planted: {
    what: "a planted slow-down is found in 9 of 10 runs, an unchanged build is flagged in 1 of 20 at most",
    minutes: 25,
    command: [
      node,
      ["node_modules/vitest/vitest.mjs", "run", "--config", "vitest.long.config.ts", "test/bench/planted.long.test.ts"],
    ],
  },
  studies: {
    what: "two whole studies as pages",
    minutes: 3,
    command: [node, ["dist/host/cli/main.js", "study", "unmap-presets", "--out", "build/study-unmap-presets.html"]],
    after: [
      node,
      [
        "dist/host/cli/main.js",
        "study",
        "lazy-or-sweep",
        "--out",
        "build/study-lazy-or-sweep.html",
        "--plot",
        "docs/lazy-or-sweep.svg",
      ],
    ],
  },
  "io-costs": { what: "docs/io-costs.md and its plots", minutes: 3, command: [node, ["scripts/io-costs.mjs"]] },
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(STEPS, name));
if (unknown.length > 0) {
  console.error(`quiet: no step is called ${unknown.join(", ")}: there are ${Object.keys(STEPS).join(", ")}`);
  process.exit(2);
}
const chosen = Object.entries(STEPS).filter(([name]) => wanted.length === 0 || wanted.includes(name));
console.log(`about ${chosen.reduce((sum, [, step]) => sum + step.minutes, 0)} minutes on two quiet processors`);
if (loadavg()[0] > 0.5)
  console.log(
    `note: the load is ${loadavg()[0].toFixed(1)} on ${availableParallelism()} processors: this is not quiet`,
  );

function run([command, args]) {
  const { status } = spawnSync(command, args, { stdio: "inherit", env: { VMEXIT_AB_RUNS: "10", ...process.env } });
  return status ?? 1;
}
const builds = ["scripts/build.mjs", "release", "silicon", "race", "p2m-bench", "io-bench", "host"];
if (run([node, builds]) !== 0) process.exit(1);
const ended = chosen.map(([name, step]) => {
  console.log(`\n== ${name}: ${step.what}, about ${step.minutes} minutes ==`);
  const began = Date.now();
  const status = run(step.command) || (step.after ? run(step.after) : 0);
  return `${name}: exit code ${status}, ${((Date.now() - began) / 60_000).toFixed(1)} minutes`;
});
console.log(`\n${ended.join("\n")}`);
process.exitCode = ended.some((line) => !line.includes("exit code 0,")) ? 1 : 0;
