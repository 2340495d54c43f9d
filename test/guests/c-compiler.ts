/** Builds guests/c-guest with the system's compiler. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../host/node/paths.ts";

const FLAGS = [
  "-O2 -mgeneral-regs-only -ffreestanding -nostdlib -static -fno-pic -fno-pie -no-pie -mno-red-zone",
  "-fno-asynchronous-unwind-tables -fno-stack-protector -fcf-protection=none -Wall -Wextra -Werror",
  "-Wl,--build-id=none -Wl,-s -Wl,--no-warn-rwx-segments -Wl,-T,link.ld",
]
  .join(" ")
  .split(" ");

/** First lines of `gcc --version` and `ld --version`; undefined without a compiler or when it makes code for another machine. */
export function compilerVersion(): string | undefined {
  const versions = ["gcc", "ld"].map((tool) => spawnSync(tool, ["--version"], { encoding: "utf8" }));
  const machine = spawnSync("gcc", ["-dumpmachine"], { encoding: "utf8" });
  if (versions.some((v) => v.error || v.status !== 0) || !machine.stdout?.startsWith("x86_64-")) return undefined;
  return versions.map((v) => v.stdout.split("\n")[0]!).join("; ");
}

/** The class-32 image. @throws Error with what the compiler said. */
export function compileGuest(): Uint8Array {
  const cwd = join(ROOT, "guests", "c-guest");
  const folder = mkdtempSync(join(tmpdir(), "vmexit-cc-"));
  const tool = (name: string, args: readonly string[]): void => {
    const run = spawnSync(name, args, { cwd, encoding: "utf8" });
    if (run.error || run.status !== 0) throw new Error(`${name}: ${run.error?.message ?? run.stderr}`);
  };
  try {
    const wide = join(folder, "guest64");
    const file = join(folder, "guest32");
    tool("gcc", [...FLAGS, "-o", wide, "boot.S", "main.c"]);
    tool("objcopy", ["-I", "elf64-x86-64", "-O", "elf32-x86-64", wide, file]);
    return new Uint8Array(readFileSync(file));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
