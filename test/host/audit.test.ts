/** The audit finds what is known to be there, and its page shows what it measured. VMEXIT_UPDATE=1 writes the page. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { auditDomctls } from "../../host/lib/audit/audit.ts";
import { auditPage } from "../../host/lib/audit/text.ts";
import { ROOT } from "../../host/node/paths.ts";
import { compileBuild } from "../../host/node/wasm.ts";

const report = auditDomctls(compileBuild("debug"));
const verdict = (id: string, hasDefects: boolean): string | undefined =>
  report.findings.find((f) => f.id.startsWith(id) && f.era.includes("defects") === hasDefects)?.verdict;

it.each(["F-1", "F-2", "F-5", "F-7"])("%s is found in the variant that has it, and only there", (id) => {
  expect(verdict(id, true)).toBe("found");
  expect(verdict(id, false)).toBe("absent");
});

it("F-3, the interference of set_virq_handler and the ranges of iomem_permission are in 4.17 itself", () => {
  expect(verdict("F-3", false)).toBe("found");
  expect(verdict("interference", false)).toBe("found");
  expect(verdict("unbounded memory", false)).toBe("found");
});

it("nothing else is refuted", () => {
  const refuted = report.rows.filter((r) => r.verdict === "refuted" && !r.era.includes("defects")).map((r) => r.op);
  expect(refuted).toEqual(["getvcpuaffinity", "getnodeaffinity", "set_virq_handler"]);
});

it("is the same twice", () => {
  expect(auditDomctls(compileBuild("debug"))).toEqual(report);
});

it("the page shows the measurement", () => {
  const file = join(ROOT, "docs", "audit-domctl.md");
  if (process.env.VMEXIT_UPDATE) writeFileSync(file, auditPage(report));
  expect(readFileSync(file, "utf8")).toBe(auditPage(report));
});
