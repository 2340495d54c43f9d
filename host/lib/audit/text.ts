/** The audit for people: a table in Markdown, which docs/audit-domctl.md holds and `vmexit audit domctl` prints. */
import type { AuditReport } from "./audit.ts";
import { AUDIT_ERAS } from "./eras.ts";

export function auditText({ rows, findings }: AuditReport): string {
  const eras = [...new Set(rows.map((r) => r.era))];
  const tables = eras.map((era) => {
    const title = AUDIT_ERAS.find((e) => e.era === era)?.title ?? "";
    const lines = rows
      .filter((r) => r.era === era)
      .map((r) => `| ${r.op} | ${r.number} | ${r.claim} | ${r.measured} | ${r.verdict} | ${r.evidence} |`);
    return `## Era ${era} (${title})\n\n| domctl | number | claim | steps measured | verdict | evidence |\n|---|---|---|---|---|---|\n${lines.join("\n")}\n`;
  });
  const found = findings.map((f) => `| ${f.id} | ${f.era} | ${f.verdict} | ${f.evidence} |`);
  return `${tables.join("\n")}\n## Findings\n\n| finding | era | verdict | evidence |\n|---|---|---|---|\n${found.join("\n")}\n`;
}

export function auditPage(report: AuditReport): string {
  return `# The domctls that were declared safe, measured

In 2014 a list of domctls was declared safe to hand to half-trusted domains, with a claim about each: C constant work, V a loop over vCPUs, D over domains, N bounded by a constant, M bounded by the machine's
processors or nodes, X stale. \`vmexit audit domctl\` measures them: a step is a guest copy or a turn of a loop inside the hypervisor, counted exactly while vCPUs (1, 16, 128), domains (2, 320, 32,000) and the size
the caller says (n) grow; a straight line is fitted to each. "f(x)" would be a growth that is no line. Finding a domain by its id counts as no step: it is a hash table, as in Xen.

A *leak* is a byte that nobody wrote since the call began, or that belongs to another domain or the hypervisor, and goes to where the caller can read it. The taint build (\`hv-core/taint/shadow.ts\`) has a shadow
of the hypervisor's memory and sees every store; a second opinion compares two machines whose work memory held different bytes. What is computed from
another domain's state the shadow cannot follow: the fuzzer makes the same calls in two machines whose third domain differs (\`test/fuzz/hypercalls/twins.ts\`). *Interference* is a change to the machine's tables or to a domain that nobody named.

Three eras: 4.17; the interface that was audited (version 0x0a) with the defects it had; and 4.17 with a fix for each finding (knobs \`domctl.bitmap\`, \`domctl.virqHandler\`, \`xsm.maxMem\`,
\`iocap.quota\`). The debug build answers audit_p2m, and says -ENOSYS otherwise. \`test/host/audit.test.ts\` keeps this page equal to what is measured; \`npm run audit\` writes it.

${auditText(report)}`;
}
