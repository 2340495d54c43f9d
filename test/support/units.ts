/**
 * Compiles a unit-test entry of the core (hv-core/units) and instantiates it: for testing internals that have no export in the
 * shipped builds. Compiled ones are kept in build/units until a source of the core changes.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FRAMES_BASE } from "../../hv-core/abi/layout.ts";

interface Compiler {
  main(
    args: readonly string[],
    options: { writeFile(name: string, contents: Uint8Array | string): void },
  ): Promise<{ error: Error | null; stderr: { toString(): string } }>;
}

/** Time of the last change of a source of the core. */
function newestSource(): number {
  let newest = 0;
  for (const name of readdirSync("hv-core", { recursive: true, encoding: "utf8" }))
    if (name.endsWith(".ts")) newest = Math.max(newest, statSync(join("hv-core", name)).mtimeMs);
  return newest;
}

async function compile(name: string): Promise<Uint8Array> {
  const file = join("build", "units", `${name}.wasm`);
  const newest = newestSource();
  if (existsSync(file) && statSync(file).mtimeMs > newest) return readFileSync(file);
  const compilerName = "assemblyscript/asc";
  const asc = (await import(compilerName)) as Compiler;
  let binary: Uint8Array | undefined;
  const result = await asc.main(
    [
      `hv-core/units/${name}.ts`,
      ...["--config", "none", "-O2", "--debug", "--runtime", "stub", "--importMemory", "--disableWarning"],
      ...["--use", "abort=hv-core/base/abort/hvAbort", "--use", "DEBUG=1", "--outFile", "units.wasm"],
    ],
    {
      writeFile: (_, contents) => {
        if (typeof contents !== "string") binary = contents;
      },
    },
  );
  if (result.error || !binary) throw new Error(`hv-core/units/${name}.ts: ${result.stderr.toString()}`);
  mkdirSync(join("build", "units"), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, binary);
  renameSync(temporary, file);
  return binary;
}

/** The exports of hv-core/units/<name>.ts with `frames` machine frames, and the memory. */
export async function loadUnits<T>(name: string, frames = 64): Promise<{ exports: T; memory: WebAssembly.Memory }> {
  const module = await WebAssembly.compile(new Uint8Array(await compile(name)));
  const memory = new WebAssembly.Memory({ initial: FRAMES_BASE / 65536 + Math.ceil(frames / 16), maximum: 65535 });
  const instance = await WebAssembly.instantiate(module, { env: { memory, suspend: () => {} } });
  return { exports: instance.exports as unknown as T, memory };
}
