/** Builds harness.c with the system's compiler and runs batches of cases on the real CPU. Before: case-format.ts. Next: compare.ts. */
import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Batch, decodeResults, encodeBatch, type TestResult } from "./case-format.ts";

export interface NativeCpu {
  run(batch: Batch): TestResult[];
}

const RESULT_SPACE = 1024;

/** The real CPU, or the reason why this machine cannot lend it (no compiler, other architecture, a kernel that refuses). */
export function openNativeCpu(): NativeCpu | { readonly skipped: string } {
  if (process.platform !== "linux" || process.arch !== "x64")
    return { skipped: `needs Linux on x86-64, this is ${process.platform} ${process.arch}` };
  const program = join(mkdtempSync(join(tmpdir(), "vmexit-native-")), "harness");
  const source = fileURLToPath(new URL("./harness.c", import.meta.url));
  const compiler = process.env.CC ?? "cc";
  const built = spawnSync(compiler, ["-O2", "-fno-stack-protector", "-o", program, source], { encoding: "utf8" });
  if (built.error) return { skipped: `no C compiler (${compiler}): ${built.error.message}` };
  if (built.status !== 0) return { skipped: `${compiler} failed: ${built.stderr.split("\n")[0]}` };

  const run = (batch: Batch): TestResult[] => {
    const input = encodeBatch(batch);
    const result = spawnSync(program, { input, maxBuffer: batch.cases.length * RESULT_SPACE + (16 << 20) });
    if (result.status !== 0) {
      throw new Error(`harness ended with ${result.status ?? result.signal}: ${result.stderr.toString().trim()}`);
    }
    return decodeResults(result.stdout, batch.cases.length);
  };
  try {
    run({ data: new Uint8Array(0x2000), cases: [] });
    return { run };
  } catch (error) {
    return { skipped: (error as Error).message };
  }
}
