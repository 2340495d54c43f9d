/** Debian's real gdb against `vmexit gdb`, in batch mode. Without gdb these tests say so and are skipped. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { loadGuest } from "../../host/node/guests.ts";
import { ROOT } from "../../host/node/paths.ts";

const version = spawnSync("gdb", ["--version"], { encoding: "utf8" }).stdout?.split("\n")[0];
if (!version) console.warn("gdb is not installed: its tests are skipped (apt-get install gdb)");

let server: ChildProcess | undefined;
afterEach(() => {
  server?.kill();
  server = undefined;
});

/** Starts the server on a free port. */
async function serve(...args: string[]): Promise<number> {
  server = spawn(process.execPath, [join(ROOT, "dist/host/cli/main.js"), "gdb", ...args, "--port", "0", "--json"]);
  return new Promise((resolve, reject) => {
    let errors = "";
    server!.stderr!.on("data", (text) => {
      errors += text;
    });
    server!.on("exit", () => reject(new Error(errors)));
    server!.stdout!.once("data", (text) => resolve(JSON.parse(String(text)).port));
  });
}

/** What gdb prints for these commands. */
function gdb(port: number, commands: readonly string[], architecture?: string): string {
  const all = [
    "set confirm off",
    "set pagination off",
    "set width 0",
    ...(architecture ? [`set architecture ${architecture}`] : []),
    `target remote 127.0.0.1:${port}`,
    ...commands,
  ];
  const args = ["-nx", "-q", "-batch", ...all.flatMap((command) => ["-ex", command])];
  const { stdout, stderr } = spawnSync("gdb", args, { encoding: "utf8", timeout: 60_000 });
  return stdout + stderr;
}

/** Address of a label in a guest's listing: that of the next line which has one. */
async function addressOf(guest: string, label: string): Promise<string> {
  const lines = (await loadGuest(guest)).listing().split("\n");
  const rest = lines.slice(lines.findIndex((line) => line.includes(`${label}:`)));
  return `0x${rest.map((line) => /^\s*0*([0-9a-f]{6,})\b/i.exec(line)?.[1]).find((address) => address !== undefined)}`;
}

describe.skipIf(!version)("gdb", () => {
  it("reads registers, memory and code of a 32-bit guest, breaks, steps, and goes back", async () => {
    const port = await serve("mmio");
    const out = gdb(port, [
      "info registers eip",
      "x/2i $pc",
      "stepi",
      "stepi",
      "print/x $eip",
      "reverse-stepi",
      "reverse-stepi",
      "print/x $eip",
      "print $cr0",
      "watch *(int*)0xfe000000",
      "continue",
      "print $hits = 1",
      "delete",
      "reverse-continue",
      "monitor where",
    ]);
    expect(out).toMatch(/eip\s+0x100000/);
    expect(out).toMatch(/=> 0x100000:\s+mov\s+.*,%esp/);
    expect(out).toMatch(/\$2 = 0x100000\b/);
    expect(out).toMatch(/Hardware watchpoint|Watchpoint/);
    expect(out).toContain("No more reverse-execution history");
    expect(out).toContain("instruction 0, exit 0");
  });

  it("stops at a breakpoint each time, and runs to the end", async () => {
    const address = await addressOf("mmio", "main");
    const port = await serve("mmio");
    const out = gdb(port, [
      `break *${address}`,
      "continue",
      "print/x $eip",
      "delete",
      "continue",
      "reverse-stepi",
      "print $pc > 0",
    ]);
    expect(out).toContain(`$1 = ${address}`);
    expect(out).toContain("the guest has ended: poweroff");
    expect(out).toContain("$2 = 1");
  });

  it("writes registers and memory", async () => {
    const port = await serve("mmio");
    const out = gdb(port, [
      "set $eax = 0x1234",
      "print/x $eax",
      "set *(int*)0x200000 = 0x55aa",
      "print/x *(int*)0x200000",
      "stepi",
      "print/x $eax",
    ]);
    expect(out).toContain("$1 = 0x1234");
    expect(out).toContain("$2 = 0x55aa");
    expect(out).toContain("$3 = 0x1234");
    expect(out).not.toMatch(/error|cannot/i);
  });

  it("debugs 64-bit code", async () => {
    const port = await serve("long-mode", "--arch", "x86-64");
    const out = gdb(port, ["info registers rip", "stepi 5", "print/x $rip", "print $r15", "print/x $efer", "x/1i $pc"]);
    expect(out).toMatch(/rip\s+0x100000/);
    expect(out).toMatch(/\$2 = 0\b/);
    expect(out).not.toMatch(/Truncated|too long|mismatch/i);
  });

  it("shows vCPUs as threads", async () => {
    const port = await serve("smp-spinlock", "--at", "60000");
    const out = gdb(port, ["info threads", "thread 2", "stepi", "print $pc != 0", "reverse-stepi"]);
    expect(out).toMatch(/\* 1\s+Thread 1 \(d1v0/);
    expect(out).toMatch(/2\s+Thread 2 \(d1v1/);
    expect(out).toContain("$1 = 1");
  });

  it("gdb goes and comes again", async () => {
    const port = await serve("mmio");
    expect(gdb(port, ["stepi", "detach"])).toContain("detached");
    expect(gdb(port, ["monitor where", "kill"])).toContain("instruction 1,");
  });
});

describe("the command", () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(ROOT, "dist/host/cli/main.js"), "gdb", ...args], { encoding: "utf8" });

  it("says what is wrong in one line", () => {
    expect(run("hello", "--port", "x")).toMatchObject({ status: 2, stderr: expect.stringContaining("--port") });
    expect(run("hello", "--arch", "arm").stderr).toContain("write auto, i386 or x86-64");
    expect(run("nosuch").status).toBe(2);
    expect(run("--help").stdout).toContain("--port");
  });
});
