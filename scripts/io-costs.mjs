/**
 * Measures what checking and counting I/O resources costs (dist/ and build/io-bench.wasm must be there) and writes docs/io-costs.md with its
 * plots, docs/io-ports.svg and docs/io-counts.svg.
 *
 *   node scripts/build.mjs release io-bench host && node scripts/io-costs.mjs
 */
import { writeFileSync } from "node:fs";
import { environment, environmentText } from "../dist/bench/environment.js";
import { measure, NORMAL } from "../dist/bench/harness.js";
import { ratioOf } from "../dist/bench/rounds.js";
import { summarize } from "../dist/bench/statistics.js";
import {
  ioAccountSuite,
  METHODS,
  mapContestant,
  portContestants,
  RANGE_COUNTS,
} from "../dist/bench/suites/io-account.js";

const EFFORT = { ...NORMAL, rounds: 5, roundSeconds: 0.1 };
const median = (m) => summarize(m.samples).median;
const ns = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
const WAYS = ["bitmap", "rangeset", "accountant"];
const COLOURS = ["#3366cc", "#109618", "#dc3912", "#ff9900"];

/** Lines over logarithmic axes. `series`: [name, [[x, y], ...]]. */
function plot(title, xTitle, yTitle, series) {
  const all = series.flatMap(([, points]) => points);
  const bounds = (i) => [
    Math.floor(Math.log10(Math.min(...all.map((p) => p[i])))),
    Math.ceil(Math.log10(Math.max(...all.map((p) => p[i])))),
  ];
  const [x0, x1] = bounds(0);
  const [y0, y1] = bounds(1);
  const x = (v) => 70 + ((Math.log10(v) - x0) / Math.max(1, x1 - x0)) * 420;
  const y = (v) => 300 - ((Math.log10(v) - y0) / Math.max(1, y1 - y0)) * 250;
  const label = (power) => (power >= 0 ? String(10 ** power) : (10 ** power).toFixed(-power));
  const grid = [];
  for (let p = x0; p <= x1; p++)
    grid.push(
      `<line x1="${x(10 ** p)}" y1="50" x2="${x(10 ** p)}" y2="300" stroke="#ddd"/><text x="${x(10 ** p)}" y="316" text-anchor="middle">${label(p)}</text>`,
    );
  for (let p = y0; p <= y1; p++)
    grid.push(
      `<line x1="70" y1="${y(10 ** p)}" x2="490" y2="${y(10 ** p)}" stroke="#ddd"/><text x="64" y="${y(10 ** p) + 4}" text-anchor="end">${label(p)}</text>`,
    );
  const lines = series.map(([name, points], i) => {
    const path = points.map(([px, py]) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`).join(" ");
    const dots = points
      .map(([px, py]) => `<circle cx="${x(px).toFixed(1)}" cy="${y(py).toFixed(1)}" r="3" fill="${COLOURS[i]}"/>`)
      .join("");
    return `<polyline points="${path}" fill="none" stroke="${COLOURS[i]}" stroke-width="2"/>${dots}<text x="505" y="${70 + i * 20}" fill="${COLOURS[i]}">${name}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 350" font-family="sans-serif" font-size="12" role="img"><title>${title}</title><rect width="640" height="350" fill="#fff"/><text x="70" y="30" font-size="14">${title}</text>${grid.join("")}${lines.join("")}<text x="280" y="340" text-anchor="middle">${xTitle}</text><text transform="translate(16 175) rotate(-90)" text-anchor="middle">${yTitle}</text></svg>\n`;
}

const suite = ioAccountSuite({ rounds: 5, roundSeconds: 0.15 });
const accessRows = suite.rows.slice(0, 4);
const access = [0, 2].map((i) => {
  const [off, on] = [accessRows[i].measurement, accessRows[i + 1].measurement];
  const ratio = ratioOf(on, off);
  return `| ${off.name.replace(", accountant off", "")} | ${ns(median(off))} | ${ns(median(on))} | ${ratio.value.toFixed(3)} [${ratio.low.toFixed(3)} .. ${ratio.high.toFixed(3)}] |`;
});

const ports = RANGE_COUNTS.map((ranges) => measure(portContestants(ranges), EFFORT).map(median));
const portRows = RANGE_COUNTS.map((ranges, i) => `| ${ranges} | ${ports[i].map(ns).join(" | ")} |`);

const sizes = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000];
const counts = Object.keys(METHODS).map((name) => [
  name,
  sizes.map((n) => {
    const { contestant, bytes } = mapContestant(name, n, 1);
    return [n, median(measure([contestant], EFFORT)[0]), bytes / n];
  }),
]);
const countRows = sizes.map(
  (n, i) =>
    `| ${n.toLocaleString("en")} | ${counts.map(([, points]) => `${ns(points[i][1])} / ${points[i][2].toPrecision(3)}`).join(" | ")} |`,
);
const apart = Object.keys(METHODS).map((name) => {
  const { contestant, bytes } = mapContestant(name, 10_000, 2);
  return `${ns(median(measure([contestant], EFFORT)[0]))} / ${(bytes / 10_000).toPrecision(3)}`;
});

writeFileSync(
  "docs/io-ports.svg",
  plot(
    "Check of one port",
    "ranges",
    "ns",
    WAYS.map((name, w) => [name, RANGE_COUNTS.map((r, i) => [r, ports[i][w]])]),
  ),
);
writeFileSync(
  "docs/io-counts.svg",
  plot(
    "Mapping and unmapping one frame: counting",
    "frames",
    "ns per frame",
    counts.map(([name, points]) => [name, points.map(([n, t]) => [n, t])]),
  ),
);
writeFileSync(
  "docs/io-costs.md",
  `# What the I/O accountant costs

Measured by \`node scripts/io-costs.mjs\`; \`npm run bench -- io-account\` prints the same comparisons with their spread. Figures of an emulator: the ratios
mean something, the nanoseconds only beside each other.

${environmentText(environment())
  .split("\n")
  .map((l) => l.trim())
  .filter(Boolean)
  .join("; ")}

## The proposal's first claim: nothing after binding

A guest drives a device that is mapped for it, and a port that is passed on to it. Times in ns for one access; the ratio with its 95 % interval.

| access | accountant off | on | on / off |
|---|---|---|---|
${access.join("\n")}

A store through a mapping never sees the accountant. A port access exits anyway and is looked up again each time: that is the second claim.
The exact counters are the same with it on and off: exits, TLB misses and flushes, walks, accesses of the device (test/iocap/same-trace.test.ts). Times were taken on a
shared machine, hence the width of the intervals.

## The second claim: little for a port

One check, without the exit around it, ns. The bitmap is one load; the rangeset is searched; with the accountant both the rangeset and who holds the port are.

| ranges | ${WAYS.join(" | ")} |
|---|---|---|---|
${portRows.join("\n")}

![Check of one port over the number of ranges](io-ports.svg)

For scale, in C on another machine: bitmap 0.3-2.5 ns, a list of 256 ranges 133 ns, binary search 36 ns.

## Counting mapped frames

Each cell: ns to map and unmap one frame (counting alone) / bytes of memory a frame while all are mapped. Frames follow each other, in one call.

| frames | ${Object.keys(METHODS).join(" | ")} |
|---|---|---|---|---|
${countRows.join("\n")}
| 10,000, every second one, one by one | ${apart.join(" | ")} |

![Counting over the number of frames](io-counts.svg)

- *headers* pay 4 MiB with the first mapping for a window of 4 GiB, and nothing afterwards; a frame outside the window cannot be counted.
- *slab* has an object of 16 bytes for each frame and a hash that grows with them.
- *radix* has a table of 4 KiB for 1024 frames that are near each other, and three tables above it.
- *ranges* count a framebuffer with one node of 32 bytes; frames with holes between them need a node each, and taking a mapping out of the middle of a range
  needs memory: when there is none, the count stays too high and the frame stays closed, which is safe and has to be explained to somebody.
`,
);
