/** vmexit dom: scenario files, commands by dom0 and by another domain, and a machine that lives on in a state file. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { main } from "../../host/cli/program.ts";
import { parseScenario } from "../../host/lib/scenario/scenario-file.ts";
import { suggest } from "../../host/lib/suggest.ts";

const folder = mkdtempSync(join(tmpdir(), "vmexit-dom-"));
afterAll(() => rmSync(folder, { recursive: true }));
const scenarioFile = join(folder, "two.json");
const stateFile = join(folder, "machine.state");

const SCENARIO = `{
  "version": 1,
  "domains": [
    { "name": "web", "guest": "hello", "memoryMiB": 16 },
    { "name": "db", "guest": "timer", "memoryMiB": 16, "paused": true },
    { "name": "helper", "kind": "toolstack" }
  ],
  "policy": { "version": 1, "rules": [
    { "subject": "helper", "domctl": ["pausedomain", "unpausedomain", "getdomaininfo"], "target": "web" },
    { "subject": "helper", "domctl": "destroydomain", "target": "db" }
  ] }
}`;
writeFileSync(scenarioFile, SCENARIO);

async function dom(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err] = [[] as string[], [] as string[]];
  const [stdout, stderr] = [process.stdout.write, process.stderr.write];
  process.stdout.write = (text: string | Uint8Array) => out.push(String(text)) > 0;
  process.stderr.write = (text: string | Uint8Array) => err.push(String(text)) > 0;
  try {
    return { code: await main(["dom", ...args]), out: out.join(""), err: err.join("") };
  } finally {
    process.stdout.write = stdout;
    process.stderr.write = stderr;
  }
}

/** Name and state letters of a list. */
const states = (out: string): string[][] =>
  out
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(/\s+/))
    .map((cells) => [cells[0]!, cells[4]!]);

const SCENARIO_ARGS = ["--scenario", scenarioFile];

describe("commands", () => {
  it("list, info, pause, unpause and destroy, one after the other", async () => {
    const { code, out } = await dom("pause", "web", ...SCENARIO_ARGS, "--then", "unpause db", "--then", "list");
    expect([code, states(out)]).toEqual([
      0,
      [
        ["dom0", "------"],
        ["web", "--p---"],
        ["db", "------"],
        ["helper", "--p---"],
      ],
    ]);
    const json = JSON.parse((await dom("destroy", "web", ...SCENARIO_ARGS, "--then", "list", "--json")).out);
    expect(json.results[1].domains.map((d: { name: string }) => d.name)).toEqual(["dom0", "db", "helper"]);
    const info = await dom("info", "db", ...SCENARIO_ARGS);
    expect(info.out).toMatch(/^name +db\nid +2\nstate +--p---\nmemory +16\.1 MiB of at most 17 MiB\n/);
  });

  it("run lets the guests run: what they write, and how they are afterwards", async () => {
    const { out } = await dom("run", "1m", ...SCENARIO_ARGS, "--then", "list");
    expect(out).toContain("hello from the PV console\n");
    expect(out).toMatch(/web .* ---s-- /);
  });

  it("a domain of kind toolstack may do what the policy hands to it, and nothing else", async () => {
    const allowed = await dom("pause", "web", ...SCENARIO_ARGS, "--as", "helper", "--then", "list");
    expect([allowed.code, states(allowed.out)]).toEqual([0, [["web", "--p---"]]]);
    const destroyed = await dom("destroy", "db", ...SCENARIO_ARGS, "--as", "helper", "--then", "info web");
    expect([destroyed.code, destroyed.out.split("\n")[0]]).toEqual([0, "name             web"]);
    const denied = await dom("destroy", "web", ...SCENARIO_ARGS, "--as", "helper");
    expect([denied.code, denied.err]).toEqual([
      1,
      "vmexit: the toolstack failed: DOMCTL_destroydomain(domid=1): EPERM (the caller is not privileged over that domain)\n",
    ]);
    expect((await dom("pause", "db", ...SCENARIO_ARGS, "--as", "web")).err).toContain("runs a guest");
  });

  it("the dummy policy lets a device model's domain ask about its target, and about nobody else", async () => {
    const file = join(folder, "stub.json");
    writeFileSync(
      file,
      `{ "version": 1, "domains": [ { "name": "web", "guest": "hello" }, { "name": "stub", "kind": "toolstack", "target": "web" }, { "name": "other", "guest": "hello" } ] }`,
    );
    expect((await dom("info", "web", "--scenario", file, "--as", "stub")).code).toBe(0);
    expect((await dom("info", "other", "--scenario", file, "--as", "stub")).err).toContain("EPERM");
  });

  it("errors come as JSON too", async () => {
    const { code, out } = await dom("destroy", "db", ...SCENARIO_ARGS, "--then", "info db", "--json");
    expect(code).toBe(1);
    expect(JSON.parse(out).results[1].error).toMatchObject({ code: "ESRCH", arguments: { domid: 2 } });
  });

  it.each([
    [["lst", ...SCENARIO_ARGS], 'no command "lst" for domains: did you mean "list"?'],
    [["list", "web", ...SCENARIO_ARGS], "list takes no domain"],
    [["pause", ...SCENARIO_ARGS], "pause needs the name of a domain"],
    [["info", "wed", ...SCENARIO_ARGS], 'has no domain "wed": did you mean "web"?'],
    [["pause", "web", ...SCENARIO_ARGS, "--then", "list now please"], "list takes no domain"],
    [["list"], "say which machine"],
    [["list", ...SCENARIO_ARGS, "--state", "x"], "say which machine"],
    [["run", "lots", ...SCENARIO_ARGS], "not a positive number"],
    [["list", "--scenario", join(folder, "absent")], "no such file"],
  ])("%j", async (args, message) => {
    const { code, err } = await dom(...args);
    expect([code, err.trim().split("\n").length]).toEqual([2, 1]);
    expect(err).toContain(message);
  });
});

