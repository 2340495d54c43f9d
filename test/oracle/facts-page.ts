/** The text of docs/facts-differences.md, from the list that the comparison uses. */
import { FACT_DIFFERENCES } from "./facts-differences.ts";

/** What stands between the bars of a row: `item|key`. */
const keyOf = (pattern: string | RegExp): string => {
  const text = typeof pattern === "string" ? pattern : pattern.source.replace(/[\\^$]/g, "");
  return text.split("|").slice(0, 2).join(" ");
};
const shownValue = (pattern: string | RegExp): string =>
  typeof pattern === "string" ? `\`${pattern.split("|").slice(2).join(" ")}\`` : "changes";

export function factsPage(): string {
  const rows = FACT_DIFFERENCES.map(
    (d) => `| ${keyOf(d.xen)} | ${shownValue(d.xen)} | ${shownValue(d.vmexit)} | ${d.reason} |`,
  );
  return `# Facts that differ from a real Xen 4.17

The guest \`probe-facts\` prints what a PVH guest finds at its entry: registers, start info, memory map, CPUID, MSRs, hypercall page, shared info and parameters. What a real Xen 4.17
printed is in \`test/oracle/recorded/probe-facts.txt\`; vmexit prints the same in era 4.17 but for these rows. "changes" is a value that is another one on every boot.
The list is \`test/oracle/facts-differences.ts\`; \`test/oracle/facts-page.test.ts\` keeps this page equal to it.

| fact | Xen 4.17 | vmexit | why |
|---|---|---|---|
${rows.join("\n")}
`;
}
