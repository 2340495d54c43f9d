/**
 * Runs the stand-alone command module (build/wasi.wasm) under one of two WASI systems: @wasmer/wasi, with the guest in its
 * in-memory file system, or Node's own, with a folder. Both give the same console, exit code and trace hash as the main build
 * with device.at = core.
 */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { init, MemFS, WASI as WasmerWasi } from "@wasmer/wasi";
import { readBuild } from "./wasm.ts";

export type WasiEngine = "wasmer" | "node";

export interface WasiRun {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** Name of the guest's file inside the module's file system. */
const GUEST_FILE = "guest.elf";

/** Runs `guest` with the module's options (hv-core/wasi/options.ts). */
export async function runWasi(engine: WasiEngine, guest: Uint8Array, options: readonly string[]): Promise<WasiRun> {
  const module = new WebAssembly.Module(readBuild("wasi"));
  const args = ["vmexit", GUEST_FILE, ...options];
  return engine === "wasmer" ? runWasmer(module, guest, args) : runNode(module, guest, args);
}

async function runWasmer(module: WebAssembly.Module, guest: Uint8Array, args: string[]): Promise<WasiRun> {
  await init();
  const fs = new MemFS();
  const file = fs.open(`/${GUEST_FILE}`, { read: true, write: true, create: true });
  file.write(guest);
  file.flush();
  const wasi = new WasmerWasi({ args, env: {}, preopens: { "/": "/" }, fs });
  try {
    wasi.instantiate(module, {});
    const exitCode = wasi.start();
    return { exitCode, stdout: wasi.getStdoutBuffer(), stderr: wasi.getStderrString() };
  } finally {
    wasi.free();
  }
}

async function runNode(module: WebAssembly.Module, guest: Uint8Array, args: string[]): Promise<WasiRun> {
  const { WASI } = await quietly(() => import("node:wasi"));
  const folder = mkdtempSync(join(tmpdir(), "vmexit-wasi-"));
  const out = join(folder, "stdout");
  const err = join(folder, "stderr");
  writeFileSync(join(folder, GUEST_FILE), guest);
  const stdout = openSync(out, "w");
  const stderr = openSync(err, "w");
  try {
    const wasi = new WASI({ version: "preview1", args, env: {}, preopens: { "/": folder }, stdout, stderr });
    const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: plainCalls(wasi.wasiImport) });
    const exitCode = wasi.start(instance);
    return { exitCode: exitCode ?? 0, stdout: readFileSync(out), stderr: readFileSync(err, "utf8") };
  } finally {
    closeSync(stdout);
    closeSync(stderr);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Node warns that its WASI is experimental; the user asked for it by name. */
async function quietly<T>(load: () => Promise<T>): Promise<T> {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return await load();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/**
 * The imports behind plain JavaScript functions. Called directly from WebAssembly, Node's fast native calls wrote to the wrong
 * memory with this module (Node 20.20 and 22.23: wrong arguments, then a crash of the process).
 */
function plainCalls(imports: NodeJS.Dict<unknown>): WebAssembly.ModuleImports {
  const plain: Record<string, (...args: unknown[]) => unknown> = {};
  for (const [name, call] of Object.entries(imports))
    plain[name] = (...args) => (call as (...args: unknown[]) => unknown)(...args);
  return plain as WebAssembly.ModuleImports;
}
