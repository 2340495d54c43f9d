/** vmexit audit domctl: the claims about domctls against what they do. */
import type { Command } from "commander";
import { auditDomctls } from "../lib/audit/audit.ts";
import { AUDIT_ERAS, parseAuditEra } from "../lib/audit/eras.ts";
import { auditPage, auditText } from "../lib/audit/text.ts";
import { compileBuild } from "../node/wasm.ts";

export function addAudit(program: Command): void {
  const audit = program.command("audit").description("check what was promised about hypercalls");
  audit
    .command("domctl")
    .description("measure every audited domctl: growth of its work, leaks, self pause, interference")
    .option("--era <name>", `one of ${AUDIT_ERAS.map((e) => e.era).join(", ")} (default: all of them)`)
    .option("--json", "rows and findings as JSON")
    .option("--page", "the page docs/audit-domctl.md")
    .action((options: { era?: string; json?: boolean; page?: boolean }) => {
      const report = auditDomctls({
        debug: compileBuild("debug"),
        taint: { core: compileBuild("taint"), shadow: compileBuild("shadow") },
        ...(options.era === undefined ? {} : { eras: [parseAuditEra(options.era)] }),
      });
      const text = options.page ? auditPage : auditText;
      process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : text(report));
    });
}