describe("a state file", () => {
  it("goes on where the machine was", async () => {
    expect((await dom("pause", "web", ...SCENARIO_ARGS, "--save", stateFile)).code).toBe(0);
    expect(states((await dom("list", "--state", stateFile)).out)[1]).toEqual(["web", "--p---"]);
    await dom("destroy", "db", "--state", stateFile, "--then", "unpause web", "--save", stateFile);
    const { out } = await dom("run", "1m", "--state", stateFile, "--then", "list");
    expect(out).toContain("hello from the PV console\n");
    expect(out).not.toContain("db");
  });

  it("is not written when a command failed", async () => {
    const file = join(folder, "failed.state");
    expect((await dom("destroy", "web", ...SCENARIO_ARGS, "--as", "helper", "--save", file)).code).toBe(1);
    expect((await dom("list", "--state", file)).err).toContain("no such file");
  });

  it("is refused when it is damaged, of another build or something else", async () => {
    await dom("list", ...SCENARIO_ARGS, "--save", stateFile);
    const whole = gunzipSync(readFileSync(stateFile));
    const bad = join(folder, "bad.state");
    const refused = async (data: Uint8Array): Promise<string> => {
      writeFileSync(bad, data);
      const { code, err } = await dom("list", "--state", bad);
      expect(code).toBe(2);
      return err;
    };
    expect(await refused(Buffer.from("no gzip"))).toContain("no state of a machine");
    expect(await refused(gzipSync(Buffer.from("short")))).toContain("no state of a machine");
    const flipped = Buffer.from(whole);
    flipped[flipped.length - 1]! ^= 1;
    expect(await refused(gzipSync(flipped, { level: 1 }))).toContain("checksum");
    expect(await refused(gzipSync(whole.subarray(0, whole.length - 4), { level: 1 }))).toContain("checksum");
    const headerBytes = whole.readUInt32LE(0);
    const withHeader = (change: (header: { extents: number[][]; version: number }) => void): Uint8Array => {
      const header = JSON.parse(whole.toString("utf8", 4, 4 + headerBytes));
      change(header);
      const text = Buffer.from(JSON.stringify(header));
      const length = Buffer.alloc(4);
      length.writeUInt32LE(text.length);
      return gzipSync(Buffer.concat([length, text, whole.subarray(4 + headerBytes)]), { level: 1 });
    };
    expect(await refused(withHeader((h) => (h.extents[0]![0]! += 4096)))).toContain("another build");
    expect(await refused(withHeader((h) => h.extents.pop()))).toContain("header is damaged");
    expect(await refused(withHeader((h) => (h.version = 2)))).toContain("version 2 is not 1");
  });
});

