/**
 * A small assembler: Intel syntax text in, bytes at fixed addresses, symbols and a listing out.
 *
 * ```
 *   bits 32                  code size from here on (32 or 64)
 *   org 0x100000             a new section at this address
 *   name:  .local:           labels; a local one belongs to the last full one
 *   width equ 80             a constant
 *   mov dword [ebx+4], 5     instructions; the shortest form is taken, branches are short where they reach
 *   db "text\n", 0, 'x'      data: db dw dd dq, strings with \n \r \t \\ \" \xNN
 *   align 16                 zero bytes up to the next multiple;  zero 100: that many zero bytes
 * ```
 * Lines end at `;`. Guests build such text with the `asm` tag and functions that return pieces of it (guests/lib).
 * Read next: encode.ts (instructions), elf.ts (the image), listing.ts.
 */
import { prefixByte, type Statement, StatementEncoder } from "./encode.ts";
import { type Expression, type Lookup, parseExpression, unescapeText } from "./expression.ts";
import type { Bits } from "./forms.ts";
import { parseOperand } from "./operand.ts";

/** Text of a program; backslashes stay as they are. */
export const asm = String.raw;

export interface Line {
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly text: string;
}

export interface Section {
  readonly address: number;
  readonly bytes: Uint8Array;
}

export interface Program {
  readonly sections: readonly Section[];
  readonly symbols: ReadonlyMap<string, number>;
  readonly lines: readonly Line[];
}

type Body =
  | { readonly kind: "instruction"; readonly statement: Statement }
  | { readonly kind: "data"; readonly size: number; readonly values: readonly (Expression | string)[] }
  | { readonly kind: "align" | "zero" | "org"; readonly value: Expression }
  | { readonly kind: "label" | "equ"; readonly name: string; readonly value?: Expression };

interface Item {
  readonly body: Body;
  readonly text: string;
  readonly lineNumber: number;
  address: bigint;
  bytes: Uint8Array;
  isWide: boolean;
}

const DATA_SIZE: Readonly<Record<string, number>> = { db: 1, dw: 2, dd: 4, dq: 8 };

/** Cuts the comment off; a semicolon in quotes stays. */
function withoutComment(line: string): string {
  return /^(?:[^;"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|['"])*/.exec(line)![0].trimEnd();
}

