/** vmexit run as a process: exit codes, --json, traces, console both ways. Runs the built command (npm test builds first). */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ROOT } from "../../host/node/paths.ts";

const folder = mkdtempSync(join(tmpdir(), "vmexit-run-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function vmexit(args: readonly string[], input?: string, signalAfterMs?: number): Promise<Result> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(ROOT, "dist/host/cli/main.js"), ...args]);
    let out = "";
    let err = "";
    child.stdout.on("data", (bytes) => {
      out += bytes;
      if (signalAfterMs !== undefined) setTimeout(() => child.kill("SIGINT"), signalAfterMs);
    });
    child.stderr.on("data", (bytes) => {
      err += bytes;
    });
    child.on("close", (code) => resolve({ code, out, err }));
    if (signalAfterMs === undefined) child.stdin.end(input ?? "");
  });
}

/** A flat image from bytes, as a file. */
function flat(name: string, ...bytes: number[]): string {
  const path = join(folder, name);
  writeFileSync(path, new Uint8Array(bytes));
  return path;
}

const exitWith = (value: number): number[] => [0xb0, value, 0xe6, 0xf4, 0xf4];

describe("exit codes", () => {
  it("0: the guest powered off", async () => {
    expect(await vmexit(["run", flat("off", ...exitWith(0)), "--flat"])).toEqual({ code: 0, out: "", err: "" });
  });

  it("1: it crashed, with a dump to look at", async () => {
    const { code, err } = await vmexit(["run", flat("crash", ...exitWith(9)), "--flat"]);
    expect(code).toBe(1);
    expect(err).toMatch(
      /^vmexit: crash: crash: the guest asked for a crash\n--- domain 1 vCPU 0: last exit IO_INSTRUCTION/,
    );
    expect(err).toContain("rip 0000000000100004");
    expect(err).toContain("hlt");
    expect(err).toContain("IO_INSTRUCTION out port 0xf4 size 1");
  });

  it("1: reboot, and a processor that halts for ever", async () => {
    expect(await vmexit(["run", flat("reboot", ...exitWith(1)), "--flat"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("reboot: the guest asked"),
    });
    expect(await vmexit(["run", flat("halt", 0xfa, 0xf4), "--flat"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("halted: "),
    });
  });

  it("1: a triple fault says so, with a dump", async () => {
    const { code, err } = await vmexit(["run", flat("triple", 0x0f, 0x0b), "--flat"]);
    expect(code).toBe(1);
    expect(err).toMatch(/^vmexit: triple: reboot: a triple fault.*\n--- domain 1 vCPU 0: last exit TRIPLE_FAULT/);
    expect(err).toContain("ud2");
  });

  it("2: a trace that cannot be written is refused before the run", async () => {
    const { code, out, err } = await vmexit(["run", "hello", "--trace", join(folder, "none", "t.json")]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/^vmexit: trace .*no such file\n$/);
  });

  it("3: the budget is spent", async () => {
    expect(await vmexit(["run", flat("loop", 0xeb, 0xfe), "--flat", "--max-instructions", "100k"])).toMatchObject({
      code: 3,
    });
  });

  it("stops cleanly at SIGINT", async () => {
    const file = flat("chatter", 0xb0, 0x2e, 0xe6, 0xe9, 0xb9, 0, 0, 0, 4, 0xe2, 0xfe, 0xeb, 0xf3);
    const { code, err } = await vmexit(["run", file, "--flat"], undefined, 200);
    expect(code).toBe(1);
    expect(err).toBe("vmexit: chatter: halted: stopped from the terminal\n");
  });
});

describe("output", () => {
  it("--wasi may stand before the guest", async () => {
    expect(await vmexit(["run", "--wasi", "hello"])).toEqual(await vmexit(["run", "hello", "--wasi"]));
  });

  it("--json is one object with everything", async () => {
    const { code, out, err } = await vmexit(["run", "hello", "--json"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const report = JSON.parse(out) as Record<string, unknown>;
    expect(Object.keys(report)).toEqual([
      "guest",
      "outcome",
      "reason",
      "instructions",
      "exits",
      "tlb",
      "console",
      "traceHash",
      "stateHash",
      "wallMs",
    ]);
    expect(report).toMatchObject({ guest: "hello", outcome: "poweroff", console: expect.stringContaining("hello") });
  });

  it("--trace writes Chrome JSON or text, --stats counts and time apart", async () => {
    const json = join(folder, "t.json");
    const text = join(folder, "t.txt");
    const { err } = await vmexit(["run", "mmio", "--trace", json, "--stats"]);
    expect(err).toContain("counted (exact)");
    expect(err).toContain("measured (this computer)");
    const events = (JSON.parse(readFileSync(json, "utf8")) as { traceEvents: { name: string }[] }).traceEvents;
    expect(events.filter((e) => e.name === "EPT_VIOLATION").length).toBeGreaterThan(10);
    await vmexit(["run", "mmio", "--trace", text]);
    expect(readFileSync(text, "utf8")).toMatch(/d1v0 +exit +EPT_VIOLATION gpa 0xfe000000 access -w- entry ---/);
  });

  it("--list shows the guest's listing", async () => {
    expect(await vmexit(["run", "hello", "--list"])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/00100[0-9a-f]{3}/i),
    });
  });

  it("demo shows a violation served by a device, the walk and the counts", async () => {
    const { code, out } = await vmexit(["demo"]);
    expect(code).toBe(0);
    for (const words of [
      "EPT_VIOLATION gpa 0xfe000000",
      "server 0 READY mmio write",
      "level 4 PML4",
      "2M page",
      "exits counted",
    ])
      expect(out).toContain(words);
  });
});

describe("input", () => {
  // L: in al, LSR; test al, 1; jz L; in al, RBR; cmp al, 'q'; je end; out THR, al; jmp L
  const echo = [
    0x66, 0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xf7, 0x66, 0xba, 0xf8, 0x03, 0xec, 0x3c, 0x71, 0x74, 0x03, 0xee,
    0xeb, 0xeb,
  ];
  it.each(["host", "core"])("reaches the UART with the devices in the %s", async (at) => {
    const { code, out } = await vmexit(
      ["run", flat("echo", ...echo, ...exitWith(0)), "--flat", "--knob", `device.at=${at}`],
      "hello there, this line is longer than a FIFOq",
    );
    expect({ code, out }).toEqual({ code: 0, out: "hello there, this line is longer than a FIFO" });
  });
});
