/**
 * A lesson: docs/lessons/*.md. Ordinary Markdown with a header, so that it reads well anywhere; docs/lessons/README.md is the manual for
 * authors. What makes it a lesson is checked here, each error with its line:
 *
 * - the header says title, minutes (10 to 20) and goal;
 * - from the first "##" on each paragraph, list and table is a claim and ends with a footnote, whose definition is its check. Not so
 *   quotes (something to do), paragraphs that only ask, and the sections in FREE;
 * - fenced blocks: `live` (what stands beside the text), `exercise`, `console` (a command and what it prints, compared by a test).
 */
import { UsageError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { parseCheckLine } from "./check-line.ts";
import { type Exercise, parseExercise } from "./exercise.ts";
import { type Live, parseLive } from "./live.ts";
import { type Block, type Inline, parseMarkdown, plainText } from "./markdown.ts";

/** A footnote with its lines. */
export interface Claim {
  readonly name: string;
  readonly line: number;
  readonly checks: readonly string[];
}

/** A command as it is shown, and what it prints; a line of ... stands for any lines. */
export interface ShownCommand {
  readonly line: number;
  readonly command: string;
  readonly output: string;
}

export type LessonBlock =
  | Exclude<Block, { readonly kind: "fence" }>
  | { readonly kind: "code"; readonly line: number; readonly language: string; readonly text: string }
  | { readonly kind: "live"; readonly line: number; readonly live: Live }
  | { readonly kind: "exercise"; readonly line: number; readonly exercise: Exercise };

export interface Lesson {
  /** File name without .md. */
  readonly name: string;
  readonly title: string;
  readonly minutes: number;
  readonly goal: string;
  readonly blocks: readonly LessonBlock[];
  /** For the teacher: kept apart, shown when asked for. */
  readonly notes: readonly LessonBlock[];
  readonly claims: readonly Claim[];
  readonly commands: readonly ShownCommand[];
  readonly exercises: readonly Exercise[];
}

const HEADER_KEYS = ["title", "minutes", "goal"];
export const NOTES = "Teacher's notes";
/** Sections whose paragraphs need no check. */
const FREE = ["Exercise", NOTES, "Where to go on"];
const SHORTEST = 10;
const LONGEST = 20;

interface Header {
  readonly values: ReadonlyMap<string, string>;
  /** Lines it takes. */
  readonly length: number;
}

function parseHeader(text: string, fail: (line: number, reason: string) => never): Header {
  const lines = text.split(/\r?\n/);
  const end = lines.indexOf("---", 1);
  if (lines[0] !== "---" || end < 0) fail(1, "a lesson begins with a header between two lines of ---");
  const values = new Map<string, string>();
  for (let i = 1; i < end; i++) {
    const match = /^(\w+):\s*(.*)$/.exec(lines[i]!);
    if (!match) fail(i + 1, `"${lines[i]}" in the header: write key: value`);
    const [, key = "", value = ""] = match!;
    const meant = nearest(key, HEADER_KEYS);
    if (!HEADER_KEYS.includes(key))
      fail(
        i + 1,
        `no key of the header is called "${key}": ${meant ? `did you mean ${meant}?` : `there are ${HEADER_KEYS.join(", ")}`}`,
      );
    values.set(key, value);
  }
  for (const key of HEADER_KEYS) if (!values.get(key)) fail(end + 1, `the header has no "${key}"`);
  return { values, length: end + 1 };
}

const claimsIn = (content: readonly Inline[]): string[] =>
  content.flatMap((part) => (part.kind === "claim" ? [part.name] : []));

/** All footnotes of a block, list items and cells included. */
function claimsOf(block: Block): string[] {
  if (block.kind === "paragraph" || block.kind === "quote") return claimsIn(block.content);
  if (block.kind === "list") return block.items.flatMap(claimsIn);
  if (block.kind === "table") return [...block.head, ...block.rows.flat()].flatMap(claimsIn);
  return [];
}

function checkTagged(block: Block, next: Block | undefined, fail: (line: number, reason: string) => never): void {
  const untagged = (content: readonly Inline[]): boolean => claimsIn(content).length === 0;
  const tell = (text: string): never =>
    fail(
      block.line,
      `"${text.slice(0, 60)}" claims something and has no check: end it with a footnote [^name], or make it a question or a quote`,
    );
  if (block.kind === "paragraph" && untagged(block.content)) {
    const text = plainText(block.content).trim();
    const leadsIn = text.endsWith(":") && (next?.kind === "fence" || next?.kind === "list" || next?.kind === "table");
    const isAsking = text.split(/(?<=[.!?])\s+/).every((sentence) => sentence.endsWith("?"));
    if (!leadsIn && !isAsking) tell(text);
  }
  if (block.kind === "list") for (const item of block.items) if (untagged(item)) tell(plainText(item));
  if (block.kind === "table")
    for (const row of block.rows) if (row.every(untagged)) tell(row.map(plainText).join(" | "));
}

function shownCommand(line: number, text: string, fail: (line: number, reason: string) => never): ShownCommand {
  const [first = "", ...output] = text.split("\n");
  if (!first.startsWith("$ vmexit ")) fail(line + 1, 'a console block begins with "$ vmexit ..."');
  return { line, command: first.slice(2), output: output.join("\n") };
}

/** @throws UsageError "name.md:line: what is wrong". */
export function parseLesson(name: string, text: string): Lesson {
  const fail = (line: number, reason: string): never => {
    throw new UsageError(`${name}.md:${line}: ${reason}`);
  };
  const guarded = <T>(line: number, make: () => T): T => {
    try {
      return make();
    } catch (error) {
      if (error instanceof UsageError) return fail(line, error.message);
      throw error;
    }
  };
  const header = parseHeader(text, fail);
  const minutes = Number(header.values.get("minutes"));
  if (!(Number.isInteger(minutes) && minutes >= SHORTEST && minutes <= LONGEST))
    fail(1, `minutes: ${header.values.get("minutes")}: a lesson takes ${SHORTEST} to ${LONGEST}`);

  const body = text.split(/\r?\n/).slice(header.length).join("\n");
  const { blocks, footnotes } = parseMarkdown(body, header.length + 1);
  const claims = footnotes.map(({ name: claim, line, text: definition }): Claim => {
    const checks = [...definition.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);
    const kinds = checks.map((check) => guarded(line, () => parseCheckLine(check).kind));
    if (!kinds.includes("expect"))
      fail(line, `the check of [^${claim}] expects nothing: an assertion that cannot fail is none`);
    return { name: claim, line, checks };
  });

  const shown: LessonBlock[] = [];
  const notes: LessonBlock[] = [];
  const commands: ShownCommand[] = [];
  const exercises: Exercise[] = [];
  const used = new Set<string>();
  let section: string | undefined;
  const sections = new Set<string>();
  blocks.forEach((block, i) => {
    if (block.kind === "heading" && block.level === 2) {
      section = block.text;
      sections.add(section);
      if (section === NOTES) return;
    }
    for (const claim of claimsOf(block)) {
      used.add(claim);
      if (!claims.some((c) => c.name === claim))
        fail(block.line, `[^${claim}] has no check: define it at the end of the file`);
    }
    if (section !== undefined && !FREE.includes(section)) checkTagged(block, blocks[i + 1], fail);
    const into = section === NOTES ? notes : shown;
    if (block.kind !== "fence") into.push(block);
    else if (block.language === "live")
      into.push({ kind: "live", line: block.line, live: guarded(block.line, () => parseLive(block.text)) });
    else if (block.language === "exercise") {
      const exercise = guarded(block.line, () => parseExercise(block.text));
      exercises.push(exercise);
      into.push({ kind: "exercise", line: block.line, exercise });
    } else {
      if (block.language === "console") commands.push(shownCommand(block.line, block.text, fail));
      into.push({ ...block, kind: "code" });
    }
  });
  for (const { name: claim, line } of claims) if (!used.has(claim)) fail(line, `nothing refers to [^${claim}]`);
  for (const needed of ["Exercise", NOTES]) if (!sections.has(needed)) fail(1, `the lesson has no section "${needed}"`);
  if (exercises.length === 0) fail(1, "the lesson has no exercise block");
  if (!shown.some((block) => block.kind === "live"))
    fail(1, "the lesson has no live block: nothing stands beside the text");
  return {
    name,
    title: header.values.get("title")!,
    minutes,
    goal: header.values.get("goal")!,
    blocks: shown,
    notes,
    claims,
    commands,
    exercises,
  };
}

/** Whether real output is what a lesson shows: line by line, "..." for any lines. */
export function isShownOutput(shown: string, real: string): boolean {
  const escaped = shown
    .trimEnd()
    .split("\n")
    .map((line) => (line.trim() === "..." ? "\u0000" : line.trimEnd().replace(/[.*+?^${}()|[\]\\]/g, "\\$&")));
  const pattern = escaped
    .join("\n")
    .replaceAll("\n\u0000", "(?:\n.*)*")
    .replaceAll("\u0000\n", "(?:.*\n)*")
    .replaceAll("\u0000", "[^]*");
  const lines = real
    .trimEnd()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
  return new RegExp(`^${pattern}$`).test(lines);
}
