/**
 * Rows of a specification and the tests that reach them. A reference is `file: title` (the title of one `it` or `it.each` of that file,
 * which has to run and pass: check-run.ts), or
 * `recorded: text` for rows of recorded/dm-op-vectors.tsv that have this text, which a real Xen answered and we answer alike, or
 * `dom0: V146 pausedomain self` for a row of recorded/dom0-vectors.tsv whose answer is ours, too, or
 * `race: name` for an entry of the catalogue of races, all of whose variants are searched by explore/catalogue.test.ts.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../host/node/paths.ts";
import { reasonFor } from "../oracle/dom0/differences.ts";

export interface SpecRow {
  /** Section of the specification and what the row says. */
  readonly row: string;
  readonly tests: readonly string[];
  /** Why there is no test: the thing itself is not built. */
  readonly missing?: string;
  /** It is not built; the answer that whoever asks gets. */
  readonly refused?: string;
  /** The part of the house whose tests this row belongs to, because it is built there: "page sharing". */
  readonly with?: string;
}

export const row = (text: string, ...tests: string[]): SpecRow => ({ row: text, tests });
/** Not built, and `tests` show what whoever asks for it gets. */
export const refused = (text: string, answer: string, ...tests: string[]): SpecRow => ({
  row: text,
  tests,
  refused: answer,
});
export const missing = (text: string, reason: string): SpecRow => ({ row: text, tests: [], missing: reason });
/** Rows that only mean something in another part, and are tested with it. */
export const belongsTo = (part: string, text: string): SpecRow => ({ row: text, tests: [], with: part });

const files = new Map<string, string>();
function textOf(file: string): string {
  let text = files.get(file);
  if (text === undefined) {
    text = readFileSync(join(ROOT, "test", file), "utf8");
    files.set(file, text);
  }
  return text;
}

/** A row of dom0's recording, by number, call and the beginning of its text, and that we answer as it was answered. */
function isRecorded(what: string): boolean {
  const [id, ...words] = what.split(" ");
  const line = textOf("oracle/recorded/dom0-vectors.tsv")
    .split("\n")
    .find((text) => text.startsWith(`${id}\t`));
  const [, , call, text] = line?.split("\t") ?? [];
  return `${call} ${text}`.startsWith(words.join(" ")) && reasonFor(id!) === undefined;
}

/** How often `title` is the title of an `it` or `test` (also of an `each`) that is not switched off. */
export function timesTitled(text: string, title: string): number {
  let times = 0;
  for (let at = text.indexOf(`"${title}"`); at >= 0; at = text.indexOf(`"${title}"`, at + 1)) {
    const before = text.slice(0, at).trimEnd();
    if (/(?:\b(?:it|test)|\.each.*\))\($/s.test(before.slice(-2000)) && !/\.(?:skip|todo)\($/.test(before)) times++;
  }
  return times;
}

function isThere(where: string, what: string): boolean {
  if (where === "recorded") return textOf("oracle/recorded/dm-op-vectors.tsv").includes(what);
  if (where === "dom0") return isRecorded(what);
  if (where === "race") return existsSync(join(ROOT, "host/lib/races", what, "race.ts"));
  if (!existsSync(join(ROOT, "test", where))) return false;
  return timesIn(where, what) > 0 || isOfTable(where, what);
}

/** A step of the replay of dom0's recording, or a case that gives an `each` its title ("%s"): whether it runs is seen in a run. */
function isOfTable(where: string, what: string): boolean {
  const text = textOf(where);
  return text.includes(`"${what}"`) && (!where.endsWith(".test.ts") || /\)\(\s*["`]%s/.test(text));
}

const timesIn = (where: string, what: string): number =>
  existsSync(join(ROOT, "test", where)) ? timesTitled(textOf(where), what) : 0;

const isFile = (where: string): boolean => where.endsWith(".ts");

/** What is wrong with a row's references; empty = every one leads to a test, or the row says where it belongs. */
export function problemsOf({ row, tests, missing, with: part }: SpecRow): string[] {
  if (tests.length === 0) return missing || part ? [] : [`${row}: no test`];
  return tests.flatMap((reference) => {
    const at = reference.indexOf(": ");
    const [where, what] = [reference.slice(0, at), reference.slice(at + 2)];
    if (!isThere(where, what)) return [`${row}: no "${what}" in ${where}`];
    return isFile(where) && timesIn(where, what) > 1 ? [`${row}: several tests "${what}" in ${where}`] : [];
  });
}

export function rowsPage(title: string, rows: readonly SpecRow[]): string {
  const count = rows.filter((r) => r.tests.length > 0 && !r.refused).length;
  const refusals = rows.filter((r) => r.refused).length;
  const elsewhere = rows.filter((r) => r.with).length;
  const testsOf = ({ tests, missing, refused: answer, with: part }: SpecRow): string => {
    if (answer) return `not built: ${answer}<br>${tests.join("<br>")}`;
    if (part) return `with ${part}`;
    if (tests.length === 0) return `not built: ${missing}`;
    return tests.map((t) => t.replaceAll("|", "\\|").replaceAll("\t", " ")).join("<br>");
  };
  const line = (r: SpecRow): string => `| ${r.row.replaceAll("|", "\\|")} | ${testsOf(r)} |`;
  return `# ${title}

Each row of the specification and the tests that reach it: ${count} of ${rows.length}${elsewhere ? `; ${elsewhere} belong to other parts ("with ...") and are tested there` : ""}${refusals ? `; ${refusals} are not built, and tests show what whoever asks for them gets` : ""}. "recorded" are calls whose answers were recorded on a real Xen 4.17 (\`test/oracle/recorded/dm-op-vectors.tsv\`), "dom0" are rows of \`dom0-vectors.tsv\` beside it, "race" is an
entry of the catalogue (\`vmexit race list\`); other names are files under \`test/\`. The list is in \`test/spec/\`; a test there fails when a row leads to no test, and keeps this page equal to the list.

| row | tests |
|---|---|
${rows.map(line).join("\n")}
`;
}
