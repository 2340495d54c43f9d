/** Compiles a program of bench/native with `cc -O2` and samples it. Each prints seconds per call, one number a line. */
import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../host/node/paths.ts";
import type { Contestant } from "./harness.ts";

/** The program's path, or the reason why there is none. */
export function compile(source: string): { readonly program: string } | { readonly skipped: string } {
  const program = join(mkdtempSync(join(tmpdir(), "vmexit-bench-")), source.replace(/\.c$/, ""));
  const compiler = process.env.CC ?? "cc";
  const built = spawnSync(compiler, ["-O2", "-o", program, join(ROOT, "bench", "native", source)], {
    encoding: "utf8",
  });
  if (built.error) return { skipped: `SKIPPED, no C compiler (${compiler}): ${built.error.message}` };
  if (built.status !== 0) return { skipped: `SKIPPED, ${compiler} failed: ${built.stderr.split("\n")[0]}` };
  return { program };
}

/** A contestant that is one mode of a compiled program. */
export function nativeContestant(
  program: string,
  name: string,
  operations: number,
  args: readonly string[],
): Contestant {
  const sample = (): readonly number[] => {
    const result = spawnSync(program, [...args], { encoding: "utf8" });
    if (result.status !== 0)
      throw new Error(`${program} ${args.join(" ")}: ${result.stderr || `exit ${result.status}`}`);
    return result.stdout.trim().split("\n").map(Number);
  };
  return { name, operations, sample, isNative: true };
}
