/** Files named on the command line. */
import { readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { UsageError } from "../lib/errors.ts";

/** Larger files cannot be guests: linear memory ends at 4 GiB, and Node reads no file of 2 GiB at once. */
const LARGEST_FILE = 2 ** 31 - 1;

function explain(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT") return "no such file";
  if (code === "EISDIR") return "it is a folder";
  if (code === "EACCES") return "no permission";
  return error instanceof Error ? error.message : String(error);
}

/** @throws UsageError with one line that says what is wrong. */
export function readInput(file: string, what: string): Uint8Array {
  try {
    const stat = statSync(file);
    if (!stat.isFile() && !stat.isFIFO() && !stat.isDirectory())
      throw new UsageError(`${what} ${file}: a device has no end: give a file`);
    const { size } = stat;
    if (size > LARGEST_FILE)
      throw new UsageError(`${what} ${file}: ${size} bytes are too many, at most ${LARGEST_FILE} fit a machine`);
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${what} ${file}: ${explain(error)}`, { cause: error });
  }
}

/** @throws UsageError with one line that says what is wrong. */
export function writeOutput(file: string, text: string, what: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new UsageError(`${what} ${file}: ${explain(error)}`, { cause: error });
  }
}

/** As writeOutput, but whoever reads the file finds the old text or the new one, never a part. */
export function replaceFile(file: string, text: string, what: string): void {
  writeOutput(`${file}.new`, text, what);
  renameSync(`${file}.new`, file);
}
