/** The text of docs/dom0-differences.md, from a comparison. */
import { reasonFor } from "./differences.ts";
import type { Row } from "./probe.ts";
import { type RecordedRow, recordedRows, replay } from "./replay.ts";

export interface Compared {
  readonly recorded: RecordedRow;
  readonly answered: Row;
  readonly isEqual: boolean;
}

/** Row against row. @throws Error when the replay does not put the same calls in the same order. */
export function compareRows(): Compared[] {
  const recorded = recordedRows();
  const answered = replay();
  if (recorded.length !== answered.length)
    throw new Error(`${recorded.length} rows recorded, ${answered.length} replayed`);
  return recorded.map((r, i) => {
    const a = answered[i]!;
    if (r.area !== a.area || r.call !== a.call || r.text !== a.text)
      throw new Error(`row ${r.id} is "${r.call} ${r.text}", the replay has "${a.call} ${a.text}"`);
    return { recorded: r, answered: a, isEqual: r.result === a.result && r.outputs === a.outputs };
  });
}

const cell = (text: string): string => text.replaceAll("|", "\\|");
const answer = (row: Row): string => cell(row.outputs === "-" ? row.result : `${row.result} ${row.outputs}`);

export function differencesPage(rows: readonly Compared[]): string {
  const different = rows.filter((r) => !r.isEqual);
  const lines = different.map(
    ({ recorded: r, answered }) =>
      `| ${r.id} | ${r.call} ${cell(r.text)} | \`${answer(r)}\` | \`${answer(answered)}\` | ${reasonFor(r.id) ?? "?"} |`,
  );
  return `# Hypercalls of dom0 that differ from a real Xen 4.17

\`test/oracle/recorded/dom0-vectors.tsv\` holds what a real Xen 4.17 answered to 1,384 calls of its dom0, in order. \`test/oracle/dom0\` puts ${rows.length} of them to vmexit: domctl, hvm_op,
memory_op, I/O permissions, vm_event, paging, event channels and shutdown; the others (I/O mappings, dm_op, sharing, sysctl, version) have tests of their own or none yet. ${rows.length - different.length} answers are equal.
These are not. The reasons are in \`test/oracle/dom0/differences.ts\`; \`test/oracle/dom0-vectors.test.ts\` keeps this page equal to what is measured (VMEXIT_UPDATE=1 writes it).

| row | call | Xen 4.17 | vmexit | why |
|---|---|---|---|---|
${lines.join("\n")}
`;
}
