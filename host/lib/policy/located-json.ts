/**
 * JSON with the line of every value, for files that people write: an error can then say where. Strict JSON, no extensions; depth and
 * size are bounded, because the file may be hostile.
 */
import { UsageError } from "../errors.ts";

export type LocatedValue = string | number | boolean | null | LocatedNode[] | Map<string, LocatedNode>;

export interface LocatedNode {
  readonly line: number;
  readonly value: LocatedValue;
}

const MAX_BYTES = 1 << 16;
const MAX_DEPTH = 16;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const SPACE = /[ \t\r\n]*/y;
const WORDS = { true: true, false: false, null: null } as const;

/** @throws UsageError "file:line: reason" */
export function parseLocated(text: string, file: string): LocatedNode {
  let at = 0;
  const lineAt = (position: number): number => text.slice(0, position).split("\n").length;
  const fail = (reason: string): never => {
    throw new UsageError(`${file}:${lineAt(at)}: ${reason}`);
  };
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const space = (): void => void match(SPACE);
  const expect = (character: string): void => {
    space();
    if (text[at] !== character)
      fail(`"${character}" expected, ${at < text.length ? `"${text[at]}"` : "the end"} found`);
    at++;
  };
  const string = (): string => {
    space();
    const found = match(STRING);
    if (found === undefined) return fail("a string expected");
    try {
      return JSON.parse(found) as string;
    } catch {
      return fail("not a valid string");
    }
  };

  function list(depth: number): LocatedNode[] {
    const items: LocatedNode[] = [];
    at++;
    space();
    if (text[at] === "]") {
      at++;
      return items;
    }
    while (true) {
      items.push(node(depth));
      space();
      if (text[at] !== ",") break;
      at++;
    }
    expect("]");
    return items;
  }

  function object(depth: number): Map<string, LocatedNode> {
    const members = new Map<string, LocatedNode>();
    at++;
    space();
    if (text[at] === "}") {
      at++;
      return members;
    }
    while (true) {
      const key = string();
      if (members.has(key)) fail(`"${key}" stands twice`);
      expect(":");
      members.set(key, node(depth));
      space();
      if (text[at] !== ",") break;
      at++;
    }
    expect("}");
    return members;
  }

  function node(depth: number): LocatedNode {
    if (depth > MAX_DEPTH) fail(`nested deeper than ${MAX_DEPTH}`);
    space();
    const line = lineAt(at);
    const first = text[at];
    if (first === "{") return { line, value: object(depth + 1) };
    if (first === "[") return { line, value: list(depth + 1) };
    if (first === '"') return { line, value: string() };
    const number = match(NUMBER);
    if (number !== undefined) return { line, value: Number(number) };
    for (const [word, value] of Object.entries(WORDS))
      if (text.startsWith(word, at)) {
        at += word.length;
        return { line, value };
      }
    return fail(first === undefined ? "the file ends where a value should stand" : `"${first}" starts no value`);
  }

  if (text.length > MAX_BYTES) fail(`larger than ${MAX_BYTES} bytes`);
  const root = node(0);
  space();
  if (at < text.length) fail(`something follows the value: "${text[at]}"`);
  return root;
}
