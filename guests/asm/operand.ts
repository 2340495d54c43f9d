/**
 * Operands as written: `eax`, `5`, `label`, `dword [ebx + ecx*4 + 8]`, `fs:[0x10]`, `[rel table]`, `8:label`, `far [pointer]`.
 *
 * Before: assembler.ts (splits the line). After: encode.ts (finds the instruction form that takes them).
 */
import { Register } from "iced-x86";
import { constant, type Expression, parseExpression } from "./expression.ts";

export type Operand =
  | { readonly kind: "register"; readonly register: Register; readonly group: RegisterGroup; readonly name: string }
  | { readonly kind: "number"; readonly value: Expression }
  | { readonly kind: "far"; readonly selector: Expression; readonly offset: Expression }
  | MemoryReference;

export interface MemoryReference {
  readonly kind: "memory";
  /** Bytes of the access, 0 if the text does not say. */
  readonly size: number;
  readonly isFar: boolean;
  readonly segment: Register;
  readonly base: Register;
  readonly index: Register;
  readonly scale: number;
  readonly displacement: Expression;
}

export type RegisterGroup = "r8" | "r16" | "r32" | "r64" | "seg" | "cr" | "dr";

const SIZES: Readonly<Record<string, number>> = { byte: 1, word: 2, dword: 4, qword: 8, oword: 16 };

const REGISTERS: ReadonlyMap<string, { register: Register; group: RegisterGroup }> = (() => {
  const map = new Map<string, { register: Register; group: RegisterGroup }>();
  const add = (group: RegisterGroup, names: string) => {
    for (const name of names.split(" ")) {
      const register = Register[name.toUpperCase() as keyof typeof Register];
      map.set(name, { register, group });
      // iced calls the low parts of r8..r15 R8L; the manuals write r8b
      if (/^r\d+l$/.test(name)) map.set(name.replace("l", "b"), { register, group });
    }
  };
  const numbered = (suffix: string) => [8, 9, 10, 11, 12, 13, 14, 15].map((n) => `r${n}${suffix}`).join(" ");
  add("r8", `al cl dl bl ah ch dh bh spl bpl sil dil ${numbered("l")}`);
  add("r16", `ax cx dx bx sp bp si di ${numbered("w")}`);
  add("r32", `eax ecx edx ebx esp ebp esi edi ${numbered("d")}`);
  add("r64", `rax rcx rdx rbx rsp rbp rsi rdi ${numbered("")}`);
  add("seg", "es cs ss ds fs gs");
  add("cr", "cr0 cr2 cr3 cr4 cr8");
  add("dr", "dr0 dr1 dr2 dr3 dr6 dr7");
  return map;
})();

const addressable = (name: string) => {
  const r = REGISTERS.get(name.toLowerCase());
  return r && (r.group === "r16" || r.group === "r32" || r.group === "r64") ? r.register : undefined;
};

/** Splits `ebx + ecx*4 - 8` at its top-level signs; each part keeps its sign. */
function terms(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = "";
  for (const c of text) {
    if (c === "(") depth++;
    if (c === ")") depth--;
    if ((c === "+" || c === "-") && depth === 0 && part.trim() !== "") {
      parts.push(part);
      part = "";
    }
    part += c;
  }
  return [...parts, part].map((p) => p.trim());
}

function parseMemory(text: string, name: (s: string) => string): MemoryReference {
  const match = /^(?:(byte|word|dword|qword|oword|far)\s+)?(?:(\w\w)\s*:\s*)?\[(.*)\]$/i.exec(text)!;
  const sizeWord = match[1]?.toLowerCase();
  const segment = match[2] ? REGISTERS.get(match[2].toLowerCase()) : undefined;
  if (match[2] && segment?.group !== "seg") throw new SyntaxError(`"${match[2]}" is not a segment register`);
  let inside = match[3]!.trim();
  let base = Register.None;
  let index = Register.None;
  let scale = 1;
  const rest: string[] = [];
  const relative = /^rel\s+/i.exec(inside);
  if (relative) {
    base = Register.RIP;
    inside = inside.slice(relative[0].length);
  }
  for (const term of terms(inside)) {
    const plain = term.replace(/^\+\s*/, "");
    const scaled = /^(\w+)\s*\*\s*([1248])$/.exec(plain);
    const register = addressable(scaled ? scaled[1]! : plain);
    if (register === undefined) rest.push(term);
    else if (scaled && index === Register.None) {
      index = register;
      scale = Number(scaled[2]);
    } else if (!scaled && base === Register.None) base = register;
    else if (!scaled && index === Register.None) index = register;
    else throw new SyntaxError(`too many registers in [${inside}]`);
  }
  return {
    kind: "memory",
    size: SIZES[sizeWord ?? ""] ?? 0,
    isFar: sizeWord === "far",
    segment: segment?.register ?? Register.None,
    base,
    index,
    scale,
    displacement: rest.length ? parseExpression(rest.join(" "), name) : constant(0n),
  };
}

/** @throws SyntaxError saying which part is not understood. */
export function parseOperand(text: string, name: (symbol: string) => string): Operand {
  const register = REGISTERS.get(text.toLowerCase());
  if (register) return { kind: "register", ...register, name: text.toLowerCase() };
  if (text.endsWith("]")) return parseMemory(text, name);
  const far = /^([^:']+):([^:']+)$/.exec(text);
  if (far) return { kind: "far", selector: parseExpression(far[1]!, name), offset: parseExpression(far[2]!, name) };
  return { kind: "number", value: parseExpression(text, name) };
}
