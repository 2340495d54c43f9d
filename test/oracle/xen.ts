/** Runs guests on a real Xen through xen-oracle.sh and reads what it prints. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadGuest } from "../../host/node/guests.ts";
import { ROOT } from "../../host/node/paths.ts";
import { CMDLINE, MEMORY_MIB, type OracleGuest, type Recording } from "./guests.ts";

/** The script's exit code for "not on this machine". */
const CANNOT = 77;

export type XenRun =
  | { readonly kind: "ran"; readonly guests: ReadonlyMap<string, Recording> }
  | { readonly kind: "cannot"; readonly reason: string };

/** Reads BEGIN, E9, PV and END lines; warnings of Xen are dropped. */
export function parseOracle(text: string): Map<string, Recording> {
  const guests = new Map<string, Recording>();
  let lines: string[] = [];
  for (const line of text.split("\n")) {
    const [, word, rest = ""] = /^(\w+) ?(.*)$/.exec(line) ?? [];
    if (word === "BEGIN") lines = [];
    if (word === "E9" || word === "PV") lines.push(rest.trimEnd());
    if (word === "END") {
      const [name, end] = rest.split(" ");
      guests.set(name!, { lines, end: end! });
    }
  }
  return guests;
}

/** @throws Error if Xen started but did not get through. */
export async function runOnXen(guests: readonly OracleGuest[]): Promise<XenRun> {
  const folder = mkdtempSync(join(tmpdir(), "vmexit-oracle-"));
  try {
    const files: string[] = [];
    for (const { name, vcpus = 1 } of guests) {
      const file = join(folder, `${name}.elf`);
      writeFileSync(file, (await loadGuest(name)).build());
      files.push(`${file}:${vcpus}`);
    }
    const script = join(ROOT, "test", "oracle", "xen-oracle.sh");
    const run = spawnSync("bash", [script, "-m", String(MEMORY_MIB), "-c", CMDLINE, ...files], {
      encoding: "utf8",
      maxBuffer: 1 << 26,
    });
    if (run.status === CANNOT || run.error) return { kind: "cannot", reason: run.error?.message ?? run.stderr.trim() };
    if (run.status !== 0) throw new Error(`xen-oracle.sh: ${run.stderr.trim()}\n${run.stdout.slice(-2000)}`);
    return { kind: "ran", guests: parseOracle(run.stdout) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
