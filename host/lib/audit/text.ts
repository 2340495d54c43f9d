/** The audit for people: a table in Markdown, which docs/audit-domctl.md holds and `vmexit audit domctl` prints. */
import type { AuditReport } from "./audit.ts";

export function auditText({ rows, findings }: AuditReport): string {
  const eras = [...new Set(rows.map((r) => r.era))];
  const tables = eras.map((era) => {
    const lines = rows
      .filter((r) => r.era === era)
      .map((r) => `| ${r.op} | ${r.number} | ${r.claim} | ${r.measured} | ${r.verdict} | ${r.evidence} |`);
    return `## Era ${era}\n\n| domctl | number | claim | steps measured | verdict | evidence |\n|---|---|---|---|---|---|\n${lines.join("\n")}\n`;
  });
  const found = findings.map((f) => `| ${f.id} | ${f.era} | ${f.verdict} | ${f.evidence} |`);
  return `${tables.join("\n")}\n## Findings\n\n| finding | era | verdict | evidence |\n|---|---|---|---|\n${found.join("\n")}\n`;
}

export function auditPage(report: AuditReport): string {
  return `# The domctls that were declared safe, measured

In 2014 a list of domctls was declared safe to hand to half-trusted domains, with a claim about each: C constant work, V a loop over vCPUs, D over domains, N bounded by a constant, M bounded by the machine's
processors or nodes, X stale. \`vmexit audit domctl\` measures them: a step is a guest copy or a turn of a loop inside the hypervisor, counted exactly while vCPUs (1 to 128), domains (2 to 200) and the size the caller
says (n) grow. Finding a domain by its id counts as no step, because Xen has a hash table for it. A leak is an answer that changes with the bytes earlier calls left in the hypervisor's work memory; interference is a
change to the machine's tables or to a domain that nobody named. The second table puts defects of 2014 back (knob domctl.defects, debug build) and must find them.
\`test/host/audit.test.ts\` keeps this page equal to what is measured (VMEXIT_UPDATE=1 writes it).

${auditText(report)}`;
}