/** Splits at commas outside quotes and brackets. */
function splitList(text: string): string[] {
  const parts = text.match(/(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)'|\[[^\]]*\]|[^,])+/g) ?? [];
  return parts.map((p) => p.trim());
}

class Parser {
  readonly items: Item[] = [];
  private bits: Bits = 32;
  private scope = "";

  parse(source: string): void {
    source.split("\n").forEach((raw, i) => {
      try {
        this.line(withoutComment(raw).trim(), i + 1);
      } catch (e) {
        throw new SyntaxError(`line ${i + 1}: ${raw.trim()}\n  ${(e as Error).message}`, { cause: e });
      }
    });
  }

  private readonly fullName = (name: string) => (name.startsWith(".") ? this.scope + name : name);
  private readonly expression = (text: string) => parseExpression(text, this.fullName);

  private add(body: Body, text: string, lineNumber: number): void {
    this.items.push({ body, text, lineNumber, address: 0n, bytes: new Uint8Array(), isWide: false });
  }

  private line(line: string, n: number): void {
    const label = /^([A-Za-z_.][\w.]*)\s*:(?!:)\s*(.*)$/.exec(line);
    if (label) {
      if (!label[1]!.startsWith(".")) this.scope = label[1]!;
      this.add({ kind: "label", name: this.fullName(label[1]!) }, `${label[1]}:`, n);
      line = label[2]!;
    }
    if (line === "") return;
    const equ = /^([A-Za-z_][\w.]*)\s+equ\s+(.*)$/i.exec(line);
    if (equ) {
      this.add({ kind: "equ", name: equ[1]!, value: this.expression(equ[2]!) }, line, n);
      return;
    }
    const [, word, rest] = /^(\S+)\s*(.*)$/.exec(line)!;
    this.statement(word!.toLowerCase(), rest!, line, n);
  }

  private statement(word: string, rest: string, line: string, n: number): void {
    if (word === "bits") {
      if (rest !== "32" && rest !== "64") throw new SyntaxError("bits is 32 or 64");
      this.bits = rest === "32" ? 32 : 64;
      return;
    }
    if (word === "org" || word === "align" || word === "zero") {
      this.add({ kind: word, value: this.expression(rest) }, line, n);
      return;
    }
    const size = DATA_SIZE[word];
    if (size !== undefined) {
      const values = splitList(rest).map((v) =>
        v.startsWith('"') ? unescapeText(v.slice(1, -1)) : this.expression(v),
      );
      this.add({ kind: "data", size, values }, line, n);
      return;
    }
    const prefixes: number[] = [];
    for (let prefix = prefixByte(word); prefix !== undefined; prefix = prefixByte(word)) {
      prefixes.push(prefix);
      const [, next, after] = /^(\S+)\s*(.*)$/.exec(rest) ?? [];
      if (!next) throw new SyntaxError("a prefix needs an instruction after it");
      word = next.toLowerCase();
      rest = after!;
    }
    const operands = splitList(rest).map((o) => parseOperand(o, this.fullName));
    // these two take their operands in either order, but are described with memory first
    if ((word === "xchg" || word === "test") && operands[1]?.kind === "memory") operands.reverse();
    this.add({ kind: "instruction", statement: { bits: this.bits, prefixes, mnemonic: word, operands } }, line, n);
  }
}

/** Gives every item its address and bytes; repeats until no branch has to grow and no address moves. */
class Layout {
  private readonly symbols = new Map<string, bigint>();
  private readonly encoder = new StatementEncoder();
  private isFinal = false;

  constructor(items: Item[]) {
    this.items = items;
  }

  private readonly items: Item[];

  run(): ReadonlyMap<string, number> {
    try {
      for (let round = 0; this.pass(); round++) {
        if (round > 50) throw new Error("the layout does not settle");
      }
      this.isFinal = true;
      this.pass();
    } finally {
      this.encoder.free();
    }
    return new Map([...this.symbols].map(([name, value]) => [name, Number(value)]));
  }

  private readonly lookup: Lookup = (name) => {
    const value = this.symbols.get(name);
    if (value === undefined && this.isFinal) throw new SyntaxError(`no label or constant "${name}"`);
    return value ?? 0n;
  };

  /** @returns true if anything moved or grew. */
  private pass(): boolean {
    let at = 0n;
    let moved = false;
    const defined = new Set<string>();
    for (const item of this.items) {
      try {
        const value =
          item.body.kind === "label" || item.body.kind === "equ" ? this.define(item.body, at, defined) : undefined;
        if (value !== undefined) moved = value || moved;
        if (item.body.kind === "org") at = item.body.value.value(this.lookup);
        if (item.address !== at) moved = true;
        item.address = at;
        const before = item.bytes.length;
        const wasWide = item.isWide;
        item.bytes = this.bytesOf(item);
        moved ||= item.bytes.length !== before || item.isWide !== wasWide;
        at += BigInt(item.bytes.length);
      } catch (e) {
        throw new SyntaxError(`line ${item.lineNumber}: ${item.text}\n  ${(e as Error).message}`, { cause: e });
      }
    }
    return moved;
  }

  private define(body: { name: string; value?: Expression }, at: bigint, defined: Set<string>): boolean {
    if (defined.has(body.name)) throw new SyntaxError(`"${body.name}" is defined twice`);
    defined.add(body.name);
    const value = body.value ? body.value.value(this.lookup) : at;
    const moved = this.symbols.get(body.name) !== value;
    this.symbols.set(body.name, value);
    return moved;
  }

  private bytesOf(item: Item): Uint8Array {
    const { body } = item;
    switch (body.kind) {
      case "instruction":
        return this.instruction(item, body.statement);
      case "data":
        return this.data(body.size, body.values);
      case "align": {
        const to = body.value.value(this.lookup);
        return new Uint8Array(Number((to - (item.address % to)) % to));
      }
      case "zero":
        return new Uint8Array(Number(body.value.value(this.lookup)));
      default:
        return new Uint8Array();
    }
  }

  private instruction(item: Item, statement: Statement): Uint8Array {
    if (!item.isWide && this.encoder.isRelaxable(statement) && !this.reaches(item, statement)) item.isWide = true;
    return this.encoder.encode(statement, item.address, item.isWide, this.isFinal ? this.lookup : this.tolerant(item));
  }

  /** Before the last pass an unknown or far target must not stop the layout: a branch then points to itself. */
  private tolerant(item: Item): Lookup {
    return (name) => {
      const value = this.lookup(name);
      const far = value - item.address > 120n || item.address - value > 120n;
      return far && !item.isWide && item.body.kind === "instruction" && /^(loop|j)/.test(item.body.statement.mnemonic)
        ? item.address
        : value;
    };
  }

  private reaches(item: Item, statement: Statement): boolean {
    if (statement.mnemonic === "call") return false;
    const operand = statement.operands[0]!;
    if (operand.kind !== "number") return true;
    const target = operand.value.value(this.lookup);
    const known = this.symbols.size > 0 && target !== 0n;
    const distance = target - (item.address + 2n + BigInt(statement.prefixes.length));
    return !known || (distance >= -128n && distance <= 127n);
  }

  private data(size: number, values: readonly (Expression | string)[]): Uint8Array {
    const bytes: number[] = [];
    for (const value of values) {
      if (typeof value === "string") {
        for (const c of value) bytes.push(c.charCodeAt(0) & 0xff);
        while (bytes.length % size) bytes.push(0);
        continue;
      }
      let v = BigInt.asUintN(64, value.value(this.lookup));
      for (let i = 0; i < size; i++, v >>= 8n) bytes.push(Number(v & 0xffn));
    }
    return Uint8Array.from(bytes);
  }
}

/** @throws SyntaxError with the line and what is wrong with it. */
export function assemble(source: string): Program {
  const parser = new Parser();
  parser.parse(source);
  const symbols = new Layout(parser.items).run();
  const sections: { address: number; parts: Uint8Array[] }[] = [];
  for (const item of parser.items) {
    if (item.body.kind === "org") sections.push({ address: Number(item.address), parts: [] });
    if (item.bytes.length === 0) continue;
    if (sections.length === 0)
      throw new SyntaxError(`line ${item.lineNumber}: "org ADDRESS" has to come before the first bytes`);
    sections.at(-1)!.parts.push(item.bytes);
  }
  return {
    symbols,
    sections: sections
      .map((s) => ({ address: s.address, bytes: concatenate(s.parts) }))
      .filter((s) => s.bytes.length > 0),
    lines: parser.items.map((i) => ({ address: Number(i.address), bytes: i.bytes, text: i.text })),
  };
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
