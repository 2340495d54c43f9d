/** vmexit audit domctl: the claims about domctls against what they do. */
import type { Command } from "commander";
import { auditDomctls } from "../lib/audit/audit.ts";
import { auditText } from "../lib/audit/text.ts";
import { parseEra } from "../lib/knobs.ts";
import { compileBuild } from "../node/wasm.ts";

export function addAudit(program: Command): void {
  const audit = program.command("audit").description("check what was promised about hypercalls");
  audit
    .command("domctl")
    .description("measure every audited domctl: growth of its work, leaks, self pause, interference")
    .option("--era <name>", "era to audit", "4.17")
    .option("--json", "rows and findings as JSON")
    .action((options: { era: string; json?: boolean }) => {
      parseEra(options.era);
      const report = auditDomctls(compileBuild("debug"));
      process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : auditText(report));
    });
}
