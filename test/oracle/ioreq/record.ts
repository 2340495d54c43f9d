/**
 * The recorded answers of a real Xen 4.17 (recorded/ioreq-vectors.tsv): rows `test, n, kind, type, addr, data, count, size, dir, df,
 * data_is_ptr, note`, where n counts the requests of a test and the row of kind `result` ends it.
 */
import { readFileSync } from "node:fs";
import type { Registers } from "./world.ts";

export interface RecordedTest {
  readonly name: string;
  readonly snippet: string;
  readonly registers: Registers;
  /** Address of the memory shown behind the result, 0 for none. */
  readonly check: number;
  /** All its rows, tabs and all. */
  readonly rows: readonly string[];
}

const register = (text: string, name: string): bigint =>
  BigInt(`0x${new RegExp(`in\\([^)]*${name}=([0-9a-f]+)`).exec(text)?.[1] ?? "0"}`);

export function readRecordedTests(): RecordedTest[] {
  const text = readFileSync(new URL("../recorded/ioreq-vectors.tsv", import.meta.url), "utf8");
  const tests: RecordedTest[] = [];
  let rows: string[] = [];
  for (const row of text.trimEnd().split("\n").slice(1)) {
    rows.push(row);
    const columns = row.split("\t");
    // The page that is given back has one request and no result row.
    if (columns[2] !== "result" && columns[0] !== "invalidate") continue;
    const note = columns[11]!;
    tests.push({
      name: columns[0]!,
      snippet: /snippet=(\S+)/.exec(note)?.[1] ?? "",
      registers: [
        register(note, "rax"),
        register(note, "rbx"),
        register(note, "rcx"),
        register(note, "rdx"),
        register(note, "rsi"),
        register(note, "rdi"),
      ],
      check: Number.parseInt(/(?:dev|ram)\[([0-9a-f]+)\]/.exec(note)?.[1] ?? "0", 16),
      rows,
    });
    rows = [];
  }
  return tests;
}
