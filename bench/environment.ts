/** What the numbers were taken on: printed with every run, because ratios travel between machines and absolute figures do not. */
import { spawnSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";

export interface Environment {
  readonly cpu: string;
  readonly processors: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly v8: string;
  /** First line of `cc --version`, or null without a compiler. */
  readonly compiler: string | null;
}

export function environment(): Environment {
  const compiler = spawnSync(process.env.CC ?? "cc", ["--version"], { encoding: "utf8" });
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    processors: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${process.platform} ${release()}`,
    node: process.version,
    v8: process.versions.v8,
    compiler: compiler.status === 0 ? (compiler.stdout.split("\n")[0] ?? null) : null,
  };
}

export function environmentText(e: Environment): string {
  return `${e.cpu}, ${e.processors} processors, ${e.memoryGiB} GiB, ${e.kernel}; node ${e.node} (V8 ${e.v8}); ${e.compiler ?? "no C compiler"}`;
}
