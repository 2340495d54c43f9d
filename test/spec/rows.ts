/**
 * Rows of a specification and the tests that reach them. A reference is `file: title` (the title of an `it` or `it.each`), or
 * `recorded: text` for rows of recorded/dm-op-vectors.tsv that have this text, which a real Xen answered and we answer alike.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../host/node/paths.ts";

export interface SpecRow {
  /** Section of the specification and what the row says. */
  readonly row: string;
  readonly tests: readonly string[];
  /** Why there is no test: the thing itself is not built. */
  readonly missing?: string;
}

const files = new Map<string, string>();
function textOf(file: string): string {
  let text = files.get(file);
  if (text === undefined) {
    text = readFileSync(join(ROOT, "test", file), "utf8");
    files.set(file, text);
  }
  return text;
}

/** What is wrong with a row's references; empty = every one leads to a test. */
export function problemsOf({ row, tests, missing }: SpecRow): string[] {
  if (tests.length === 0) return missing ? [] : [`${row}: no test`];
  return tests.flatMap((reference) => {
    const at = reference.indexOf(": ");
    const [where, what] = [reference.slice(0, at), reference.slice(at + 2)];
    const isThere =
      where === "recorded"
        ? textOf("oracle/recorded/dm-op-vectors.tsv").includes(what)
        : textOf(where).includes(`"${what}"`);
    return isThere ? [] : [`${row}: no "${what}" in ${where}`];
  });
}

export function rowsPage(title: string, rows: readonly SpecRow[]): string {
  const count = rows.filter((r) => r.tests.length > 0).length;
  const line = ({ row, tests, missing }: SpecRow): string =>
    `| ${row.replaceAll("|", "\\|")} | ${tests.length ? tests.map((t) => t.replaceAll("|", "\\|").replaceAll("\t", " ")).join("<br>") : `not built: ${missing}`} |`;
  return `# ${title}

Each row of the specification and the tests that reach it: ${count} of ${rows.length}. "recorded" are calls whose answers were recorded on a real Xen 4.17 (\`test/oracle/recorded/dm-op-vectors.tsv\`);
other names are files under \`test/\`. The list is in \`test/spec/\`; a test there fails when a row leads to no test, and keeps this page equal to the list.

| row | tests |
|---|---|
${rows.map(line).join("\n")}
`;
}
