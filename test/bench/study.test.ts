/** Studies: what is measured is exact where it says so, the page is whole by itself, and the sentences follow from the figures. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { noiseOf, noiseText } from "../../bench/calibration.ts";
import { crossings, growthOf } from "../../bench/growth.ts";
import { findStudy, STUDIES } from "../../bench/study/catalogue.ts";
import { findings, notable } from "../../bench/study/findings.ts";
import { measureStudy } from "../../bench/study/measure.ts";
import { studyHtml, studySvg } from "../../bench/study/report-html.ts";
import { studyText } from "../../bench/study/report-text.ts";
import type { StudyResult } from "../../bench/study/result.ts";
import { ALL_PHASES, type Point, type Study } from "../../bench/study/study.ts";
import { DEFAULT_COSTS } from "../../host/lib/cost/model.ts";
import { ROOT } from "../../host/node/paths.ts";
import { compileBuild } from "../../host/node/wasm.ts";

const wasm = compileBuild("release");
const TWO_ROUNDS = { rounds: 2, warmUp: 2 };
/** The smallest size is enough to see that it works. */
const small = (study: Study): Study => ({ ...study, sizes: study.sizes.slice(0, 2) });
const exact = (points: readonly Point[]) => points.map(({ samples, nanoseconds, mad, ...rest }) => rest);

describe.each(STUDIES.map((s) => [s.name, s] as const))("%s", (_, study) => {
  it("gives every design a point at every size, with counts and costs that repeat exactly", () => {
    const points = measureStudy(small(study), wasm, TWO_ROUNDS);
    for (const { label } of study.variants)
      for (const size of small(study).sizes) {
        const here = points.filter((p) => p.variant === label && p.size === size);
        expect(here.length).toBeGreaterThan(0);
        expect(here.length === 1 || here.some((p) => p.phase === ALL_PHASES)).toBe(true);
        for (const p of here) {
          expect(p.samples).toHaveLength(TWO_ROUNDS.rounds);
          expect(p.nanoseconds).toBeGreaterThan(0);
          expect(p.cycles).toBeGreaterThan(0);
        }
      }
    expect(exact(measureStudy(small(study), wasm, TWO_ROUNDS))).toEqual(exact(points));
  });
});

describe("what studies show", () => {
  it("lazy is cheaper when little is touched, and its cost is paid later", () => {
    const study = { ...findStudy("lazy-or-sweep"), sizes: [1, 64] };
    const points = measureStudy(study, wasm, TWO_ROUNDS);
    const cycles = (variant: string, size: number, phase: string) =>
      points.find((p) => p.variant === variant && p.size === size && p.phase === phase)!.cycles;
    expect(cycles("lazy", 1, ALL_PHASES) * 10).toBeLessThan(cycles("sweep", 1, ALL_PHASES));
    expect(cycles("lazy", 64, "later: the guest touches")).toBeGreaterThan(
      20 * cycles("lazy", 1, "later: the guest touches"),
    );
    const lazy = points.find((p) => p.variant === "lazy" && p.size === 64 && p.phase === "later: the guest touches")!;
    // The page directory's table, the 64 tables, and nothing else.
    expect(lazy.counters["exit EPT_MISCONFIG"]).toBeGreaterThanOrEqual(64);
    expect(points.find((p) => p.variant === "sweep" && p.size === 64)!.counters["exit EPT_MISCONFIG"] ?? 0).toBe(0);
  });

  it("a walk to a 2 MiB leaf is one step shorter, until the leaf is split", () => {
    const points = measureStudy({ ...findStudy("superpages"), sizes: [64] }, wasm, TWO_ROUNDS);
    const steps = points.map((p) => p.counters.eptWalkSteps! / p.counters.eptWalks!);
    expect(steps[0]).toBeCloseTo(4, 1);
    expect(steps[1]).toBeCloseTo(3, 1);
    expect(steps[2]).toBeCloseTo(4, 1);
  });
});

describe("the reverse map", () => {
  it("a list is searched record by record, a hash only within a chain, and Xen's is a hash from 256 sharers on", () => {
    const study = { ...findStudy("rmap"), sizes: [17, 129, 513] };
    const points = measureStudy(study, wasm, TWO_ROUNDS);
    const steps = (variant: string, size: number) => {
      const at = points.find((p) => p.variant === variant && p.size === size)!;
      return (at.counters.rmapSteps ?? 0) / at.operations;
    };
    const auto = "list, hash from 256 on";
    expect(points.every((p) => p.counters.unshareCopied === p.operations)).toBe(true);
    expect(steps("list", 513)).toBeGreaterThan(8 * steps("list", 17));
    expect(steps("hash", 513)).toBeLessThanOrEqual(3);
    for (const size of [17, 129]) expect(steps(auto, size)).toBe(steps("list", size));
    expect(steps(auto, 513)).toBe(steps("hash", 513));
  });
});

it("the picture in the README is what its command makes", () => {
  const study = findStudy("lazy-or-sweep");
  const svg = studySvg(study, measureStudy(study, wasm, TWO_ROUNDS));
  const hint = "node dist/host/cli/main.js study lazy-or-sweep --quick --plot docs/lazy-or-sweep.svg";
  expect(svg, `make it again: ${hint}`).toBe(readFileSync(join(ROOT, "docs/lazy-or-sweep.svg"), "utf8"));
});

