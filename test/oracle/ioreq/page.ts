/** The text of docs/ioreq-differences.md, from the lists that the comparison uses. */
import type { Comparison } from "./compare.ts";
import { IOREQ_DIFFERENCES, TIMING } from "./differences.ts";

const nameOf = (pattern: RegExp): string => `\`${pattern.source.replace(/[\^$\\]/g, "").replaceAll("|", " ")}\``;

export function ioreqPage({ total, equal }: Comparison): string {
  const row = (test: RegExp, reason: string): string => `| ${nameOf(test)} | ${reason} |`;
  return `# ioreq requests against a real Xen 4.17

\`test/oracle/recorded/ioreq-vectors.tsv\` has ${total} rows that a real Xen 4.17 (SVM with nested paging, under QEMU) gave for 79 instruction snippets on device memory, on a page of
type ioreq_server, and on ports: every request its device model saw, and registers, flags and memory afterwards. \`test/oracle/ioreq/\` has the same guest and the same device model.
Era 4.17 agrees in ${equal} rows. The list is \`test/oracle/ioreq/differences.ts\`; \`test/oracle/ioreq/vectors.test.ts\` keeps this page equal to it.

| rows that differ | why |
|---|---|
${IOREQ_DIFFERENCES.map((d) => row(d.test, d.reason)).join("\n")}

Left out of the comparison, because they depend on how long somebody looked:

| test | what |
|---|---|
${TIMING.map((t) => row(t.test, t.reason)).join("\n")}
`;
}
