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

const vmexit = (...args: string[]) => command("race", ...args);

function command(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
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

describe("vmexit replay and vmexit shrink", () => {
  it("are commands of their own; a schedule says which core made it", () => {
    expect(vmexit("lost-wakeup", "--out", "own.schedule").code).toBe(1);
    const text = readFileSync(join(folder, "own.schedule"), "utf8");
    expect(JSON.parse(text.split("\n")[0]!)).toMatchObject({ format: "vmexit-schedule", version: 2 });
    expect(command("replay", "own.schedule").code).toBe(1);
    const stopped = command("replay", "own.schedule", "--at", "2").out;
    expect(stopped).toContain("Stopped after step 2.");
    expect(stopped).toMatch(/Step 2 \(guest0:\w+\) changed \d+ word\(s\) of shared state/);
    expect(command("shrink", "own.schedule").out.split("\n").slice(1)).toEqual(text.split("\n").slice(1));
  });

  it("refuse the schedule of another core, unless told not to", () => {
    const text = readFileSync(join(ROOT, "host/lib/races/lost-wakeup/no-retest.schedule"), "utf8");
    const other = text.replace('"knobs":{}', '"knobs":{},"core":"0123456789abcdef"');
    writeFileSync(join(folder, "other.schedule"), other);
    const refused = command("replay", "other.schedule");
    expect(refused.code).toBe(2);
    expect(refused.err).toContain("--any-core");
    expect(command("replay", "other.schedule", "--any-core").code).toBe(1);
  });
});

describe("strategies and long searches", () => {
  const json = (...args: string[]) => JSON.parse(vmexit(...args, "--json").out) as Record<string, unknown>;
  const counts = (...args: string[]) => {
    const { verdict, exhaustive, states, steps, schedules } = json(...args);
    return { verdict, exhaustive, states, steps, schedules };
  };

  it("dpor: the same verdict, counted in schedules", () => {
    const { out, code } = vmexit("pause-under-lock", "--variant", "fixed", "--strategy", "dpor");
    expect(code).toBe(0);
    expect(out).toMatch(/all \d+ schedules that differ were run: no violation/);
    expect(out).toContain("apart from the order of steps that do not see each other");
    expect(json("pause-under-lock", "--strategy", "dpor", "--out", "d.schedule")).toMatchObject({
      verdict: "violation",
      violation: { invariant: "deadlock" },
    });
    expect(command("replay", "d.schedule").code).toBe(1);
  });

  it("dpor says that it cannot exclude livelocks where a path came round, and that every run ends where none did", () => {
    const starved = vmexit("domctl-starvation", "--variant", "one-lock", "--strategy", "dpor");
    expect(starved.out).toContain("LIVELOCKS NOT EXCLUDED");
    expect(starved.out).toContain("whether a fair run can be caught in a loop it does not prove");
    const parsed = json("domctl-starvation", "--variant", "one-lock", "--strategy", "dpor");
    expect(parsed).toMatchObject({ verdict: "clean", livelocksExcluded: false });
    const ends = vmexit("pause-under-lock", "--variant", "fixed", "--strategy", "dpor");
    expect(ends.out).not.toContain("LIVELOCKS NOT EXCLUDED");
    expect(ends.out).toContain("every run ends");
    expect(json("domctl-starvation", "--variant", "one-lock")).toMatchObject({ violation: { invariant: "livelock" } });
  });

  it.each(["exhaustive", "bounded", "dpor"])(
    "%s: a checkpoint, and going on from it, comes to the same counts",
    (strategy) => {
      const args = ["pause-under-lock", "--variant", "fixed", "--strategy", strategy];
      const whole = counts(...args);
      expect(whole.verdict).toBe("clean");
      const file = `${strategy}.checkpoint`;
      const first = vmexit(...args, "--budget", strategy === "dpor" ? "20" : "64", "--checkpoint", file);
      expect(first.code).toBe(3);
      expect(counts(...args, "--resume", file)).toEqual(whole);
    },
  );

  it("a checkpoint of something else, or a damaged one, is refused with what to do", () => {
    const args = ["pause-under-lock", "--variant", "fixed", "--budget", "64", "--checkpoint", "c.checkpoint"];
    expect(vmexit(...args).code).toBe(3);
    const text = readFileSync(join(folder, "c.checkpoint"), "utf8");
    const refused = (changed: string, ...more: string[]): string => {
      writeFileSync(join(folder, "changed.checkpoint"), changed);
      const { code, err } = vmexit("pause-under-lock", "--variant", "fixed", "--resume", "changed.checkpoint", ...more);
      expect(code).toBe(2);
      return err;
    };
    expect(refused(text.slice(0, 200))).toContain("truncated");
    expect(refused("{}")).toContain("no checkpoint");
    expect(refused(text.replace('"version":1', '"version":7'))).toContain("version 7");
    expect(refused(text.replace('"variant":"fixed"', '"variant":"other"'))).toContain("not fixed");
    expect(refused(text.replace(/"core":"\w+"/, '"core":"0"'))).toContain("is of core 0");
    expect(refused(text.replace('"edges":[0', '"edges":[99999'))).toContain("damaged");
    expect(refused(text, "--strategy", "dpor")).toContain("strategy exhaustive, not dpor");
    expect(refused(text, "--strategy", "random")).toContain("--seed");
    expect(refused(text, "--workers", "2")).toContain("one thread");
  });

  it.each(["exhaustive", "dpor", "random"])("%s with two threads comes to the same verdict", (strategy) => {
    const args = ["lost-wakeup", "--strategy", strategy];
    expect(json(...args, "--workers", "2", "--out", "w.schedule")).toMatchObject({ verdict: "violation" });
    expect(command("replay", "w.schedule").code).toBe(1);
    if (strategy === "random") return;
    const fixed = ["pause-under-lock", "--variant", "fixed", "--strategy", strategy];
    const one = counts(...fixed);
    const two = counts(...fixed, "--workers", "2");
    expect(two.verdict).toBe(one.verdict);
    if (strategy === "exhaustive") expect(two).toEqual(one);
  });

  it("two threads find a livelock across their parts", () => {
    expect(json("slot-state-toggled", "--workers", "2", "--out", "l.schedule")).toMatchObject({
      verdict: "violation",
      violation: { invariant: "livelock" },
    });
    expect(command("replay", "l.schedule").code).toBe(1);
  });

  it("--windows all tells what it costs", () => {
    const { out, code } = vmexit("slot-state-read-twice", "--variant", "fixed", "--windows", "all");
    expect([0, 1]).toContain(code);
    expect(out).toMatch(
      /automatic windows at \d+ shared word\(s\), \d+ round\(s\): \d+ states, \d+ with the named windows only/,
    );
  });

  it("--budget in seconds, and --progress on standard error", () => {
    const { code, err } = vmexit(
      "set-type-window",
      "--variant",
      "fixed",
      "--strategy",
      "random",
      "--budget",
      "2s",
      "--progress",
    );
    expect(code).toBe(3);
    expect(err).toMatch(/schedules\/s, depth \d+/);
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
    [["C-1", "--strategy", "exaustive"], "did you mean exhaustive?"],
    [["C-1", "--knob", "unmap.p2mLok=early"], 'did you mean "unmap.p2mLock"?'],
    [["C-1", "--knob", "unmap.p2mLock=erly"], "did you mean early?"],
    [["C-1", "--budget", "x"], "--budget"],
    [["ioreq-unmap-windw"], "did you mean ioreq-unmap-window?"],
    [["C-1", "--windows", "x"], "use named or all"],
    [["C-1", "--windows", "all", "--strategy", "dpor"], "--windows all goes with"],
    [["C-1", "--workers", "2", "--windows", "all"], "--workers goes with"],
    [["C-1", "--resume", "nowhere"], "no such file"],
    [["replay", "nowhere.schedule"], "no such file"],
    [["replay", "mine.schedule", "--at", "99999"], '--at "99999" is not a whole number from 0 to '],
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
