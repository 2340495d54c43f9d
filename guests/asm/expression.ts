/**
 * Numbers in assembly text: `0x10`, `'A'`, `label`, `label + 4*2`, `(end - start) / 8`, `~0`, `1 << 31`.
 *
 * An expression is parsed once and evaluated when the labels have addresses. Read next: operand.ts.
 */

/** Gives the value of a symbol; throws when there is none of that name. */
export type Lookup = (symbol: string) => bigint;

export interface Expression {
  /** True if no symbol occurs in it: its value is known at once, and so is the size of its encoding. */
  readonly isConstant: boolean;
  readonly value: (lookup: Lookup) => bigint;
}

export const constant = (n: bigint): Expression => ({ isConstant: true, value: () => n });

const TOKEN = /\s*(0x[0-9a-f_]+|0b[01_]+|[0-9][0-9_]*|'(?:[^'\\]|\\.)'|[a-z_.$@][\w.$@]*|<<|>>|[-+*/%&|^~()])/iy;

const BINARY: Readonly<Record<string, { level: number; apply: (a: bigint, b: bigint) => bigint }>> = {
  "|": { level: 1, apply: (a, b) => a | b },
  "^": { level: 2, apply: (a, b) => a ^ b },
  "&": { level: 3, apply: (a, b) => a & b },
  "<<": { level: 4, apply: (a, b) => a << b },
  ">>": { level: 4, apply: (a, b) => a >> b },
  "+": { level: 5, apply: (a, b) => a + b },
  "-": { level: 5, apply: (a, b) => a - b },
  "*": { level: 6, apply: (a, b) => a * b },
  "/": { level: 6, apply: (a, b) => a / b },
  "%": { level: 6, apply: (a, b) => a % b },
};

/** The character or control character that a backslash escape in a string or character literal stands for. */
export function unescapeText(text: string): string {
  return text.replace(/\\(x[0-9a-f]{2}|.)/gi, (_, e: string) => {
    if (e[0] === "x") return String.fromCharCode(Number.parseInt(e.slice(1), 16));
    return { n: "\n", r: "\r", t: "\t", "0": "\0" }[e] ?? e;
  });
}

function tokens(text: string): string[] {
  const found: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) throw new SyntaxError(`not an expression: "${text.trim()}" (at "${text.slice(at).trim()}")`);
    found.push(match[1]!);
  }
  return found;
}

/**
 * Parses `text`. `name` turns a symbol as written into the full one (local labels start with a dot).
 * @throws SyntaxError with the offending part.
 */
export function parseExpression(text: string, name: (symbol: string) => string = (s) => s): Expression {
  const list = tokens(text);
  let at = 0;
  const fail = (): never => {
    throw new SyntaxError(`not an expression: "${text.trim()}"`);
  };

  const primary = (): Expression => {
    const t = list[at++] ?? fail();
    if (t === "(") {
      const inner = binary(1);
      if (list[at++] !== ")") fail();
      return inner;
    }
    if (t === "-" || t === "~" || t === "+") {
      const inner = primary();
      const apply = (v: bigint) => (t === "-" ? -v : t === "~" ? ~v : v);
      return { isConstant: inner.isConstant, value: (l) => apply(inner.value(l)) };
    }
    if (t[0] === "'") return constant(BigInt(unescapeText(t.slice(1, -1)).charCodeAt(0)));
    if (/^[0-9]/.test(t)) return constant(BigInt(t.replaceAll("_", "")));
    if (!/^[a-z_.$@]/i.test(t)) fail();
    const symbol = name(t);
    return { isConstant: false, value: (l) => l(symbol) };
  };

  const binary = (level: number): Expression => {
    let left = primary();
    for (;;) {
      const operator = BINARY[list[at] ?? ""];
      if (!operator || operator.level < level) return left;
      at++;
      const a = left;
      const b = binary(operator.level + 1);
      left = { isConstant: a.isConstant && b.isConstant, value: (l) => operator.apply(a.value(l), b.value(l)) };
    }
  };

  const result = binary(1);
  if (at !== list.length) fail();
  return result;
}
