/** Wrong usage: exit code 2 and one line that says what is wrong and what to do. Needs no build of the core. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { main } from "../../host/cli/program.ts";
import { minimalPvh } from "./elf-builder.ts";

const folder = mkdtempSync(join(tmpdir(), "vmexit-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function vmexit(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const stdout = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  const stderr = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    err += String(text);
    return true;
  });
  try {
    return { code: await main(args), out, err: err };
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
}

const file = (name: string, bytes: Uint8Array | string): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

describe("wrong usage", () => {
  const good = file("good.elf", minimalPvh(true));
  it.each([
    [["run", "no-such-guest"], /no guest and no file "no-such-guest": guests are/],
    [["run", join(folder, "missing.elf")], /no such file/],
    [["run", folder], /it is a folder/],
    [["run", file("text.elf", "not a guest, but long enough to be looked at")], /neither an ELF file/],
    [["run", good, "--memory", "lots"], /--memory "lots" is not a size/],
    [["run", good, "--memory", "9000G"], /choose 1M to 3840M/],
    [["run", good, "--vcpus", "0"], /--vcpus "0" is not a whole number from 1 to 128/],
    [["run", good, "--knob", "tlb.entries=7"], /power of two/],
    [["run", good, "--knob", "magic=1"], /unknown knob "magic"/],
    [["run", good, "--era", "1999"], /unknown era "1999"/],
    [["run", good, "--max-instructions", "soon"], /not a positive number/],
    [["run", good, "--module", join(folder, "missing.img")], /module .*no such file/],
    [["run", good, "--list"], /--list shows the listing of a guest/],
    [["run", good, "--memory", "4097K"], /not a whole number of pages: choose a multiple of 4K/],
    [["run", good, "--bogus"], /unknown option '--bogus'.*vmexit run --help/],
    [["run", good, "--memori", "64M"], /unknown option '--memori': did you mean --memory\?/],
    [["run"], /missing required argument/],
    [["run", "No-Such-Guest"], /no guest and no file "No-Such-Guest": guests are/],
    [["run", "--wasi", "node"], /missing required argument/],
    [["run", "--wasi", join(folder, "missing.elf")], /missing\.elf: no such file/],
    [["run", good, "--wasi", "--stats"], /--wasi prints no --stats/],
    [["run", good, "--wasi", "--knob", "device.at=host"], /devices in the core/],
    [["run", file("raw.bin", "raw"), "--wasi", "--flat"], /--wasi boots ELF files with a PVH note/],
    [["walk", good, "north"], /"north" is not a guest-physical address/],
    [["walk", good, "0", "--at", "then"], /--at "then" is not a positive number/],
    [["walk", good, "0xffffffffffffffff"], /is not a guest-physical address/],
    [["walk", good, ""], /is not a guest-physical address/],
    [["walk", good, "0x"], /is not a guest-physical address/],
    [["walk", good], /missing required argument 'gpa'/],
    [["walk", good, "0", "--jsn"], /did you mean --json/],
    [["p2m", "no-such-guest"], /no guest and no file/],
    [["p2m", good, "more"], /too many arguments/],
    [["p2m", good, "--at", "-5"], /--at "-5" is not a positive number/],
    [["p2m", good, "--memory", "0"], /choose 1M to/],
    [["fly"], /unknown command 'fly'/],
  ])("%j", async (args, words) => {
    const { code, err } = await vmexit(...args);
    expect(err).toMatch(words);
    expect(err.trim().split("\n")).toHaveLength(1);
    expect(code).toBe(2);
  });
});

describe("information", () => {
  it("knobs lists every knob and era", async () => {
    const { code, out } = await vmexit("knobs");
    expect(code).toBe(0);
    expect(out).toContain("tlb.entries");
    expect(out).toContain("2012, 2014, 2016-v6, 4.17, today");
  });

  it("help and no arguments explain the commands", async () => {
    expect(await vmexit("--help")).toMatchObject({ code: 0, out: expect.stringContaining("run [options] <guest>") });
  });
});
