/** The audit at its full size: as many domains as a machine can have. What it finds is what the page shows. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { auditDomctls, MANY_DOMAINS } from "../../host/lib/audit/audit.ts";
import { auditPage } from "../../host/lib/audit/text.ts";
import { ROOT } from "../../host/node/paths.ts";
import { compileBuild } from "../../host/node/wasm.ts";

it("32,000 domains", () => {
  const report = auditDomctls({
    debug: compileBuild("debug"),
    taint: { core: compileBuild("taint"), shadow: compileBuild("shadow") },
    domains: MANY_DOMAINS,
  });
  expect(auditPage(report)).toBe(readFileSync(join(ROOT, "docs", "audit-domctl.md"), "utf8"));
}, 600_000);
