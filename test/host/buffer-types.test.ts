/** Misuse of a hypercall buffer does not compile. Each snippet is compiled with tsc; the error is the expected one. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { ROOT } from "../../host/node/paths.ts";

interface Snippet {
  readonly name: string;
  readonly code: string;
  /** Number of the TypeScript error; undefined = it compiles. */
  readonly error?: number;
}

const SNIPPETS: readonly Snippet[] = [
  { name: "right use", code: `using m = allocSafe(arena, U64, "out", 4); setHandle(op, MAP, m); m.get(0);` },
  {
    name: "a buffer for both directions serves one",
    code: `using m = allocSafe(arena, U64, "inout"); setHandle(op, MAP, m);`,
  },
  { name: "an explicit NULL handle", code: `setHandle(op, MAP, null);` },
  { name: "a raw address in a handle field", code: `setHandle(op, MAP, 0x2000);`, error: 2345 },
  { name: "a raw 64-bit address", code: `setHandle(op, MAP, 0x2000n);`, error: 2345 },
  {
    name: "something that looks like a buffer",
    code: `setHandle(op, MAP, { element: U64, direction: "out", count: 1 });`,
    error: 2740,
  },
  { name: "the caller's own array", code: `setHandle(op, MAP, new BigUint64Array(4));`, error: 2740 },
  { name: "wrong direction", code: `using m = allocSafe(arena, U64, "in"); setHandle(op, MAP, m);`, error: 2345 },
  {
    name: "output where both are needed",
    code: `using m = allocSafe(arena, U64, "out"); setHandle(op, LIST, m);`,
    error: 2345,
  },
  { name: "wrong element type", code: `using m = allocSafe(arena, U32, "out"); setHandle(op, MAP, m);`, error: 2345 },
  {
    name: "wrong structure",
    code: `using m = allocSafe(arena, struct("a", 8), "out"); setHandle(op, RECORD, m);`,
    error: 2345,
  },
  {
    name: "reading a buffer that is only input",
    code: `using m = allocSafe(arena, U64, "in"); m.get(0);`,
    error: 2684,
  },
  {
    name: "writing a buffer that is only output",
    code: `using m = allocSafe(arena, U64, "out"); m.set(0, 1n);`,
    error: 2684,
  },
  { name: "wrong value type", code: `using m = allocSafe(arena, U64, "in"); m.set(0, 1);`, error: 2345 },
  { name: "use after the scope", code: `{ using m = allocSafe(arena, U64, "out"); m.get(0); } m.get(0);`, error: 2304 },
  { name: "a raw address as direct argument", code: `safeHypercall(dom0, plain(36), 0x2000);`, error: 2345 },
  {
    name: "a block as direct argument",
    code: `safeHypercall(dom0, plain(36), allocBlock(arena, 8, "x"));`,
    error: 2345,
  },
  {
    name: "a safe buffer as direct argument",
    code: `using m = allocSafe(arena, U8, "inout", 144); safeHypercall(dom0, plain(36), m);`,
  },
  {
    name: "a bounce of the wrong direction",
    code: `bounceAs(arena, U64, new Uint8Array(8), "in", (m) => setHandle(op, MAP, m));`,
    error: 2345,
  },
  {
    name: "reading inside an input bounce",
    code: `bounce(arena, new Uint8Array(8), "in", (m) => m.get(0));`,
    error: 2684,
  },
  {
    name: "a handle into a structure that is only output",
    code: `using out = allocStruct(arena, OP, "out"); setHandle(out, MAP, null);`,
    error: 2345,
  },
  {
    name: "a handle of another structure",
    code: `using m = allocSafe(arena, U64, "out"); setHandle(op, ELSEWHERE, m);`,
    error: 2345,
  },
  {
    name: "a handle into bytes that are no structure",
    code: `using bytes = allocSafe(arena, U8, "inout", 144); setHandle(bytes, MAP, null);`,
    error: 2740,
  },
  {
    name: "a field of a structure that is only input",
    code: `using s = allocStruct(arena, OP, "in"); s.u64(8);`,
    error: 2684,
  },
  {
    name: "all fields of a structure that is only output",
    code: `using s = allocStruct(arena, OP, "out"); s.fields().setUint32(0, 1);`,
    error: 2684,
  },
  {
    name: "an address kept for later",
    code: `using m = allocSafe(arena, U64, "out"); op.setU32(8, m);`,
    error: 2345,
  },
];

/** As seen from the folder of the snippets. */
const LIB = "../../host/lib";
const HEAD = `import { allocBlock, type Arena } from "${LIB}/buffers/arena.ts";
import { bounce, bounceAs } from "${LIB}/buffers/bounce.ts";
import { handleField, plain, safeHypercall, setHandle } from "${LIB}/buffers/call.ts";
import { struct, U8, U32, U64 } from "${LIB}/buffers/element.ts";
import { allocSafe } from "${LIB}/buffers/safe.ts";
import { allocStruct, type SafeStruct } from "${LIB}/buffers/struct.ts";
import type { Dom0 } from "${LIB}/dom0.ts";
declare const arena: Arena; declare const dom0: Dom0; declare const op: SafeStruct<"op", "inout">;
const OP = struct("op", 144); const OTHER = struct("other", 144);
const MAP = handleField(OP, 8, U64, "out"); const LIST = handleField(OP, 8, U64, "inout");
const RECORD = handleField(OP, 8, struct("b", 8), "out"); const ELSEWHERE = handleField(OTHER, 8, U64, "out");
export const used = [allocBlock, bounce, bounceAs, plain, safeHypercall, setHandle, U32, MAP, LIST, RECORD, ELSEWHERE, arena, dom0, op, allocStruct];
`;

const folder = join(ROOT, "build", "buffer-types");
mkdirSync(folder, { recursive: true });
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Error numbers of each snippet, in order. */
function compile(): number[][] {
  SNIPPETS.forEach((s, i) => {
    writeFileSync(join(folder, `s${i}.ts`), `${HEAD}export function test(): void { ${s.code} }\n`);
  });
  const config = {
    extends: "../../tsconfig.json",
    compilerOptions: { noEmit: true, rootDir: "../.." },
    include: ["*.ts"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const errors = SNIPPETS.map((): number[] => []);
  try {
    execFileSync(
      process.execPath,
      [join(ROOT, "node_modules", "typescript", "bin", "tsc"), "-p", folder, "--pretty", "false"],
      {
        encoding: "utf8",
      },
    );
  } catch (failure) {
    const { stdout } = failure as { stdout: string };
    for (const [, index, number] of stdout.matchAll(/(?:^|\/)s(\d+)\.ts\(\d+,\d+\): error TS(\d+)/gm))
      errors[Number(index)]!.push(Number(number));
    if (/^(?!.*(?:^|\/)s\d+\.ts).*error TS/m.test(stdout)) throw new Error(stdout);
  }
  return errors;
}

const found = compile();

it.each(SNIPPETS.map((s, i) => [s.name, i] as const))("%s", (_, i) => {
  const expected = SNIPPETS[i]!.error;
  expect(found[i]).toEqual(expected === undefined ? [] : [expected]);
});