describe("what the page says first", () => {
  const study = { ...findStudy("tlb-size"), sizes: [1, 2, 3, 4], sizeLabel: "pages" };
  const labels = study.variants.map((v) => v.label);
  const points = (cost: (variant: number, size: number) => number): Point[] =>
    labels.flatMap((variant, v) =>
      study.sizes.map((size) => {
        const nanoseconds = cost(v, size);
        return {
          variant,
          size,
          phase: "x",
          samples: [1],
          nanoseconds,
          mad: 0,
          cycles: nanoseconds,
          counters: {},
          operations: 1,
        };
      }),
    );

  it("is who is the cheapest where", () => {
    const said = notable(
      study,
      points((v, size) => (v === 0 ? 100 * size : v === 1 ? 250 : 1000)),
      "x",
    );
    expect(said[0]).toBe(`Cheapest by simulated cost: ${labels[0]} at 1 to 2; ${labels[1]} at 3 to 4 pages.`);
    expect(said[1]).toContain(`${labels[0]} and ${labels[1]} cross at about 2.5`);
  });

  it("and costs within 2 % are the same", () => {
    const said = notable(
      study,
      points((v, size) => 1000 + v + size),
      "x",
    );
    expect(said[0]).toBe(`Cheapest by simulated cost at every size: ${labels.join(" or ")}.`);
    expect(said.filter((line) => line.includes("simulated cost"))).toHaveLength(1);
  });

  it("a warning when the machine was not steady", () => {
    const page = (noise: string) => studyHtml(study, { ...EMPTY, noise, points: points(() => 100) });
    expect(page(noiseText(noiseOf([1, 1.01])))).not.toContain('class="warning"');
    expect(page(noiseText(noiseOf([1, 2])))).toMatch(/class="warning">Times on this page are doubtful/);
  });
});

describe("sentences", () => {
  it("name the growth", () => {
    const of = (f: (n: number) => number) => growthOf([1, 10, 100].map((n) => [n, f(n)])).word;
    expect([of(() => 5), of((n) => 3 * n), of((n) => n * n), of((n) => 1 / n), of(Math.sqrt)]).toEqual([
      "constant",
      "linear",
      "quadratic or worse",
      "falling",
      "less than linear",
    ]);
    // Twice the cost over three decades is little, but not constant.
    expect(growthOf([1, 10, 100, 1000].map((n) => [n, n ** 0.1])).word).toBe("growing slowly");
    expect(growthOf([1, 10, 100, 1000].map((n) => [n, n ** -0.1])).word).toBe("falling slowly");
    expect(growthOf([[1, 1]]).word).toBe("not known");
  });

  it("find where two curves cross, and do not see crossings in the noise", () => {
    const a = [
      [1, 1],
      [2, 2],
      [3, 3],
    ] as const;
    const b = [
      [1, 2.5],
      [2, 2.5],
      [3, 2.5],
    ] as const;
    expect(crossings(a, b)).toHaveLength(1);
    expect(crossings(a, b)[0]).toBeCloseTo(2.5, 6); // y = x, on logarithms as well
    expect(
      crossings(
        a,
        b.map(([x, y]) => [x, y, 5] as const),
      ),
    ).toEqual([]);
    expect(crossings(a, a)).toEqual([]);
  });
});

const EMPTY: StudyResult = {
  format: "vmexit-study",
  version: 1,
  study: "tlb-size",
  command: "vmexit study tlb-size",
  environment: { cpu: "<cpu>", processors: 1, memoryGiB: 1, kernel: "k", node: "n", v8: "v", compiler: null },
  build: "00",
  knobs: {},
  costs: DEFAULT_COSTS,
  rounds: 2,
  noise: String(noiseOf([1]).verdict),
  points: [],
};

describe("the page", () => {
  const study = small(findStudy("tlb-size"));
  const points = measureStudy(study, wasm, TWO_ROUNDS);
  const result: StudyResult = { ...EMPTY, points };
  const html = studyHtml(study, result);

  it("needs nothing from anywhere else, escapes what it is given, and carries its raw data", () => {
    expect(html).not.toMatch(/(src|href)=|@import|url\(/);
    expect(html).toContain("&lt;cpu&gt;");
    expect(html).not.toContain("<cpu>");
    const data = /<script type="application\/json" id="data">(.*)<\/script>/s.exec(html)![1]!;
    expect((JSON.parse(data) as StudyResult).points).toEqual(JSON.parse(JSON.stringify(points)));
  });

  it("has two plots a part, each with a name for those who do not see it, and a table", () => {
    expect(html.match(/<figure>/g)).toHaveLength(2);
    expect(html.match(/role="img"/g)).toHaveLength(2);
    expect(html).toContain("<table>");
    expect(html).toContain("vmexit study tlb-size");
  });

  it("and the text say the same sentences", () => {
    const text = studyText(study, result);
    for (const line of findings(study, points, "reads")) expect(text).toContain(line);
  });

  it("an unknown study is answered with the nearest", () => {
    expect(() => findStudy("tlbsize")).toThrow('no study is called "tlbsize": did you mean "tlb-size"?');
  });
});