describe("a scenario file that is wrong says where", () => {
  const one = (domain: string): string => `{ "version": 1,\n"domains": [\n${domain} ] }`;
  it.each([
    ["{", "s.json:1: "],
    [`{ "version": 2, "domains": [] }`, "s.json:1: version is 1"],
    [`{ "version": 1 }`, `s.json:1: the scenario has no "domains"`],
    [`{ "version": 1,\n "domains": [] }`, `s.json:2: "domains" is a list of one or more`],
    [`{ "version": 1, "domain": [] }`, `s.json:1: unknown "domain" in a scenario: did you mean "domains"?`],
    [`{ "version": 1, "era": "4.1",\n "domains": [] }`, `no era is called "4.1"`],
    [one(`{ "guest": "hello" }`), `s.json:3: the domain has no "name"`],
    [one(`{ "name": "Web", "guest": "hello" }`), `s.json:3: "Web" is no name for a domain`],
    [one(`{ "name": "dom0", "guest": "hello" }`), `"dom0" is no name for a domain`],
    [
      one(`{ "name": "a", "guest": "hello" },\n{ "name": "a", "guest": "hello" }`),
      `s.json:4: there are two domains called "a"`,
    ],
    [one(`{ "name": "a" }`), `domain "a" has no "guest"`],
    [one(`{ "name": "a", "guest": "hello", "vcpu": 1 }`), `unknown "vcpu" in a domain: did you mean "vcpus"?`],
    [one(`{ "name": "a", "guest": "hello", "vcpus": 0 }`), `"vcpus" is a whole number from 1 to 128`],
    [
      `{ "version": 1, "knobs": { "tlb.entrys": 64 }, "domains": [] }`,
      `unknown "tlb.entrys" in "knobs": did you mean "tlb.entries"?`,
    ],
    [`{ "version": 1, "knobs": { "tlb.entries": 63 }, "domains": [] }`, "knob tlb.entries: 63 is not a power of two"],
    [`{ "version": 1, "knobs": { "xsm": "policy" }, "domains": [] }`, `the knob xsm follows from "policy"`],
    [one(`{ "name": "a", "guest": "hello", "memoryMiB": 1.5 }`), `"memoryMiB" is a whole number`],
    [one(`{ "name": "a", "guest": "hello", "paused": 1 }`), `"paused" is true or false`],
    [one(`{ "name": "a", "kind": "toolstak" }`), `no kind "toolstak": did you mean "toolstack"?`],
    [one(`{ "name": "a", "kind": "toolstack", "vcpus": 2 }`), `a domain of kind "toolstack" has no "vcpus"`],
    [one(`{ "name": "a", "guest": "hello", "target": "b" }`), `no domain before this one is called "b"`],
    [
      `{ "version": 1, "domains": [{ "name": "a", "guest": "x" }],\n"policy": { "version": 1,\n"rules": [{ "subject": "b", "domctl": "pausedomain", "target": "any" }] } }`,
      `s.json:3: no domain is called "b"`,
    ],
  ])("%s", (text, message) => {
    expect(() => parseScenario(text, "s.json")).toThrow(message);
  });

  it("also when the guest is not there", async () => {
    const file = join(folder, "absent.json");
    writeFileSync(file, `{ "version": 1,\n"domains": [\n{ "name": "a", "guest": "helo" } ] }`);
    expect((await dom("list", "--scenario", file)).err).toContain(`${file}:3: no guest and no file "helo"`);
    const list = async (domains: string): Promise<string> => {
      writeFileSync(file, `{ "version": 1, "domains": [\n${domains}] }`);
      return (await dom("list", "--scenario", file)).err;
    };
    expect(await list(`{ "name": "a", "guest": "hello", "memoryMiB": 1 }`)).toContain(
      `${file}:2: domain "a": the guest ends at`,
    );
    const large = (name: string) => `{ "name": "${name}", "guest": "hello", "memoryMiB": 2048 }`;
    expect(await list(`${large("a")}, ${large("b")}`)).toContain(`${file}: the machine would have`);
    const wide = ["a", "b", "c", "d"].map((name) => `{ "name": "${name}", "guest": "hello", "vcpus": 128 }`);
    expect(await list(wide.join(","))).toContain(`${file}: the domains have 512 vCPUs in all: at most 511 fit`);
  });

  it("a limit on max_mem needs the knob that shows the value, which the file can set", async () => {
    const file = join(folder, "limit.json");
    const text = (knobs: string): string => `{ "version": 1, ${knobs}
      "domains": [ { "name": "web", "guest": "hello" }, { "name": "tool", "kind": "toolstack" } ],
      "policy": { "version": 1, "rules": [ { "subject": "tool", "domctl": "max_mem", "target": "web", "limitKib": 4096 } ] } }`;
    writeFileSync(file, text(""));
    expect((await dom("list", "--scenario", file)).err).toContain("start it with the knob xsm.maxMem=seen");
    writeFileSync(file, text(`"knobs": { "xsm.maxMem": "seen" },`));
    expect((await dom("list", "--scenario", file)).code).toBe(0);
  });
});

it("suggestions are near or a list", () => {
  expect(suggest("pauze", ["pause", "unpause"])).toBe('did you mean "pause"?');
  expect(suggest("xyz", ["pause", "list"])).toBe("use one of pause, list");
  expect(suggest("x", [])).toBe("there are none");
});
