/** vmexit race: output, files, JSON and exit codes. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { RACES } from "../../host/lib/races/catalogue.ts";
import { ROOT } from "../../host/node/paths.ts";

const MAIN = join(ROOT, "dist/host/cli/main.js");
const folder = mkdtempSync(join(tmpdir(), "vmexit-race-"));
afterAll(() => rmSync(folder, { recursive: true }));

function vmexit(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, "race", ...args], {
    cwd: folder,
    encoding: "utf8",
  });
  return { code: status, out: stdout, err: stderr };
}

describe("list", () => {
  it("names every race with its variants", () => {
    const { entries } = JSON.parse(vmexit("list", "--json").out) as { entries: { name: string; variants: string[] }[] };
    expect(entries.map((entry) => entry.name)).toEqual(RACES.map((race) => race.name));
    expect(entries[0]!.variants).toContain("fixed");
    expect(vmexit("list").out).toContain("ioreq-unmap-window (C-1)");
  });
});

describe("explore", () => {
  it("a violation: the interleaving, the invariant, a schedule, code 1; the schedule replays", () => {
    const found = vmexit("explore", "ioreq-unmap-window", "--variant", "held-null");
    expect(found.code).toBe(1);
    expect(found.out).toContain("guest0");
    expect(found.out).toContain("toolstack");
    expect(found.out).toContain("Rule (every-write-once)");
    const command = /vmexit replay (\S+)/.exec(found.out)![1]!;
    const replayed = vmexit("replay", command);
    expect(replayed.code).toBe(1);
    expect(replayed.out).toContain("Rule (every-write-once)");
  });

  it("clean: the number of states, what it proves, code 0", () => {
    const clean = vmexit("lost-wakeup", "--variant", "fixed");
    expect(clean.code).toBe(0);
    expect(clean.out).toMatch(/all \d+ states explored: no violation/);
    expect(clean.out).toContain("sequentially consistent");
  });

  it("a spent budget: code 3, not a proof", () => {
    const spent = vmexit("C-1", "--variant", "fixed", "--budget", "100");
    expect(spent.code).toBe(3);
    expect(spent.out).toContain("not a proof");
    expect(vmexit("C-1", "--variant", "fixed", "--strategy", "random", "--budget", "500").code).toBe(3);
  });

  it("--json", () => {
    const result = JSON.parse(vmexit("lost-wakeup", "--json", "--out", "j.schedule").out) as Record<string, unknown>;
    expect(result).toMatchObject({
      scenario: "lost-wakeup",
      variant: "no-retest",
      knobs: { "ioreq.wait": 1 },
      strategy: "exhaustive",
      verdict: "violation",
      exhaustive: false,
      violation: { invariant: "deadlock" },
      scheduleFile: "j.schedule",
    });
    expect(JSON.parse(vmexit("lost-wakeup", "--variant", "fixed", "--json").out)).toMatchObject({
      verdict: "clean",
      exhaustive: true,
    });
  });

  it("a knob changes the variant", () => {
    expect(vmexit("C-1", "--variant", "fixed", "--knob", "unmap.onNoServer=null", "--out", "k.schedule").code).toBe(1);
    expect(vmexit("replay", "k.schedule").code).toBe(1);
  });
});

describe("replay", () => {
  const file = join(ROOT, "host/lib/races/pause-under-lock/vcpu-takes-lock.schedule");

  it("--report markdown draws a sequence diagram", () => {
    const { out, code } = vmexit("replay", file, "--report", "markdown");
    expect(code).toBe(1);
    expect(out).toContain("sequenceDiagram");
    expect(out).toContain("takes the ioreq servers lock of domain 1");
    expect(out).toContain("**Broken: deadlock**");
  });

  it("--at stops there and shows the state", () => {
    const { out, code } = vmexit("replay", file, "--at", "3");
    expect(code).toBe(0);
    expect(out).toContain("p2m lock: guest0");
    expect(out).toContain("Stopped after step 3.");
  });
});

describe("shrink", () => {
  it("makes a long schedule as short as the committed one", () => {
    const args = ["C-1", "--strategy", "random", "--seed", "5", "--out", "r.schedule"];
    expect(vmexit(...args).code).toBe(1);
    const shrunk = vmexit("shrink", "r.schedule");
    expect(shrunk.code).toBe(0);
    const steps = (text: string) => text.trim().split("\n").length - 1;
    const committed = readFileSync(join(ROOT, "host/lib/races/ioreq-unmap-window/early-null.schedule"), "utf8");
    expect(steps(shrunk.out)).toBe(steps(committed));
  });
});

describe("a race of one's own", () => {
  const file = join(ROOT, "docs/examples/my-race.mjs");

  it("is found, replayed from its schedule, and proved, by the path of its file", () => {
    const found = vmexit(file, "--out", "mine.schedule");
    expect(found.code).toBe(1);
    expect(found.out).toContain("nobody answers for 0x2000");
    expect(found.out).toContain(`vmexit race ${file} --variant fixed`);
    expect(vmexit("replay", "mine.schedule").code).toBe(1);
    expect(vmexit(file, "--variant", "fixed").code).toBe(0);
  });

  it("--report svg --out writes a picture", () => {
    expect(vmexit("replay", "mine.schedule", "--report", "svg", "--out", "mine.svg").code).toBe(1);
    expect(readFileSync(join(folder, "mine.svg"), "utf8")).toMatch(/^<svg /);
  });
});

describe("wrong usage ends with code 2 and one line that says what to do", () => {
  writeFileSync(join(folder, "broken.schedule"), "hello\n");
  writeFileSync(join(folder, "broken.mjs"), "export default {");
  writeFileSync(join(folder, "empty.mjs"), "export const race = {};");
  writeFileSync(
    join(folder, "wrong.mjs"),
    `export default { name: "x", variants: { a: { text: "t", expect: "clean" } } };`,
  );
  const header = { format: "vmexit-schedule", version: 1, race: "lost-wakeup", variant: "fixed" };
  writeFileSync(join(folder, "parts.schedule"), `${JSON.stringify(header)}\nguest0:Exited\n`);
  it.each([
    [["nothing-like-this"], "vmexit race list shows them"],
    [["explore"], "name a race"],
    [["C-1", "--variant", "x"], "use one of early-null"],
    [["ioreq-unmap-windw"], "did you mean ioreq-unmap-window?"],
    [["lost-wakeup", "--report", "sgv"], "did you mean svg?"],
    [["./nowhere.mjs"], "no such file"],
    [["./broken.mjs"], "cannot be loaded"],
    [["./empty.mjs"], "exports no race"],
    [["./wrong.mjs"], "guests is missing"],
    [["C-1", "--strategy", "x"], "use one of exhaustive"],
    [["C-1", "--knob", "x=1"], "write name=value"],
    [["C-1", "--budget", "x"], "--budget"],
    [["replay", "nowhere.schedule"], "no such file"],
    [["replay", "broken.schedule"], "first line of a schedule"],
    [["replay", "parts.schedule"], "diverged at step 1: wanted guest0:Exited, runnable guest0:run"],
  ])("%j", (args, message) => {
    const { code, err } = vmexit(...args);
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(err.trim().split("\n").length).toBe(1);
  });
});

it("the command is there", () => {
  expect(execFileSync(process.execPath, [MAIN, "race", "--help"], { encoding: "utf8" })).toContain("shrink");
});
