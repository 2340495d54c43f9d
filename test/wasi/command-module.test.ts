/**
 * The stand-alone command module against the main build with device.at = core: same console, same counts, same trace hash, under
 * both WASI systems. And what it says when it is used wrongly.
 */
import { describe, expect, it } from "vitest";
import { openGuest } from "../../host/cli/guest-source.ts";
import { KNOBS } from "../../host/lib/knobs.ts";
import { createMachine } from "../../host/lib/machine.ts";
import { guestNames } from "../../host/node/guests.ts";
import { runWasi } from "../../host/node/wasi.ts";
import { compileBuild } from "../../host/node/wasm.ts";

const release = compileBuild("release");

async function inMainBuild(name: string) {
  const { image, memoryBytes, vcpus, cmdline } = await openGuest(name, false);
  using machine = createMachine(release, { memoryBytes, vcpus, knobs: { "device.at": 1 } });
  const { domid } = machine.createGuest({ image, memoryBytes, vcpus, cmdline, modules: [] });
  machine.run({ maxInstructions: 1e9 });
  return {
    outcome: machine.ended(domid)?.outcome,
    instructions: machine.stats().instructions,
    traceHash: machine.traceHash(),
    console: machine.console(),
  };
}

async function inModule(engine: "wasmer" | "node", name: string) {
  const { file, memoryBytes, vcpus, cmdline } = await openGuest(name, false);
  const options = ["--summary", "--memory", String(memoryBytes), "--vcpus", String(vcpus)];
  if (cmdline !== "") options.push("--cmdline", cmdline);
  const { stdout, stderr } = await runWasi(engine, file, options);
  const { outcome, instructions, traceHash } = JSON.parse(stderr);
  return { outcome, instructions, traceHash, console: new TextDecoder().decode(stdout) };
}

describe.each(guestNames())("guest %s", (name) => {
  it("does the same in the command module under @wasmer/wasi and node:wasi", async () => {
    const expected = await inMainBuild(name);
    expect(await inModule("wasmer", name)).toEqual(expected);
    expect(await inModule("node", name)).toEqual(expected);
  });
});

it("leaves the same state under both WASI systems", async () => {
  const { file } = await openGuest("hello", false);
  const [wasmer, node] = [await runWasi("wasmer", file, ["--summary"]), await runWasi("node", file, ["--summary"])];
  expect(JSON.parse(wasmer.stderr)).toEqual(JSON.parse(node.stderr));
});

describe("wrong use of the module is one line and exit code 2", () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  it.each([
    [
      "a file that is no ELF file",
      bytes("nonsense, but long enough to hold a header of fifty-two bytes"),
      [],
      "not an ELF file",
    ],
    ["an empty file", new Uint8Array(0), [], "not an ELF file"],
    ["an unknown option", bytes(""), ["--turbo", "1"], "unknown option"],
    ["a size that is none", bytes(""), ["--memory", "lots"], "a value that cannot be used"],
    ["an option without its value", bytes(""), ["--vcpus"], "a value that cannot be used"],
  ])("%s", async (_what, file, options, problem) => {
    const { exitCode, stderr } = await runWasi("wasmer", file, options);
    expect(stderr).toContain(problem);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(exitCode).toBe(2);
  });

  it("a guest that does not fit into its memory", async () => {
    const { file } = await openGuest("hello", false);
    const { exitCode, stderr } = await runWasi("wasmer", file, ["--memory", "1M"]);
    expect(stderr).toContain("give it more with --memory");
    expect(exitCode).toBe(2);
  });
});

describe("defaults", () => {
  it("are those of the knob table", async () => {
    const { file } = await openGuest("hello", false);
    const given = KNOBS.flatMap((knob) => ["--knob", `${knob.index}=${knob.eras?.["4.17"] ?? knob.default}`]);
    const [bare, explicit] = [
      await runWasi("wasmer", file, ["--summary"]),
      await runWasi("wasmer", file, ["--summary", ...given]),
    ];
    const counts = (text: string) => ({ ...JSON.parse(text), stateHash: "" }); // the hash covers the options
    expect(counts(bare.stderr)).toEqual(counts(explicit.stderr));
  });
});
