/** As much of Markdown as lessons use, as a tree: headings, paragraphs, lists, quotes, tables, fenced blocks, footnotes. No HTML. */

export type Inline =
  | { readonly kind: "text" | "code" | "strong" | "em"; readonly text: string }
  | { readonly kind: "link"; readonly text: string; readonly href: string }
  /** A footnote: a claim, whose definition is its check. */
  | { readonly kind: "claim"; readonly name: string };

export type Block =
  | { readonly kind: "heading"; readonly line: number; readonly level: number; readonly text: string }
  | { readonly kind: "paragraph" | "quote"; readonly line: number; readonly content: readonly Inline[] }
  | {
      readonly kind: "list";
      readonly line: number;
      readonly isOrdered: boolean;
      readonly items: readonly (readonly Inline[])[];
    }
  | {
      readonly kind: "table";
      readonly line: number;
      readonly head: readonly (readonly Inline[])[];
      readonly rows: readonly (readonly (readonly Inline[])[])[];
    }
  | { readonly kind: "fence"; readonly line: number; readonly language: string; readonly text: string };

export interface Footnote {
  readonly name: string;
  readonly line: number;
  readonly text: string;
}

export interface Markdown {
  readonly blocks: readonly Block[];
  readonly footnotes: readonly Footnote[];
}

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*]+)\*|\[\^([\w-]+)\]|\[([^\]]+)\]\(([^)\s]+)\)/g;

export function parseInline(text: string): Inline[] {
  const parts: Inline[] = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > at) parts.push({ kind: "text", text: text.slice(at, match.index) });
    const [whole, code, strong, em, claim, label, href] = match;
    if (code !== undefined) parts.push({ kind: "code", text: code });
    else if (strong !== undefined) parts.push({ kind: "strong", text: strong });
    else if (em !== undefined) parts.push({ kind: "em", text: em });
    else if (claim !== undefined) parts.push({ kind: "claim", name: claim });
    else parts.push({ kind: "link", text: label!, href: href! });
    at = match.index + whole.length;
  }
  if (at < text.length) parts.push({ kind: "text", text: text.slice(at) });
  return parts;
}

const isFence = (line: string): boolean => /^```/.test(line);
const BLOCK_START = /^(#{1,4} |```|> |[-*] |\d+\. |\||\[\^[\w-]+\]:)/;

const cells = (line: string): Inline[][] =>
  line
    .replace(/^\||\|\s*$/g, "")
    .split("|")
    .map((cell) => parseInline(cell.trim()));

/** @param firstLine number of the first line of `text` in its file, for messages. */
export function parseMarkdown(text: string, firstLine = 1): Markdown {
  const lines = text.split(/\r?\n/);
  const blocks: Block[] = [];
  const footnotes: Footnote[] = [];
  let at = 0;
  /** Lines that go on with what the one before began. */
  const gather = (goesOn: (line: string) => boolean): string[] => {
    const taken: string[] = [];
    while (at < lines.length && goesOn(lines[at]!)) taken.push(lines[at++]!);
    return taken;
  };
  while (at < lines.length) {
    const line = firstLine + at;
    const first = lines[at]!;
    const heading = /^(#{1,4}) (.*)$/.exec(first);
    const note = /^\[\^([\w-]+)\]:\s*(.*)$/.exec(first);
    if (first.trim() === "") at++;
    else if (heading) {
      blocks.push({ kind: "heading", line, level: heading[1]!.length, text: heading[2]!.trim() });
      at++;
    } else if (note) {
      at++;
      const more = gather((l) => /^\s+\S/.test(l));
      footnotes.push({ name: note[1]!, line, text: [note[2]!, ...more.map((l) => l.trim())].join(" ") });
    } else if (isFence(first)) {
      at++;
      const body = gather((l) => !isFence(l));
      at++;
      blocks.push({ kind: "fence", line, language: first.slice(3).trim(), text: body.join("\n") });
    } else if (first.startsWith("> ")) {
      const body = gather((l) => l.startsWith(">"));
      blocks.push({ kind: "quote", line, content: parseInline(body.map((l) => l.replace(/^>\s?/, "")).join(" ")) });
    } else if (first.startsWith("|")) {
      const [head = "", , ...rows] = gather((l) => l.startsWith("|"));
      blocks.push({ kind: "table", line, head: cells(head), rows: rows.map(cells) });
    } else if (/^([-*]|\d+\.) /.test(first)) {
      const items: string[] = [];
      for (const l of gather((l) => /^([-*]|\d+\.) /.test(l) || /^\s+\S/.test(l)))
        if (/^([-*]|\d+\.) /.test(l)) items.push(l.replace(/^([-*]|\d+\.) /, ""));
        else items[items.length - 1] += ` ${l.trim()}`;
      blocks.push({ kind: "list", line, isOrdered: /^\d/.test(first), items: items.map(parseInline) });
    } else {
      at++;
      const more = gather((l) => l.trim() !== "" && !BLOCK_START.test(l));
      blocks.push({ kind: "paragraph", line, content: parseInline([first, ...more].join(" ")) });
    }
  }
  return { blocks, footnotes };
}

/** The words of a piece of text, without marks and footnotes. */
export const plainText = (content: readonly Inline[]): string =>
  content.map((part) => (part.kind === "claim" ? "" : part.text)).join("");
