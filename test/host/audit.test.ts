/** The audit finds what is known to be there, and its page shows what it measured. `npm run audit` or VMEXIT_UPDATE=1 writes the page. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { auditDomctls } from "../../host/lib/audit/audit.ts";
import { parseAuditEra } from "../../host/lib/audit/eras.ts";
import { slope } from "../../host/lib/audit/growth.ts";
import { auditPage } from "../../host/lib/audit/text.ts";
import { ROOT } from "../../host/node/paths.ts";
import { compileBuild } from "../../host/node/wasm.ts";

/** The fit does not depend on how far domains grow; audit.long.test.ts goes to 32,000. */
const options = {
  debug: compileBuild("debug"),
  taint: { core: compileBuild("taint"), shadow: compileBuild("shadow") },
  domains: 1000,
};
const report = auditDomctls(options);
const verdict = (id: string, era: string): string | undefined =>
  report.findings.find((f) => f.id === id && f.era === era)?.verdict;

it.each(["F-1", "F-2", "F-5", "F-7"])("%s is found in 2014, and only there", (id) => {
  expect(verdict(id, "0x0a")).toBe("found");
  expect(verdict(id, "4.17")).toBe("absent");
  expect(verdict(id, "fixed")).toBe("absent");
});

it.each(["F-3", "F-6", "unbounded memory", "interference"])(
  "%s is found in both eras, and fixed in the fixed one",
  (id) => {
    expect(verdict(id, "0x0a")).toBe("found");
    expect(verdict(id, "4.17")).toBe("found");
    expect(verdict(id, "fixed")).toBe("absent");
  },
);

it("nothing else is refuted", () => {
  const refuted = (era: string): string[] =>
    report.rows.filter((r) => r.verdict === "refuted" && r.era === era).map((r) => r.op);
  const always = ["getvcpuaffinity", "getnodeaffinity", "set_virq_handler"];
  expect(refuted("4.17")).toEqual(always);
  expect(refuted("fixed")).toEqual([]);
  expect(refuted("0x0a").sort()).toEqual([...always, "gettscinfo", "resumedomain", "settscinfo"].sort());
});

it("every operation of 2014 but the stale ones is there in that era", () => {
  const absent = report.rows.filter((r) => r.era === "0x0a" && r.verdict === "not applicable").map((r) => r.op);
  expect(absent).toEqual(["arch_setup", "real_mode_area", "set_opt_feature"]);
});

it("the leak of gettscinfo is four bytes of padding, seen by the taint and by the twins", () => {
  const row = report.rows.find((r) => r.op === "gettscinfo" && r.era === "0x0a");
  expect(row?.evidence).toContain("4 bytes of uninitialised memory go to the caller");
  expect(row?.evidence).toContain("the answer depends on what earlier calls left");
});

it("rows and findings have the fields that are promised to programs", () => {
  for (const row of report.rows)
    expect(Object.keys(row)).toEqual(["op", "number", "era", "claim", "measured", "verdict", "evidence"]);
  for (const finding of report.findings) expect(Object.keys(finding)).toEqual(["id", "era", "verdict", "evidence"]);
});

it("an era has two names, and a wrong one is refused with the right ones", () => {
  expect(parseAuditEra("2014")).toBe(parseAuditEra("0x0a"));
  expect(() => parseAuditEra("2013")).toThrow(/"2013".*4\.17, 0x0a, fixed/);
});

it("is the same twice", () => {
  expect(auditDomctls({ ...options, domains: 400 })).toEqual(report);
});

it("a growth that is no line is no line", () => {
  expect(
    slope([
      [1, 5],
      [2, 7],
      [10, 23],
    ]),
  ).toBe(2);
  expect(
    slope([
      [1, 5],
      [2, 9],
      [10, 23],
    ]),
  ).toBeNaN();
  expect(slope([[3, 5]])).toBe(0);
});

it("the page shows the measurement", () => {
  const file = join(ROOT, "docs", "audit-domctl.md");
  if (process.env.VMEXIT_UPDATE) writeFileSync(file, auditPage(report));
  expect(readFileSync(file, "utf8")).toBe(auditPage(report));
});
