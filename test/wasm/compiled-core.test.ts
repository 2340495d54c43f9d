/**
 * What the compiler made of the core: no mutable globals (all state is in linear memory, so that a snapshot is a copy),
 * no windows in release, real suspension points in race, a jump table in the interpreter.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { WATCH_BASE } from "../../hv-core/abi/layout.ts";

const text = (name: string) => readFileSync(`build/${name}.wat`, "utf8");
const mutableGlobals = (wat: string) => wat.match(/^\s*\(global \S+ \(mut .*$/gm) ?? [];
const imports = (name: string) =>
  WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(`build/${name}.wasm`))).map(
    (i) => `${i.module}.${i.name}`,
  );

describe("release build", () => {
  it("has no mutable global", () => {
    expect(mutableGlobals(text("release"))).toEqual([]);
  });

  it("imports its memory and nothing else, so no window is left", () => {
    expect(imports("release")).toEqual(["env.memory"]);
  });

  it("dispatches instructions through a large br_table", () => {
    const tables = [...text("release").matchAll(/br_table((?: \S+)+)/g)].map((m) => m[1]!.trim().split(" ").length);
    expect(Math.max(...tables)).toBeGreaterThan(100);
  });

  it("does not look for breakpoints or watches where instructions run and memory is hit", () => {
    const functions = text("release").split(/\n (?=\(func )/);
    const hot = functions.filter((f) => /^\(func \S*\/hw\/(?:exec|access|exec-hot|flags)\/\S*/.test(f));
    expect(hot.some((f) => f.includes("Exec.run"))).toBe(true);
    expect(hot.filter((f) => f.includes(`i32.const ${WATCH_BASE}`))).toEqual([]);
    expect(functions.some((f) => f.includes(`i32.const ${WATCH_BASE}`))).toBe(true);
  });

  it("calls no runtime of the language", () => {
    expect(text("release")).not.toMatch(/call \$~lib\/rt/);
  });
});

describe("silicon build", () => {
  it("has no mutable global and imports only its memory", () => {
    expect(mutableGlobals(text("silicon"))).toEqual([]);
    expect(imports("silicon")).toEqual(["env.memory"]);
  });
});

describe("race build", () => {
  it("has asyncify's two mutable globals and no other", () => {
    expect(mutableGlobals(text("race")).map((g) => g.replace(/^\s*\(global \$(\S+) .*/, "$1"))).toEqual([
      "__asyncify_state",
      "__asyncify_data",
    ]);
  });

  it("suspends in locks and windows, and cannot suspend inside the interpreter", () => {
    expect(imports("race")).toContain("env.suspend");
    const functions = text("race").split(/\n (?=\(func )/);
    const suspendable = functions
      .filter((f) => f.startsWith("(func ") && f.includes("global.get $__asyncify_state"))
      .map((f) => f.slice(6, f.search(/[\s(]/) > 6 ? undefined : 120).split(/[\s(]/)[0]!);
    expect(suspendable.some((name) => name.includes("Lock.acquire"))).toBe(true);
    expect(suspendable.filter((name) => name.includes("/hw/"))).toEqual([]);
  });
});
