/** The arrows of docs/architecture.md: who may import whom, in the core and in the host. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../../host/node/paths.ts";

interface Import {
  readonly from: string;
  readonly to: string;
}

/** Every relative or package import of the .ts files below a folder, paths relative to the checkout. */
function importsOf(folder: string): Import[] {
  const found: Import[] = [];
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
    const file = join(entry.parentPath, entry.name);
    const text = readFileSync(file, "utf8");
    for (const match of text.matchAll(
      /^\s*(?:import|export)\b[^;]*?from\s+"([^"]+)"|^\s*import\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm,
    )) {
      const target = (match[1] ?? match[2] ?? match[3])!;
      const to = target.startsWith(".") ? relative(ROOT, resolve(dirname(file), target)).replace(/\.ts$/, "") : target;
      found.push({ from: relative(ROOT, file).replace(/\.ts$/, ""), to });
    }
  }
  return found;
}

const show = (imports: readonly Import[]): string[] => imports.map((i) => `${i.from} -> ${i.to}`);

describe("core", () => {
  const imports = importsOf("hv-core");
  const layerOf = (path: string): string => {
    const part = path.split("/")[1] ?? "";
    return path.split("/").length === 2 ? "top" : part;
  };
  /** What each folder may import, besides itself. */
  const allowed: Readonly<Record<string, readonly string[]>> = {
    abi: [],
    base: ["abi"],
    mem: ["abi", "base"],
    hw: ["abi", "base", "mem"],
    hv: ["abi", "base", "mem", "hw", "dev"],
    dev: ["abi", "base", "mem", "hv"],
    run: ["abi", "base", "mem", "hw", "hv", "dev"],
    wasi: ["abi", "base", "mem", "hw", "hv", "dev", "run", "top"],
    silicon: ["abi", "base", "mem", "hw"],
    taint: ["abi", "base"],
    units: ["abi", "base", "mem", "hw", "hv", "dev", "run"],
    top: ["abi", "base", "mem", "hw", "hv", "dev", "run", "wasi", "silicon"],
  };

  it("imports only downwards: abi <- base <- mem <- {hw | hv} <- run <- index", () => {
    const wrong = imports.filter(({ from, to }) => {
      if (!to.startsWith("hv-core/")) return false;
      const [a, b] = [layerOf(from), layerOf(to)];
      return a !== b && !(allowed[a] ?? []).includes(b);
    });
    expect(show(wrong)).toEqual([]);
  });

  it("hw never imports hv", () => {
    expect(show(imports.filter((i) => i.from.startsWith("hv-core/hw/") && i.to.startsWith("hv-core/hv/")))).toEqual([]);
  });

  it("no file of the ioreq servers imports itself by way of others", () => {
    const isIoreq = (path: string): boolean => path.startsWith("hv-core/hv/ioreq/");
    const edges = imports.filter((i) => isIoreq(i.from) && isIoreq(i.to));
    const reach = (from: string, seen = new Set<string>()): Set<string> => {
      for (const { to } of edges.filter((i) => i.from === from)) if (!seen.has(to)) reach(to, seen.add(to));
      return seen;
    };
    expect(edges.map((i) => i.from).filter((file) => reach(file).has(file))).toEqual([]);
  });

  it("nobody imports index, but the entries of other builds", () => {
    expect(show(imports.filter((i) => i.to === "hv-core/index" && !/^hv-core\/(wasi|race$)/.test(i.from)))).toEqual([]);
  });
});

describe("host", () => {
  const imports = importsOf("host");

  it("only host/node and host/cli import Node modules", () => {
    expect(show(imports.filter((i) => i.to.startsWith("node:") && i.from.startsWith("host/lib/")))).toEqual([]);
  });

  it("lib imports neither node nor cli, node does not import cli", () => {
    const wrong = imports.filter(
      (i) =>
        (i.from.startsWith("host/lib/") && /^host\/(node|cli|web)\//.test(i.to)) ||
        (i.from.startsWith("host/node/") && i.to.startsWith("host/cli/")),
    );
    expect(show(wrong)).toEqual([]);
  });

  it("the page knows neither Node nor the command line", () => {
    const isNode = (to: string): boolean => /^(node:|host\/(node|cli)\/|bench\/|test\/)/.test(to);
    const page = imports.filter(
      (i) => i.from.startsWith("host/web/") && !/^host\/web\/(build\/|vite\.config$)/.test(i.from),
    );
    expect(page.length).toBeGreaterThan(0);
    expect(show(page.filter((i) => isNode(i.to)))).toEqual([]);
  });

  it("the explorer knows nothing of films, films nothing of lessons, and only a lesson's checks are above all of them", () => {
    const rank = (path: string): number => ["explore", "film", "lesson"].indexOf(path.split("/")[2] ?? "");
    const wrong = imports.filter(({ from, to }) => {
      const isBelow = from.startsWith("host/lib/") && to.startsWith("host/lib/") && rank(to) >= 1;
      return isBelow && rank(from) < rank(to);
    });
    expect(show(wrong)).toEqual([]);
  });

  it("touches the core only through abi", () => {
    expect(show(imports.filter((i) => i.to.startsWith("hv-core/") && !i.to.startsWith("hv-core/abi/")))).toEqual([]);
  });

  it("loaders know nothing of the machine, and only the machine, debug and trace layers are above devices and toolstack", () => {
    const wrong = imports.filter(
      (i) =>
        (i.from.startsWith("host/lib/loader/") &&
          i.to.startsWith("host/lib/") &&
          !i.to.startsWith("host/lib/loader/")) ||
        (/^host\/lib\/(toolstack|device|trace)\//.test(i.from) && /^host\/lib\/(machine|debug\/)/.test(i.to)) ||
        (/^host\/lib\/toolstack\//.test(i.from) && /^host\/lib\/device\//.test(i.to)),
    );
    expect(show(wrong)).toEqual([]);
  });
});
