/**
 * Where each window is in the source: build/window-sites.json, {"TypeRead": ["hv-core/hv/exits/on-ept-violation.ts:62"], ...}, from the
 * calls of Window.at and of suspend in hv-core. Reports of races say file and line with it (host/lib/explore/report/story.ts).
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const CALL = /\b(?:Window\.at|suspend)\(\s*(W_[A-Z0-9_]+)/g;
/** Same as windowName (host/lib/explore/windows.ts). */
const camel = (name) =>
  name
    .slice(2)
    .toLowerCase()
    .replace(/(?:^|_)(\w)/g, (_, letter) => letter.toUpperCase());

/** @returns sites by window name, files in alphabetical order. */
export function windowSites(root) {
  const sites = {};
  const files = readdirSync(join(root, "hv-core"), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    for (const match of text.matchAll(CALL)) {
      const line = text.slice(0, match.index).split("\n").length;
      const where = `${file
        .slice(root.length)
        .replace(/^[/\\]/, "")
        .replaceAll("\\", "/")}:${line}`;
      const name = camel(match[1]);
      sites[name] = [...(sites[name] ?? []), where];
    }
  }
  return sites;
}

export function writeWindowSites(root) {
  writeFileSync(join(root, "build/window-sites.json"), `${JSON.stringify(windowSites(root), null, 2)}\n`);
}
